internal import Foundation
internal import Testing

extension EndToEnd {
  /// A disk that takes no more.
  @Suite("full disk") struct FullDiskTests {
    @Test("less free space than is asked for: nothing is served, and the complaint names the space and the setting")
    func freeSpace() async throws {
      try await Gateway.within(more: "limits: {minimum_free_bytes: 1125899906842624}", start: false) { gateway in
        let outcome = try await gateway.launch().wait(within: .seconds(20))
        #expect(outcome.status == 1)
        #expect(outcome.complaint.contains("Free space"), "\(outcome.complaint)")
        #expect(!outcome.complaint.contains("Refusal("), "a sentence, not a dump: \(outcome.complaint)")
      }
    }

    @Test("writes that fail in mid-flight refuse requests with a remedy; what was acknowledged is there after a restart")
    func failingWrites() async throws {
      try await Gateway.within(start: false) { gateway in
        try await gateway.start()
        let customer = try await gateway.open()
        try await gateway.stop()
        // From here on no file of the process grows beyond one megabyte.
        try await gateway.start(fileBlocks: 2048)
        let (served, refusal) = try await self.fill(gateway, customer)
        #expect(refusal.status == 503)
        let error = try refusal.error
        #expect(error["code"].string == "store_unavailable" && error["message"].string?.isEmpty == false, "\(error)")
        #expect(refusal.headers["x-should-retry"] == "true")
        #expect(try await gateway.get("/healthz").status == 200)
        #expect(try await gateway.get("/readyz").status == 503, "a gateway that can record nothing is not ready")
        #expect(try await gateway.get("/metrics").status == 200)
        await gateway.end()

        try await gateway.start()
        let total = try await gateway.total(customer: customer.id)
        let settled = total["requests"].integer ?? 0
        #expect(settled >= served, "\(served) answers were acknowledged, \(settled) are in the ledger")
        #expect(try await gateway.metrics().sum("weighbridge_holds") == 0)
        let bundle = try await gateway.exportBundle(named: "bundle")
        #expect(try await gateway.verify(bundle).command.status == 0)
        _ = try await gateway.ask(Chat(maxTokens: 1), key: customer.key)
      }
    }

    /// Asks until the store takes no more: how many answers came, and the first refusal.
    private func fill(_ gateway: Gateway, _ customer: Customer) async throws -> (served: Int, refusal: Reply) {
      var served = 0
      let deadline = ContinuousClock.now + .seconds(40)
      while ContinuousClock.now < deadline {
        let calls = try (0..<16).map { _ in try gateway.call(try Chat(prompt: "hi", maxTokens: 1).request(key: customer.key)) }
        try await Exchange.finish(calls, within: .seconds(20))
        let replies = calls.compactMap(\.reply)
        guard replies.count == calls.count else { throw Failure("the gateway closed a connection without an answer") }
        served += replies.count { $0.status == 200 }
        if let refusal = replies.first(where: { $0.status != 200 }) { return (served, refusal) }
      }
      throw Failure("the file limit was never reached; \(served) requests were served")
    }
  }
}
