internal import Foundation
internal import Testing
internal import UpstreamFixtures

extension EndToEnd {
  /// What a collector of OpenTelemetry is told.
  @Suite("telemetry") struct TelemetryTests {
    private static func taking() async throws -> ScriptedUpstream {
      try await ScriptedUpstream { _, _ in [.head(200, [("content-length", "2")]), .bytes("{}"), .end] }
    }

    private func attributes(_ document: JSONValue) -> [String: String] {
      Dictionary(
        document["attributes"].elements.map { attribute in
          let value = attribute["value"]
          let text =
            value["stringValue"].string ?? value["intValue"].string ?? value["arrayValue"]["values"][0]["stringValue"].string
          return (attribute["key"].string ?? "", text ?? "")
        }, uniquingKeysWith: { first, _ in first })
    }

    @Test(
      "each completion is a span in its caller's trace, and counts in the gen_ai metrics; nothing names the customer or the text")
    func told() async throws {
      let collector = try await Self.taking()
      try await Gateway.within(more: "telemetry: {otlp_url: \"http://127.0.0.1:\(collector.port)\", otlp_seconds: 1}") {
        gateway in
        let customer = try await gateway.open()
        let trace = "0af7651916cd43dd8448eb211c80319c"
        let reply = try await gateway.send(
          try Chat(maxTokens: 4).request(
            key: customer.key, headers: [("traceparent", "00-\(trace)-b7ad6b7169203331-01")]))
        #expect(reply.status == 200)
        _ = try await gateway.send(try Chat(maxTokens: 4, isStreamed: true).request(key: customer.key))
        let traces = try await Exchange.await("the collector is told of both") { () -> [JSONValue]? in
          let told = try collector.asked.filter { $0.path == "/v1/traces" }.map { try JSONValue($0.body) }
          let spans = told.flatMap { $0["resourceSpans"][0]["scopeSpans"][0]["spans"].elements }
          return spans.count >= 2 ? spans : nil
        }
        #expect(traces.count == 2)
        let span = try #require(traces.first { $0["traceId"].string == trace })
        #expect(span["parentSpanId"].string == "b7ad6b7169203331")
        #expect(span["name"].string == "chat demo" && span["kind"].integer == 2)
        let known = self.attributes(span)
        let usage = try reply.json["usage"]
        #expect(known["gen_ai.request.model"] == "demo" && known["gen_ai.operation.name"] == "chat")
        #expect(known["gen_ai.usage.output_tokens"] == "4" && known["gen_ai.response.finish_reasons"] == "length")
        #expect(known["gen_ai.usage.input_tokens"] == usage["prompt_tokens"].integer.map(String.init))
        #expect(known["gen_ai.response.id"] == reply.headers["x-weighbridge-usage"])
        let metrics = try await Exchange.await("the collector is told the metrics of both") { () -> [JSONValue]? in
          let told = try collector.asked.last { $0.path == "/v1/metrics" }.map { try JSONValue($0.body) }
          let metrics = told?["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].elements ?? []
          let counted = metrics.first { $0["name"].string == "gen_ai.server.request.duration" }?["histogram"]["dataPoints"][0][
            "count"]
          return counted?.string == "2" ? metrics : nil
        }
        #expect(
          Set(metrics.compactMap { $0["name"].string })
            == ["gen_ai.client.token.usage", "gen_ai.server.request.duration", "gen_ai.server.time_to_first_token"])
        let tokens = try #require(metrics.first { $0["name"].string == "gen_ai.client.token.usage" })["histogram"]["dataPoints"]
        let output = try #require(tokens.elements.first { self.attributes($0)["gen_ai.token.type"] == "output" })
        #expect(output["count"].string == "2" && output["bucketCounts"][1].string == "2", "four tokens each")
        for told in collector.asked {
          #expect(!told.body.contains(customer.id) && !told.body.contains(customer.keyID) && !told.body.contains("ledger?"))
        }
      }
    }

    @Test("a collector that cannot be reached, or says no, holds up nothing")
    func unreachable() async throws {
      let collector = try await ScriptedUpstream { _, _ in [.head(503, [("content-length", "0")]), .end] }
      try await Gateway.within(more: "telemetry: {otlp_url: \"http://127.0.0.1:\(collector.port)/\", otlp_seconds: 1}") {
        gateway in
        let customer = try await gateway.open()
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
        try await Exchange.await("it was told") { collector.asked.contains { $0.path == "/v1/traces" } ? true : nil }
        try await collector.stop()
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
        #expect(try await gateway.stop().status == 0)
      }
    }

    @Test("an address that is none is refused at the start", arguments: ["collector:4318", "ftp://x", ""])
    func address(_ url: String) async throws {
      try await Gateway.within(more: "telemetry: {otlp_url: \"\(url)\"}", start: false) { gateway in
        let outcome = try await gateway.launch().wait(within: .seconds(20))
        #expect(outcome.status != 0 && outcome.complaint.contains("otlp_url"))
      }
    }
  }
}
