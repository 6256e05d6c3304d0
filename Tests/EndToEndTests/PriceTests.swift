internal import Foundation
internal import Testing

extension EndToEnd {
  /// Each kind of price, as requests are charged by it and as the month comes to, and what is no price.
  @Suite("prices") struct PriceTests {
    /// One component of a negotiated price for answers; prompts cost nothing.
    struct Kind: Sendable, CustomTestStringConvertible {
      var name: String
      /// Of the component, beside its category.
      var component: String
      /// What requests are charged for so many tokens in all, and what the month comes to.
      var charged: @Sendable (Int) -> Int
      var total: @Sendable (Int) -> Int

      var testDescription: String { self.name }

      init(
        _ name: String, _ component: String, charged: (@Sendable (Int) -> Int)? = nil, _ total: @escaping @Sendable (Int) -> Int
      ) {
        self.name = name
        self.component = component
        self.charged = charged ?? total
        self.total = total
      }
    }

    private static let kinds = [
      Kind("an override per unit", #""per_million":"10""#) { $0 * 10_000 },
      Kind("a free allowance", #""per_million":"60","free":20"#) { max(0, $0 - 20) * 60_000 },
      Kind(
        "graduated tiers",
        #""tier_mode":"graduated","tiers":[{"up_to":25,"per_million":"60"},{"per_million":"30","flat":"0.01"}]"#
      ) {
        min($0, 25) * 60_000 + max(0, $0 - 25) * 30_000 + ($0 > 25 ? 10_000_000 : 0)
      },
      // Nobody is charged less than before: what the cheaper tier gives back is given back by the invoice.
      Kind(
        "volume tiers", #""tier_mode":"volume","tiers":[{"up_to":40,"per_million":"60"},{"per_million":"30"}]"#,
        charged: { $0 <= 40 ? $0 * 60_000 : max(2_400_000, $0 * 30_000) }
      ) { $0 * ($0 <= 40 ? 60_000 : 30_000) },
      Kind("packages", #""package":{"size":25,"amount":"0.001"}"#) { ($0 + 24) / 25 * 1_000_000 },
      Kind("a maximum", #""per_million":"60","maximum":"0.002""#) { min($0 * 60_000, 2_000_000) },
    ]

    @Test(
      "each kind of price: requests are charged the difference that they make, and the month comes to the price of all of them")
    func kinds() async throws {
      try await Gateway.within(more: BillingTests.configuration) { gateway in
        try await gateway.setPrice()
        for kind in Self.kinds {
          let customer = try await gateway.onboard(kind.name)
          try await gateway.admin(
            "POST", "/prices",
            #"{"model":"demo","currency":"USD","customer":"\#(customer.id)","components":["#
              + #"{"category":"prompt_uncached","per_million":"0"},{"category":"completion",\#(kind.component)}]}"#)
          var tokens = 0
          for most in [13, 16, 16, 9] {
            let answer = try await gateway.ask(Chat(maxTokens: most), key: customer.key)
            let before = tokens
            tokens += try #require(answer["usage"]["completion_tokens"].integer)
            #expect(answer["weighbridge"]["amount"].nano == kind.charged(tokens) - kind.charged(before), "\(kind.name)")
          }
          #expect(tokens > 45, "all tiers are reached")
          let draft = try await self.draft(gateway, customer)
          #expect(draft["totals"]["exact"].nano == kind.total(tokens), "\(kind.name): \(draft["lines"])")
        }
      }
    }

    @Test("a commitment: what is missing is added, what is beyond it costs what was agreed", arguments: [true, false])
    func commitment(isMet: Bool) async throws {
      try await Gateway.within(more: BillingTests.configuration) { gateway in
        let customer = try await gateway.open()
        let used = try #require(try await gateway.ask(Chat(maxTokens: 16), key: customer.key)["weighbridge"]["amount"].nano)
        let commitment = isMet ? used / 2_000 * 1_000 : used * 2
        let draft = try await self.draft(
          gateway, customer,
          #","commitments":[{"amount":"\#(decimal(nano: commitment))","currency":"USD","overage_basis_points":15000}]"#)
        #expect(draft["totals"]["exact"].nano == (isMet ? used + (used - commitment) / 2 : commitment))
      }
    }

    private func draft(_ gateway: Gateway, _ customer: Customer, _ more: String = "") async throws -> JSONValue {
      try await gateway.admin("PUT", "/customers/\(customer.id)/billing", "{\(BillingTests.party)\(more)}")
      let month = String(ISO8601DateFormatter().string(from: Date()).prefix(7))
      return try await gateway.admin(
        "POST", "/invoices", #"{"customer":"\#(customer.id)","period":"\#(month)","currency":"USD"}"#)
    }

    private static let prompt = #"{"category":"prompt_uncached","per_million":"1"}"#

    @Test("what is no price is refused by field, and nothing is stored")
    func refused() async throws {
      try await Gateway.within { gateway in
        let answer = #"{"category":"completion","per_million":"1"}"#
        let faults = [
          (#"[\#(Self.prompt),{"category":"answers","per_million":"1"}]"#, "answers"),
          (#"[\#(Self.prompt),{"category":"completion","per_million":"-1"}]"#, "negative"),
          (#"[\#(Self.prompt),{"category":"completion","per_million":1}]"#, "string"),
          (#"[\#(Self.prompt),\#(answer),\#(answer)]"#, "priced twice"), (#"[\#(Self.prompt)]"#, "completion"),
          (#"[\#(Self.prompt),{"category":"completion","per_million":"1","free":-1}]"#, "free"),
          (#"[\#(Self.prompt),{"category":"completion","per_million":"1","maximum":"-0.01"}]"#, "negative"),
          (#"[\#(Self.prompt),{"category":"completion","package":{"size":0,"amount":"1"}}]"#, "size"),
          (#"[\#(Self.prompt),{"category":"completion","package":{"size":1,"amount":"1"},"per_million":"1"}]"#, "exactly one"),
          // A gap and an overlap between tiers, tiers without an end, none at all.
          (Self.tiers(#"{"up_to":9,"per_million":"1"}"#), "up_to"),
          (Self.tiers(#"{"up_to":9,"per_million":"1"},{"up_to":9,"per_million":"1"},{"per_million":"1"}"#), "up_to"),
          (Self.tiers(#"{"per_million":"1"},{"up_to":9,"per_million":"1"}"#), "up_to"), (Self.tiers(""), "tiers"),
        ]
        for (components, mention) in faults {
          try await self.refuses(gateway, "/prices", #"{"model":"demo","currency":"USD","components":\#(components)}"#, mention)
        }
        try await self.refuses(
          gateway, "/prices", #"{"model":"demo","currency":"usd","components":[\#(Self.prompt),\#(answer)]}"#, "currency")
        #expect(try await gateway.admin("GET", "/prices")["data"].elements.isEmpty)
        try await self.effectiveDates(gateway, answer)
        try await self.currencies(gateway)
      }
    }

    private static func tiers(_ tiers: String) -> String {
      #"[\#(self.prompt),{"category":"completion","tier_mode":"graduated","tiers":[\#(tiers)]}]"#
    }

    private func refuses(_ gateway: Gateway, _ path: String, _ body: String, _ mention: String) async throws {
      let reply = try await gateway.send(
        HTTPRequest(method: "POST", path: "/admin/v1" + path, key: gateway.adminKey, body: Array(body.utf8)))
      #expect((400..<500).contains(reply.status) && reply.text.contains(mention), "\(body): \(reply.status) \(reply.text)")
    }

    /// Before the first price there is a gap, in which nothing is served; two prices from one instant on overlap.
    private func effectiveDates(_ gateway: Gateway, _ answer: String) async throws {
      let customer = try await gateway.onboard()
      func price(from: String) -> String {
        #"{"model":"demo","currency":"USD","effective_from":"\#(from)","components":[\#(Self.prompt),\#(answer)]}"#
      }
      try await gateway.admin("POST", "/prices", price(from: "2099-01-01"))
      let early = try await gateway.send(try Chat(maxTokens: 2).request(key: customer.key))
      #expect(early.status >= 400 && early.text.contains("price"), "\(early.text)")
      try await self.refuses(gateway, "/prices", price(from: "2099-01-01T00:00:00Z"), "effective_from")
      try await gateway.admin("POST", "/prices", price(from: "2026-01-01"))
      _ = try await gateway.ask(Chat(maxTokens: 2), key: customer.key)
    }

    /// Money of one currency is never taken for another's.
    private func currencies(_ gateway: Gateway) async throws {
      let customer = try await gateway.onboard("Euro")
      try await self.refuses(gateway, "/customers/\(customer.id)/credits", #"{"amount":"-1","currency":"EUR"}"#, "amount")
      try await self.refuses(gateway, "/customers/\(customer.id)/credits", #"{"amount":"1","currency":"EURO"}"#, "currency")
      // Credit in euros pays for nothing that is priced in dollars.
      try await gateway.admin("POST", "/customers/\(customer.id)/credits", #"{"amount":"5","currency":"EUR"}"#)
      _ = try await gateway.send(try Chat(maxTokens: 2).request(key: customer.key))
      let credits = try await gateway.admin("GET", "/customers/\(customer.id)/credits")["data"].elements
      #expect(credits.count == 1 && credits[0]["left"].nano == 5_000_000_000)
    }

    @Test(
      "a price to come, over last month's usage: what it would have made of it, and nothing is changed; a wrong one is corrected")
    func preview() async throws {
      try await Workplace.within { workplace in
        let clock = try await ShiftedClock(in: workplace)
        let gateway = try Gateway(in: workplace, more: BillingTests.configuration, environment: clock.environment)
        do {
          try await gateway.start()
          try await self.preview(gateway, clock)
        } catch {
          await gateway.end()
          throw error
        }
        await gateway.end()
      }
    }

    private func preview(_ gateway: Gateway, _ clock: ShiftedClock) async throws {
      let customer = try await gateway.open()
      for most in [16, 12] { _ = try await gateway.ask(Chat(maxTokens: most), key: customer.key) }
      let total = try await gateway.total(customer: customer.id)
      let (prompt, tokens) = (try #require(total["prompt_tokens"].integer), try #require(total["completion_tokens"].integer))
      let before = try #require(total["amount"].nano)
      func month() -> String {
        String(ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: Double(clock.now))).prefix(7))
      }
      let used = month()
      while month() == used { try clock.advance(past: 86_400, seconds: 90) }
      let components =
        #""components":[{"category":"prompt_uncached","per_million":"10"},{"category":"completion","per_million":"30","free":5}]"#
      let after = prompt * 10_000 + (tokens - 5) * 30_000
      let preview = try await gateway.admin("POST", "/prices/preview", #"{"model":"demo","currency":"USD",\#(components)}"#)
      #expect(preview["period"].string == used && preview["data"][0]["before"].nano == before)
      #expect(preview["data"][0]["after"].nano == after && preview["data"][0]["touched_customers"].integer == 1)
      #expect(try await gateway.admin("GET", "/prices")["data"].elements.count == 1)
      let euro = try await gateway.admin("POST", "/prices/preview", #"{"model":"demo","currency":"EUR",\#(components)}"#)
      #expect(
        euro["data"].elements.isEmpty && euro["other_currencies"].elements.count == 1, "money of two currencies is not compared")

      try await gateway.admin("PUT", "/customers/\(customer.id)/billing", "{\(BillingTests.party)}")
      let price = try #require(try await gateway.admin("GET", "/prices")["data"][0]["id"].string)
      try await gateway.admin("POST", "/prices/\(price)/rerate", #"{"period":"\#(used)","apply":true,\#(components)}"#)
      let run = try await gateway.admin("POST", "/invoices/runs", #"{"period":"\#(used)"}"#)
      let invoice = try await gateway.admin("GET", "/invoices/\(try #require(run["data"][0]["id"].string))")
      #expect(invoice["totals"]["exact"].nano == after, "what was charged, and its correction")
    }
  }
}
