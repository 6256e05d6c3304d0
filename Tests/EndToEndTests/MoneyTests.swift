internal import Foundation
internal import Testing

extension EndToEnd {
  /// Limits under concurrency, and streams that end where the money does.
  @Suite("money") struct MoneyTests {
    @Test("200 requests at once on money for 37: exactly 37 are served, and at no moment is more than the limit settled or held")
    func thirtySeven() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let chat = Chat(maxTokens: 4)
        let charge = try #require(try await gateway.ask(chat, key: customer.key)["weighbridge"]["amount"].nano)
        let poor = try await gateway.createKey(for: customer.id)
        try await gateway.limitSpend(of: poor.id, toNano: 37 * charge)

        let calls = try (0..<200).map { _ in try gateway.call(try chat.request(key: poor.secret)) }
        let watch = LimitWatch(gateway: gateway, key: poor.secret, most: 37 * charge)
        async let looks = watch.look(until: .seconds(60))
        try await Exchange.finish(calls, within: .seconds(60))
        watch.finish()
        let seen = try await looks
        #expect(seen.count > 1, "the limit was looked at while the requests ran")
        #expect(seen.allSatisfy { $0 <= 37 * charge }, "settled + held passed the limit: \(seen)")

        let replies = calls.compactMap(\.reply)
        #expect(replies.count == 200)
        #expect(replies.count { $0.status == 200 } == 37)
        for reply in replies where reply.status != 200 {
          #expect(reply.status == 402 && reply.headers["x-should-retry"] == "false")
          #expect(try reply.error["code"].string == "spend_limit_reached")
          #expect(try reply.error["decision_id"].string?.hasPrefix("dec_") == true)
        }
        let total = try await gateway.total(customer: customer.id, key: poor.id)
        #expect(total["requests"].integer == 37 && total["amount"].nano == 37 * charge)
        #expect(try await gateway.metrics().sum("weighbridge_holds") == 0)
        let later = try await gateway.send(try chat.request(key: poor.secret))
        #expect(later.status == 402, "a spent limit stays spent")
      }
    }

    @Test("a stream is cut at the exact token that the limit no longer pays for", arguments: [nil, 200])
    func cut(maxTokens: Int?) async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let limit = 4_000_000
        try await gateway.limitSpend(of: customer.keyID, toNano: limit)
        let chat = Chat(prompt: Prompt.story, maxTokens: maxTokens, isStreamed: true, includesUsage: true)
        let call = try gateway.call(try chat.request(key: customer.key))
        try await Exchange.finish([call], within: .seconds(60))
        let answer = try call.streamed
        #expect(answer.isDone)
        #expect(answer.closing["choices"][0]["finish_reason"].string == "length")
        #expect(answer.closing["weighbridge"]["finish_detail"].string == "spend_limit_reached")
        let prompt = try #require(answer.usage["prompt_tokens"].integer)
        let completion = try #require(answer.usage["completion_tokens"].integer)
        let charge = Price.charge(prompt: prompt, completion: completion)
        #expect(charge <= limit && limit < charge + Price.completionNano)
        #expect(answer.closing["weighbridge"]["amount"].nano == charge)
        let total = try await gateway.total(customer: customer.id)
        #expect(total["amount"].nano == charge && total["completion_tokens"].integer == completion)
        // What was sent is exactly what was paid for.
        let rich = try await gateway.createKey(for: customer.id)
        var reference = Reference(gateway, key: rich.secret)
        #expect(answer.text == (try await reference.text(Prompt.story, completion)))
      }
    }

    @Test("more requests than the engine has places are refused for the moment, and cost nothing")
    func overload() async throws {
      try await Gateway.within(more: "limits: {concurrent_sequences: 1, queued_requests: 1}") { gateway in
        let customer = try await gateway.open()
        let calls = try (0..<8).map { _ in
          try gateway.call(try Chat(prompt: Prompt.story, maxTokens: 30, isStreamed: true).request(key: customer.key))
        }
        try await Exchange.finish(calls, within: .seconds(30))
        let replies = calls.compactMap(\.reply)
        let served = replies.count { $0.status == 200 }
        #expect(replies.count == 8 && served >= 2 && served < 8)
        for reply in replies where reply.status != 200 {
          #expect(reply.status == 503 && reply.headers["x-should-retry"] == "true" && reply.headers["retry-after"] == "1")
          #expect(try reply.error["code"].string == "overloaded")
        }
        #expect(try await gateway.metrics().sum("weighbridge_holds") == 0)
        #expect(try await gateway.total(customer: customer.id)["requests"].integer == served)
      }
    }

    @Test("several streams share what a customer has left, and none is paid beyond it")
    func sharedLimit() async throws {
      try await Gateway.within { gateway in
        let customer = try await gateway.open()
        let limit = 20_000_000
        try await gateway.limitSpend(of: customer.id, toNano: limit)
        var keys = [customer.key]
        for number in 1..<6 { keys.append(try await gateway.createKey(for: customer.id, name: "key \(number)").secret) }
        let calls = try keys.map { try gateway.call(try Chat(prompt: Prompt.story, isStreamed: true).request(key: $0)) }
        try await Exchange.finish(calls, within: .seconds(60))
        let served = try calls.filter { $0.status == 200 }.map { try $0.streamed }
        let charges = served.compactMap { $0.closing["weighbridge"]["amount"].nano }
        #expect(served.allSatisfy(\.isDone) && charges.count == served.count)
        #expect(calls.allSatisfy { $0.status == 200 || $0.status == 402 })
        let spent = charges.reduce(0, +)
        #expect(spent <= limit)
        #expect(served.contains { $0.closing["weighbridge"]["finish_detail"].string == "spend_limit_reached" })
        #expect(try await gateway.total(customer: customer.id)["amount"].nano == spent)
      }
    }
  }
}

/// Looks at a key's limit again and again beside other work.
private final class LimitWatch: Sendable {
  private let gateway: Gateway
  private let key: String
  private let most: Int
  private let isOver = Flag()

  init(gateway: Gateway, key: String, most: Int) {
    self.gateway = gateway
    self.key = key
    self.most = most
  }

  func finish() { self.isOver.raise() }

  /// Settled plus held at each look.
  func look(until patience: Duration) async throws -> [Int] {
    let deadline = ContinuousClock.now + patience
    var seen: [Int] = []
    while !self.isOver.isRaised, ContinuousClock.now < deadline {
      let limit = try await self.gateway.get("/v1/limits", key: self.key).json["data"][0]
      guard limit["amount"].nano == self.most, let settled = limit["settled"].nano, let held = limit["held"].nano else {
        throw Failure("the limit has no amounts: \(limit)")
      }
      seen.append(settled + held)
    }
    return seen
  }
}
