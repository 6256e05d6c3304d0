internal import Foundation
internal import Testing

extension EndToEnd {
  /// Clients that go away before the answer is over.
  @Suite("disconnect") struct DisconnectTests {
    @Test("a client that leaves a stream stops the engine, pays for what it was handed, and the rest is stated as undelivered")
    func stream() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let chat = Chat(prompt: Prompt.story, maxTokens: 280, isStreamed: true)
        let call = try gateway.call(try chat.request(key: customer.key))
        try await Exchange.drive([call], within: .seconds(30), "twenty pieces came") { call.body.count > 20 * 180 }
        let received = try call.streamed.text
        call.close()

        let total = try await self.settled(gateway, customer)
        let completion = try #require(total["completion_tokens"].integer)
        var reference = Reference(gateway, key: customer.key)
        let paidFor = try await reference.text(Prompt.story, completion)
        #expect(paidFor.hasPrefix(received), "the client has text that nobody was charged for")
        // What lay in the socket when the client left was handed over; the lease bounds it.
        #expect(completion < 200, "the engine ran on")
        let entries = try LogEntries(bundle: try await gateway.exportBundle(named: "bundle"))
        let settlement = try #require(entries.ofType("settle").first)
        #expect(settlement["finish"].string == "client_abort" && settlement["completion"].integer == completion)
        #expect((settlement["undelivered"].integer ?? .max) <= 64)
      }
    }

    @Test("a client that leaves before an unstreamed answer is over stops the engine, and does not pay for the whole")
    func whole() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let call = try gateway.call(try Chat(prompt: Prompt.story, maxTokens: 280).request(key: customer.key))
        try await Exchange.await("the engine works", within: .seconds(10)) {
          call.advance()
          return try await gateway.metrics().sum("weighbridge_engine_tokens_total", ["kind": "completion"]) > 4 ? true : nil
        }
        call.close()
        try await Exchange.await("the engine stops and the hold is closed") {
          let metrics = try await gateway.metrics()
          return metrics.sum("weighbridge_engine_running") == 0 && metrics.sum("weighbridge_holds") == 0 ? true : nil
        }
        let produced = try await gateway.metrics().sum("weighbridge_engine_tokens_total", ["kind": "completion"])
        #expect(produced < 200, "the engine ran on for nobody: \(produced) tokens")
        #expect(try await gateway.total(customer: customer.id)["completion_tokens"].integer == 0, "nothing was handed over")
      }
    }

    @Test("every token that the engine produced is in the ledger once, delivered or not")
    func everyToken() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let calls = try (0..<12).map { number in
          try gateway.call(
            try Chat(prompt: number % 2 == 0 ? Prompt.story : Prompt.essay, maxTokens: 60, isStreamed: true).request(
              key: customer.key))
        }
        try await Exchange.drive(calls, within: .seconds(40), "each stream has begun or is over") {
          for (number, call) in calls.enumerated() where number % 3 == 0 && call.body.count > (1 + number) * 400 { call.close() }
          return calls.allSatisfy(\.isOver)
        }
        let metrics = try await Exchange.await("all holds are closed and the engine rests") { () -> Metrics? in
          let metrics = try await gateway.metrics()
          return metrics.sum("weighbridge_holds") == 0 && metrics.sum("weighbridge_engine_running") == 0 ? metrics : nil
        }
        let charged = metrics.sum("weighbridge_tokens_total", ["category": "completion"])
        let undelivered = metrics.sum("weighbridge_undelivered_tokens_total")
        let produced = metrics.sum("weighbridge_engine_tokens_total", ["kind": "completion"])
        #expect(charged + undelivered == produced)
        #expect(Int(charged) == (try await gateway.total(customer: customer.id)["completion_tokens"].integer))
        let entries = try LogEntries(bundle: try await gateway.exportBundle(named: "bundle"))
        let ends = entries.ofType("settle", "void")
        #expect(ends.count == 12)
        #expect(ends.reduce(0) { $0 + ($1["completion"].integer ?? 0) + ($1["undelivered"].integer ?? 0) } == Int(produced))
      }
    }

    private func settled(_ gateway: Gateway, _ customer: Customer) async throws -> JSONValue {
      try await Exchange.await("the usage is recorded and the engine rests", within: .seconds(3)) { () -> JSONValue? in
        let total = try await gateway.total(customer: customer.id)
        let running = try await gateway.metrics().sum("weighbridge_engine_running")
        return total["requests"].integer == 1 && running == 0 ? total : nil
      }
    }
  }
}
