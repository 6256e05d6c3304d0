internal import Foundation
internal import Testing

extension EndToEnd {
  /// SIGTERM ends the process in time, whatever its clients do.
  @Suite("shutdown") struct ShutdownTests {
    @Test("running streams come to a settled end, and the exit status is 0")
    func streams() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let calls = try (0..<4).map { _ in
          try gateway.call(try Chat(prompt: Prompt.story, maxTokens: 80, isStreamed: true).request(key: customer.key))
        }
        try await Exchange.drive(calls, within: .seconds(30), "each stream has begun") {
          calls.allSatisfy { $0.body.count > 1000 }
        }
        let stopping = Task { try await gateway.stop(within: .seconds(30)) }
        try await Exchange.finish(calls, within: .seconds(30))
        #expect(try await stopping.value.status == 0)

        try await gateway.start()
        #expect(try await gateway.metrics().sum("weighbridge_holds") == 0)
        let bundle = try await gateway.exportBundle(named: "bundle")
        #expect(try await gateway.verify(bundle).command.status == 0)
        let entries = try LogEntries(bundle: bundle)
        #expect(entries.ofType("settle").count == 4 && entries.ofType("void").isEmpty)
        let again = try #require(entries.ofType("boot").last)
        #expect(again["open_holds"].integer == 0, "the stop left holds for the next start to close")
        let ends = Dictionary(grouping: entries.ofType("settle")) { $0["usage"].string ?? "" }
        var reference = Reference(gateway, key: customer.key)
        for call in calls {
          let end = try #require(ends[call.usageID ?? ""]?.first)
          let text = try await reference.text(Prompt.story, try #require(end["completion"].integer))
          #expect(try call.streamed.text == text, "what was charged is what came")
        }
      }
    }

    @Test("streams that outlast the time to shut down are ended, settled and charged for what came")
    func deadline() async throws {
      try await Gateway.within(server: "shutdown_seconds: 1") { gateway in
        let customer = try await gateway.open()
        // More than any engine ends in a second; those that wait for a place when the time is over have received nothing.
        let calls = try (0..<96).map { _ in
          try gateway.call(try Chat(prompt: Prompt.story, maxTokens: 280, isStreamed: true).request(key: customer.key))
        }
        try await Exchange.drive(calls, within: .seconds(30), "twelve streams have begun") {
          calls.filter { $0.body.count > 500 }.count >= 12
        }
        let stopping = Task { try await gateway.stop(within: .seconds(15)) }
        try await Exchange.finish(calls, within: .seconds(15))
        #expect(try await stopping.value.status == 0)
        let begun = calls.filter { $0.body.count > 500 }
        let cut = try begun.filter { try !$0.streamed.isDone }
        #expect(!cut.isEmpty, "the streams were over before the time was; the test shows nothing")

        try await gateway.start()
        let bundle = try await gateway.exportBundle(named: "bundle")
        #expect(try await gateway.verify(bundle).command.status == 0)
        let entries = try LogEntries(bundle: bundle)
        #expect(
          try #require(entries.ofType("boot").last)["open_holds"].integer == 0, "the stop left holds for the next start to close")
        let ends = Dictionary(grouping: entries.ofType("settle", "void")) { $0["usage"].string ?? "" }
        #expect(ends.count >= begun.count && ends.values.allSatisfy { $0.count == 1 })
        var reference = Reference(gateway, key: customer.key)
        let call = try #require(cut.first)
        let end = try #require(ends[call.usageID ?? ""]?.first)
        let charged = try await reference.text(Prompt.story, end["completion"].integer ?? 0)
        #expect(try call.streamed.text.hasPrefix(charged), "nobody pays for what did not come")
      }
    }

    /// What a client may leave lying around.
    enum Loitering: String, CaseIterable, Sendable { case nothingSent, halfAHead, halfABody, idleAfterAnAnswer }

    private func loiter(_ kind: Loitering, _ gateway: Gateway, _ customer: Customer) async throws -> HTTPCall {
      let whole = try Chat(maxTokens: 2).request(key: customer.key).bytes
      let sent: [UInt8] =
        switch kind {
        case .nothingSent: []
        case .halfAHead: Array(whole.prefix(40))
        case .halfABody: Array(whole.dropLast(10))
        case .idleAfterAnAnswer: Array("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        }
      let call = try HTTPCall(port: gateway.port, bytes: sent)
      // Long enough for the bytes to be read.
      let pause = ContinuousClock.now + .milliseconds(200)
      try await Exchange.drive([call], within: .seconds(5)) { ContinuousClock.now > pause }
      #expect(call.isComplete == (kind == .idleAfterAnAnswer))
      return call
    }

    @Test("a client that says nothing more does not keep the process", arguments: Loitering.allCases)
    func loitering(kind: Loitering) async throws {
      try await Gateway.within(server: "body_seconds: 600, shutdown_seconds: 2") { gateway in
        let customer = try await gateway.open()
        let call = try await self.loiter(kind, gateway, customer)
        #expect(try await gateway.stop(within: .seconds(10)).status == 0)
        call.close()
      }
    }

    @Test(
      "a request that does not come to its end in time is closed, and the gateway goes on",
      arguments: [Loitering.halfABody, .halfAHead])
    func slowBody(kind: Loitering) async throws {
      try await Gateway.within(server: "body_seconds: 1, idle_seconds: 1") { gateway in
        let customer = try await gateway.open()
        let call = try await self.loiter(kind, gateway, customer)
        try await Exchange.drive([call], within: .seconds(10), "the connection is closed") { call.isClosed }
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
      }
    }
  }
}
