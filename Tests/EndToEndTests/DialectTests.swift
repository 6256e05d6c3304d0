import Foundation
import Testing

extension EndToEnd {
  /// The same model in the other dialects: what each one's clients look at.
  @Suite("dialects") struct DialectTests {
    private static func post(_ path: String, _ key: String, _ body: String) -> HTTPRequest {
      HTTPRequest(method: "POST", path: path, key: key, body: Array(body.utf8))
    }

    /// The events of a stream with names, in order.
    private static func events(_ text: String) throws -> [(name: String, data: JSONValue)] {
      try text.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { event in
        let lines = event.split(separator: "\n")
        guard lines.count == 2, lines[0].hasPrefix("event: "), lines[1].hasPrefix("data: ") else {
          throw Failure("no event with a name: \(event)")
        }
        return (String(lines[0].dropFirst(7)), try JSONValue(String(lines[1].dropFirst(6))))
      }
    }

    private static func streamed(_ gateway: Gateway, _ request: HTTPRequest) async throws -> [(name: String, data: JSONValue)] {
      let call = try gateway.call(request)
      try await Exchange.finish([call], within: .seconds(30))
      return try self.events(String(decoding: call.body, as: UTF8.self))
    }

    @Test("legacy completions: a text is continued, streamed as it is whole, echoed where asked for")
    func legacy() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let body = #""model":"demo","prompt":"What is a ledger?","max_tokens":6,"temperature":0"#
        let whole = try await gateway.send(Self.post("/v1/completions", customer.key, "{\(body)}")).json
        #expect(whole["object"].string == "text_completion" && whole["id"].string?.hasPrefix("cmpl-") == true)
        #expect(whole["choices"][0].keys == ["text", "index", "logprobs", "finish_reason"])
        #expect(whole["usage"]["completion_tokens"].integer.map { $0 <= 6 } == true)
        let call = try gateway.call(Self.post("/v1/completions", customer.key, #"{\#(body),"stream":true}"#))
        try await Exchange.finish([call], within: .seconds(30))
        let answer = try call.streamed
        #expect(answer.isDone)
        #expect(answer.events.map { $0["choices"][0]["text"].string ?? "-" }.joined() == whole["choices"][0]["text"].string)
        let echoed = try await gateway.send(Self.post("/v1/completions", customer.key, #"{\#(body),"echo":true}"#)).json
        #expect(
          echoed["choices"][0]["text"].string == "What is a ledger?" + (whole["choices"][0]["text"].string ?? "-"))
        let refused = try await gateway.send(Self.post("/v1/completions", customer.key, #"{\#(body),"best_of":3}"#))
        #expect(refused.status == 400)
        #expect(try refused.error["param"].string == "best_of")
      }
    }

    @Test("messages: blocks, Anthropic's stop reasons, its key header, its stream, its errors")
    func messages() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let body = #""model":"demo","max_tokens":8,"temperature":0,"messages":[{"role":"user","content":"What is a ledger?"}]"#
        let whole = try await gateway.send(
          HTTPRequest(
            method: "POST", path: "/v1/messages", headers: [("x-api-key", customer.key), ("anthropic-version", "2023-06-01")],
            body: Array("{\(body)}".utf8)))
        #expect(whole.status == 200, "\(whole.text)")
        let message = try whole.json
        #expect(message["type"].string == "message" && message["role"].string == "assistant")
        #expect(message["content"][0]["type"].string == "text" && message["stop_reason"].string == "max_tokens")
        let events = try await Self.streamed(gateway, Self.post("/v1/messages", customer.key, #"{\#(body),"stream":true}"#))
        #expect(
          Set(events.map(\.name)) == [
            "message_start", "ping", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
            "message_stop",
          ])
        let text = events.compactMap { $0.data["delta"]["text"].string }.joined()
        #expect(text == message["content"][0]["text"].string)
        #expect(events.first?.data["message"]["usage"]["input_tokens"] == message["usage"]["input_tokens"])
        #expect(
          events.first { $0.name == "message_delta" }?.data["usage"]["output_tokens"] == message["usage"]["output_tokens"])
        let counted = try await gateway.send(
          Self.post(
            "/v1/messages/count_tokens", customer.key,
            #"{"model":"demo","messages":[{"role":"user","content":"What is a ledger?"}]}"#))
        #expect(try counted.json["input_tokens"] == message["usage"]["input_tokens"])
        let refused = try await gateway.send(Self.post("/v1/messages", customer.key, #"{"model":"demo","messages":[]}"#))
        #expect(refused.status == 400)
        #expect(try refused.json["type"].string == "error")
        #expect(try refused.error["type"].string == "invalid_request_error")
      }
    }

    @Test("responses: numbered events, items, and what can be fetched again by its customer alone")
    func responses() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let body = #""model":"demo","input":"What is a ledger?","max_output_tokens":8,"temperature":0,"metadata":{"a":"b"}"#
        let whole = try await gateway.send(Self.post("/v1/responses", customer.key, "{\(body)}"))
        #expect(whole.status == 200, "\(whole.text)")
        let response = try whole.json
        #expect(response["object"].string == "response" && response["status"].string == "incomplete")
        #expect(response["incomplete_details"]["reason"].string == "max_output_tokens")
        #expect(response["metadata"]["a"].string == "b" && response["usage"]["output_tokens"].integer == 8)
        let events = try await Self.streamed(gateway, Self.post("/v1/responses", customer.key, #"{\#(body),"stream":true}"#))
        #expect(events.map { $0.data["sequence_number"].integer } == Array(0..<events.count))
        #expect(events.allSatisfy { $0.data["type"].string == $0.name })
        #expect(
          events.map(\.name).filter { $0 != "response.output_text.delta" } == [
            "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
            "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.incomplete",
          ])
        let text = try #require(response["output"][0]["content"][0]["text"].string)
        #expect(events.filter { $0.name == "response.output_text.delta" }.compactMap { $0.data["delta"].string }.joined() == text)

        let path = "/v1/responses/" + (response["id"].string ?? "-")
        #expect(try await gateway.send(HTTPRequest(path: path, key: customer.key)).json == response)
        let other = try await gateway.onboard("Other")
        let refused = try await gateway.send(HTTPRequest(path: path, key: other.key))
        #expect(refused.status == 404, "\(refused)")
        #expect(try await gateway.send(Self.post(path + "/cancel", customer.key, "{}")).status == 400)
        #expect(try await gateway.send(HTTPRequest(method: "DELETE", path: path, key: customer.key)).status == 200)
        #expect(try await gateway.send(HTTPRequest(path: path, key: customer.key)).status == 404)
        let private_ = try await gateway.send(Self.post("/v1/responses", customer.key, #"{\#(body),"store":false}"#)).json
        let privatePath = "/v1/responses/" + (private_["id"].string ?? "-")
        #expect(try await gateway.send(HTTPRequest(path: privatePath, key: customer.key)).status == 404)
        let counted = try await gateway.send(
          Self.post("/v1/responses/input_tokens", customer.key, #"{"model":"demo","input":"What is a ledger?"}"#)
        ).json
        #expect(counted["input_tokens"] == response["usage"]["input_tokens"])
      }
    }

    @Test("tokens and their text, without a charge")
    func tokens() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let tokenized = try await gateway.send(
          Self.post("/tokenize", customer.key, #"{"model":"demo","prompt":"a truck of coal"}"#)
        ).json
        let tokens = tokenized["tokens"].elements.compactMap(\.integer)
        #expect(tokens.count > 2 && tokenized["count"].integer == tokens.count)
        let text = try await gateway.send(
          Self.post("/detokenize", customer.key, #"{"model":"demo","tokens":\#(tokens)}"#)
        ).json
        #expect(text["prompt"].string?.hasSuffix("a truck of coal") == true)
        let wrong = try await gateway.send(Self.post("/detokenize", customer.key, #"{"model":"demo","tokens":[99999999]}"#))
        #expect(wrong.status == 400)
        #expect(try await gateway.total(customer: customer.id)["requests"].integer == 0)
        let stranger = try await gateway.admin("POST", "/customers", #"{"name":"Stranger","country":"DE"}"#)
        let key = try await gateway.createKey(for: try #require(stranger["id"].string))
        #expect(try await gateway.send(Self.post("/tokenize", key.secret, #"{"model":"demo","prompt":"x"}"#)).status == 403)
      }
    }

    @Test("moderations have OpenAI's thirteen categories")
    func moderations() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let reply = try await gateway.send(
          Self.post("/v1/moderations", customer.key, #"{"input":["the ledger is balanced",{"type":"text","text":"hello"}]}"#))
        let results = try reply.json["results"].elements
        #expect(results.count == 2)
        for result in results {
          #expect(result["flagged"] == .bool(false))
          for part in ["categories", "category_scores", "category_applied_input_types"] { #expect(result[part].keys.count == 13) }
        }
      }
    }
  }
}
