internal import Foundation
internal import Testing

extension EndToEnd {
  /// Retries under an `Idempotency-Key`.
  @Suite("idempotency") struct IdempotencyTests {
    @Test("the same key and body give the recorded answer and one charge; another body is a conflict")
    func replay() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let header = [("Idempotency-Key", "order-1")]
        let first = try await gateway.send(try Chat(maxTokens: 8).request(key: customer.key, headers: header))
        let again = try await gateway.send(try Chat(maxTokens: 8).request(key: customer.key, headers: header))
        #expect(first.status == 200 && first.headers["idempotent-replay"] == nil)
        #expect(again.status == 200 && again.headers["idempotent-replay"] == "true")
        #expect(try first.json == again.json)
        for name in ["x-weighbridge-usage", "x-weighbridge-decision", "link"] {
          #expect(again.headers[name] == first.headers[name], "the replay's \(name)")
        }
        #expect(again.headers["x-request-id"] != first.headers["x-request-id"])
        let other = try await gateway.send(try Chat(maxTokens: 9).request(key: customer.key, headers: header))
        #expect(other.status == 409 && other.headers["x-should-retry"] == "false")
        #expect(try other.error["code"].string == "idempotency_conflict")
        #expect(try await gateway.total(customer: customer.id)["requests"].integer == 1)
        // Another customer's keys are its own.
        let stranger = try await gateway.onboard("Other")
        let own = try await gateway.send(try Chat(maxTokens: 9).request(key: stranger.key, headers: header))
        #expect(own.status == 200 && own.headers["idempotent-replay"] == nil)
      }
    }

    @Test("many at once under one key: one runs and is charged, the others are told to wait, and a later retry gets its answer")
    func atOnce() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        // A long prompt takes a while to tokenise: time in which the others arrive.
        let chat = Chat(prompt: String(repeating: "truck toll ", count: 200), maxTokens: 1)
        for round in 1...4 {
          let request = try chat.request(key: customer.key, headers: [("Idempotency-Key", "round-\(round)")]).bytes
          let calls = try (0..<24).map { _ in try HTTPCall(port: gateway.port, bytes: Array(request.dropLast())) }
          let pause = ContinuousClock.now + .milliseconds(50)
          try await Exchange.drive(calls, within: .seconds(5)) { ContinuousClock.now > pause }
          for call in calls { call.send([try #require(request.last)]) }
          try await Exchange.finish(calls, within: .seconds(30))
          let replies = calls.compactMap(\.reply)
          #expect(replies.count { $0.status == 200 && $0.headers["idempotent-replay"] == nil } == 1)
          for reply in replies where reply.status != 200 {
            #expect(reply.status == 409 && reply.headers["x-should-retry"] == "true", "\(reply.text)")
            #expect(try reply.error["code"].string == "idempotency_conflict")
          }
          let later = try await gateway.send(request)
          #expect(later.status == 200 && later.headers["idempotent-replay"] == "true", "\(later.text)")
          #expect(try await gateway.total(customer: customer.id)["requests"].integer == round)
        }
      }
    }

    @Test("after a restart the key still stands for its one charge")
    func restart() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let request = try Chat(maxTokens: 4).request(key: customer.key, headers: [("Idempotency-Key", "order-2")])
        let first = try await gateway.send(request)
        #expect(first.status == 200)
        gateway.crash()
        await gateway.end()
        try await gateway.start()
        let again = try await gateway.send(request)
        // Texts are not stored, so the answer cannot be given again; it is not charged again either.
        #expect(again.status == 409)
        #expect(try again.error["message"].string?.contains(first.headers["x-weighbridge-usage"] ?? "-") == true)
        #expect(try await gateway.total(customer: customer.id)["requests"].integer == 1)
      }
    }
  }
}
