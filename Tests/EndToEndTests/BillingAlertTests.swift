internal import Foundation
internal import NIOCore
internal import Synchronization
internal import Testing
internal import UpstreamFixtures

extension EndToEnd {
  /// What receivers outside are told, and what happens where they do not listen.
  @Suite("billing alerts") struct BillingAlertTests {
    private func configuration(_ receivers: [(id: String, url: String)]) -> String {
      let hooks = receivers.map { #"    - {id: \#($0.id), url: "\#($0.url)/hook", secret_env: WEIGHBRIDGE_ADMIN_KEY}"# }
      return "billing:\n  low_balances: [{amount: \"1.00\", currency: USD}]\n  webhooks:\n" + hooks.joined(separator: "\n")
    }

    @Test("a balance that runs low is told of, signed, tried again after errors and after a restart, and taken as one")
    func lowBalance() async throws {
      let answers = Mutex([500, 429, 200])
      let receiver = try await ScriptedUpstream { _, _ in
        let status = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        return [.head(status, [("content-length", "0")]), .end]
      }
      let refusing = try await ScriptedUpstream { _, _ in [.head(400, [("content-length", "0")]), .end] }
      // Nothing answers here.
      let hanging = try await ScriptedUpstream { _, _ in [.pause(.seconds(60)), .kill] }
      let configuration = self.configuration([("ours", receiver.url), ("refusing", refusing.url), ("hanging", hanging.url)])
      try await Gateway.within(more: configuration) { gateway in
        let customer = try await gateway.open()
        try await gateway.admin("POST", "/customers/\(customer.id)/credits", #"{"amount":"0.50","currency":"USD"}"#)
        _ = try await Exchange.await("the receiver is told", within: .seconds(20)) { receiver.asked.isEmpty ? nil : true }
        try await gateway.stop()
        try await gateway.start()
        _ = try await Exchange.await("it is told until it takes it", within: .seconds(20)) {
          receiver.asked.count >= 3 ? true : nil
        }
        let told = receiver.asked
        #expect(Set(told.compactMap { $0.header("x-weighbridge-delivery") }).count == 1, "the same delivery in every attempt")
        #expect(Set(told.map(\.body)).count == 1)
        let body = try JSONValue(told[0].body)
        #expect(body["type"].string == "balance.low" && body["customer"].string == customer.id)
        #expect(body["data"]["balance"]["amount"].nano == 500_000_000 && body["data"]["mark"]["amount"].nano == 1_000_000_000)
        try await self.check(try #require(told.last), gateway)

        let dead = try await Exchange.await("the refused delivery is a dead letter", within: .seconds(20)) { () -> JSONValue? in
          let letters = try await gateway.admin("GET", "/deliveries?receiver=refusing")
          return letters["data"].elements.isEmpty ? nil : letters["data"][0]
        }
        #expect(dead["failure"].string == "status 400" && dead["state"].string == "dead")
        let before = refusing.asked.count
        let id = try #require(dead["id"].string)
        try await gateway.admin("POST", "/deliveries/replay", #"{"receiver":"refusing","id":"\#(id)"}"#)
        _ = try await Exchange.await("it is sent again", within: .seconds(20)) { refusing.asked.count > before ? true : nil }
        let nothing = try await gateway.send(
          HTTPRequest(
            method: "POST", path: "/admin/v1/deliveries/replay", key: gateway.adminKey,
            body: Array(#"{"receiver":"refusing","id":"x"}"#.utf8)))
        #expect(nothing.status == 404)
        #expect(hanging.asked.count >= 1, "a receiver that hangs holds up no other")
      }
    }

    @Test(
      "budgets and balances that run out are told of once a share and once for good; a message that is not taken holds up no other"
    )
    func budget() async throws {
      // The first message that comes is never taken.
      let first = Mutex<String?>(nil)
      let receiver = try await ScriptedUpstream { _, asked in
        let id = asked.header("x-weighbridge-delivery") ?? ""
        let isFirst = first.withLock { first in
          first = first ?? id
          return first == id
        }
        return [.head(isFirst ? 500 : 204, isFirst ? [("content-length", "0")] : []), .end]
      }
      let configuration = self.configuration([("ours", receiver.url)]) + "\n  budget_percents: [40, 100]"
      try await Gateway.within(more: configuration) { gateway in
        func told(_ type: String, _ customer: Customer) throws -> [JSONValue] {
          let bodies = try receiver.asked.map { try JSONValue($0.body) }.filter {
            $0["type"].string == type && $0["customer"].string == customer.id
          }
          return bodies.reduce(into: [JSONValue]()) { if !$0.contains($1) { $0.append($1) } }
        }
        let stuck = try await gateway.open()
        try await gateway.admin("POST", "/customers/\(stuck.id)/credits", #"{"amount":"0.90","currency":"USD"}"#)
        _ = try await Exchange.await("the message that is not taken comes") { receiver.asked.isEmpty ? nil : true }
        let customer = try await gateway.onboard("Spender")
        let chat = Chat(maxTokens: 4)
        let charge = try #require(try await gateway.ask(chat, key: customer.key)["weighbridge"]["amount"].nano)
        try await gateway.admin(
          "PUT", "/customers/\(customer.id)/billing",
          #"{\#(BillingTests.party),"budget":{"amount":"\#(decimal(nano: charge * 2))","currency":"USD"}}"#)
        _ = try await Exchange.await("half of the budget is told of") {
          try told("budget.reached", customer).map { $0["data"]["percent"].integer } == [40] ? true : nil
        }
        _ = try await gateway.ask(chat, key: customer.key)
        _ = try await Exchange.await("all of it is told of") {
          try told("budget.reached", customer).map { $0["data"]["percent"].integer } == [40, 100] ? true : nil
        }
        #expect(try told("budget.reached", customer).last?["data"]["spent"]["amount"].nano == charge * 2)
        // Prepaid to the last token.
        let prepaid = try await gateway.onboard("Prepaid")
        try await gateway.admin(
          "POST", "/customers/\(prepaid.id)/credits", #"{"amount":"\#(decimal(nano: charge))","currency":"USD"}"#)
        _ = try await gateway.ask(chat, key: prepaid.key)
        _ = try await Exchange.await("that nothing is left is told") {
          try told("balance.exhausted", prepaid).isEmpty ? nil : true
        }
        try await self.check(try #require(receiver.asked.last), gateway)
        let waiting = try await gateway.admin("GET", "/deliveries?state=pending")["data"].elements
        #expect(waiting.compactMap { $0["id"].string } == [first.withLock { $0 }])
      }
    }

    /// The signature as any receiver would check it: with OpenSSL.
    private func check(_ asked: ScriptedUpstream.Asked, _ gateway: Gateway) async throws {
      let signature = try #require(asked.header("x-weighbridge-signature"))
      let parts = signature.split(separator: ",").map { String($0) }
      let seconds = try #require(parts.first?.dropFirst(2))
      let digest = try await run(
        "/usr/bin/env", ["openssl", "dgst", "-sha256", "-hmac", gateway.adminKey], in: gateway.workplace,
        input: Array("\(seconds).\(asked.body)".utf8))
      #expect(digest.output.contains(try #require(parts.last?.dropFirst(3))), "\(digest.said)")
    }

    @Test(
      "faulty configurations are refused by line and name",
      arguments: [
        ("billing: {sellers: {}}", "seller"), ("billing: {webhooks: [{id: a, url: ftp://x, secret_env: A}]}", "url"),
        ("billing: {webhooks: [{id: a, url: 'http://x', secret_env: NOT_SET_AT_ALL}]}", "NOT_SET_AT_ALL"),
        ("billing: {pushes: [{id: a, url: 'http://x', token_env: PATH, format: orb, origin: n}]}", "format"),
        ("billing: {pushes: [{id: a, url: 'http://x', token_env: PATH, format: lago, code: c, origin: 'a b'}]}", "origin"),
        (
          "billing: {pushes: [{id: a, url: 'http://x', token_env: PATH, timeout_seconds: 0, format: openmeter, source: s, origin: n}]}",
          "timeout_seconds"
        ), ("billing: {low_balances: [{amount: '-1', currency: USD}]}", "amount"),
        ("billing: {seller: {name: A, street: B, city: C, postal_code: D, country: DE}}", "tax"),
      ])
    func faulty(section: String, mention: String) async throws {
      try await Gateway.within(more: section, start: false) { gateway in
        let child = try gateway.launch()
        let outcome = try await child.wait(within: .seconds(30))
        #expect(outcome.status != 0 && outcome.said.contains(mention), "\(outcome.said)")
      }
    }
  }
}
