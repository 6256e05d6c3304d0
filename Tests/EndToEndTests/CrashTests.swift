internal import Foundation
internal import Testing

extension EndToEnd {
  /// `kill -9` in the middle of work, and what the restarted gateway makes of it.
  @Suite("crash") struct CrashTests {
    /// How the streams stood when the process was killed.
    private struct Stream {
      var prompt: String
      var most: Int
      var usage: String?
      var answer: StreamedAnswer
    }

    /// How a hold ended in the log.
    private struct End {
      var type: String
      var completion = 0
      var undelivered = 0
      var prompt = 0
      var amount = 0
      var policy: String

      init(_ entry: JSONValue) throws {
        guard let type = entry["type"].string, let policy = entry["settlement_policy"].string else {
          throw Failure("an entry that ends a hold lacks its policy: \(entry)")
        }
        self.type = type
        self.policy = policy
        self.completion = entry["completion"].integer ?? 0
        self.undelivered = entry["undelivered"].integer ?? 0
        self.prompt = (entry["prompt_uncached"].integer ?? 0) + (entry["prompt_cached"].integer ?? 0)
        self.amount = entry["amount_nano"].integer ?? 0
      }
    }

    @Test("50 streams are killed: each hold is closed, nobody pays for a token that did not arrive, the log verifies")
    func streams() async throws {
      try await Gateway.within(more: "limits: {concurrent_sequences: 24}") { gateway in
        let customer = try await gateway.open()
        let streams = try await self.killed(gateway, customer)
        try await self.killDuringRecovery(gateway)
        try await gateway.start()
        #expect(try await gateway.metrics().sum("weighbridge_holds") == 0, "a hold is open after the restart")
        let bundle = try await gateway.exportBundle(named: "after")
        let (command, script) = try await gateway.verify(bundle)
        #expect(command.status == 0, "\(command.said)")
        #expect(script.status == 0, "\(script.said)")

        let ends = try self.ends(in: bundle)
        try await self.compareTotals(gateway, customer, ends)
        var reference = Reference(gateway, key: customer.key)
        for stream in streams { try await self.compare(stream, ends, &reference) }
        self.expectVariety(streams, ends)
      }
    }

    /// Runs 50 streams until some have ended and many are in the middle, then kills the process and reads what the kernel still has.
    private func killed(_ gateway: Gateway, _ customer: Customer) async throws -> [Stream] {
      let plans = (0..<50).map { (prompt: $0 % 2 == 0 ? Prompt.story : Prompt.essay, most: $0 % 5 == 0 ? 12 : 120) }
      let calls = try plans.map { plan in
        try gateway.call(try Chat(prompt: plan.prompt, maxTokens: plan.most, isStreamed: true).request(key: customer.key))
      }
      // An event with text has some 180 bytes: more than 6000 bytes are more than 30 pieces.
      try await Exchange.drive(calls, within: .seconds(60), "five streams have ended and eight are in the middle") {
        calls.count(where: \.isComplete) >= 5 && calls.count { !$0.isOver && $0.body.count > 6000 } >= 8
      }
      gateway.crash()
      try await Exchange.drive(calls, within: .seconds(10), "all connections are over") { calls.allSatisfy(\.isOver) }
      await gateway.end()
      return try zip(plans, calls).map { plan, call in
        Stream(prompt: plan.prompt, most: plan.most, usage: call.usageID, answer: try call.streamed)
      }
    }

    /// Starts the process and kills it again, a little later each time: recovery itself may be cut off anywhere.
    private func killDuringRecovery(_ gateway: Gateway) async throws {
      for milliseconds in [10, 25, 40, 60, 90, 130] {
        _ = try gateway.launch()
        try await Task.sleep(for: .milliseconds(milliseconds))
        gateway.crash()
        await gateway.end()
      }
    }

    /// The one end of every hold in the log.
    private func ends(in bundle: String) throws -> [String: End] {
      let entries = try LogEntries(bundle: bundle)
      var ends: [String: [End]] = [:]
      for hold in entries.ofType("hold") { ends[hold["usage"].string ?? ""] = [] }
      for entry in entries.ofType("settle", "void") { ends[entry["usage"].string ?? "", default: []].append(try End(entry)) }
      for (usage, ends) in ends { #expect(ends.count == 1, "\(usage) has \(ends.count) ends") }
      return ends.compactMapValues(\.first)
    }

    private func compareTotals(_ gateway: Gateway, _ customer: Customer, _ ends: [String: End]) async throws {
      let settled = ends.values.filter { $0.type == "settle" }
      for end in settled { #expect(end.amount == Price.charge(prompt: end.prompt, completion: end.completion)) }
      let total = try await gateway.total(customer: customer.id)
      #expect(total["requests"].integer == settled.count)
      #expect(total["completion_tokens"].integer == settled.reduce(0) { $0 + $1.completion })
      #expect(total["amount"].nano == settled.reduce(0) { $0 + $1.amount })
    }

    private func compare(_ stream: Stream, _ ends: [String: End], _ reference: inout Reference) async throws {
      // A stream that had no header yet has no usage id, and its hold, if there is one, was voided.
      guard let usage = stream.usage else { return }
      let end = try #require(ends[usage], "\(usage) reached its client and is not in the log")
      if stream.answer.isDone {
        #expect(end.type == "settle" && end.policy == "delivered" && end.undelivered == 0)
        #expect(end.completion == stream.most, "a finished stream is in the ledger with exactly what it used")
        #expect(stream.answer.text == (try await reference.text(stream.prompt, end.completion)))
        #expect(stream.answer.closing["weighbridge"]["amount"].nano == end.amount)
        return
      }
      let received = stream.answer.text
      let charged = try await reference.text(stream.prompt, end.completion)
      #expect(received.hasPrefix(charged), "\(usage) is charged \(end.completion) tokens; its client has only: \(received)")
      let atMost = try await reference.text(stream.prompt, min(stream.most, end.completion + end.undelivered))
      #expect(atMost.hasPrefix(received), "\(usage) received more than its record allows for")
      #expect(end.undelivered <= 64 + 16, "the operator's loss is bounded by the lease")
      switch end.policy {
      case "last_durable_mark": #expect(end.type == "settle" && end.completion > 0)
      case "nothing_delivered": #expect(end.type == "void" && end.amount == 0)
      // The last tokens were settled, and the process was killed before they were sent.
      case "delivered": #expect(end.completion == stream.most)
      default: Issue.record("an unknown policy: \(end.policy)")
      }
    }

    /// The test means something only where the kill met streams in every state.
    private func expectVariety(_ streams: [Stream], _ ends: [String: End]) {
      #expect(streams.contains { $0.answer.isDone })
      #expect(ends.values.contains { $0.policy == "last_durable_mark" })
      #expect(ends.values.contains { $0.policy == "nothing_delivered" })
    }
  }
}
