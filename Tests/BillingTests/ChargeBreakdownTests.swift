import Billing
import GovernanceTypes
import Testing

private func price(_ rates: [UsageCategory: Rate]) throws -> Price {
  try Price(
    id: PriceID(1), model: ModelID("demo"), currency: currency("EUR"), effectiveFrom: Timestamp(seconds: 0),
    rates: [.promptUncached: Rate(.perUnit(.zero)), .completion: Rate(.perUnit(.zero))].merging(rates) { $1 })
}

private func nano(_ text: String) throws -> NanoAmount { try #require(NanoAmount(decimal: text)) }

/// Why a request costs what it costs.
@Suite("Charges in parts")
struct ChargeBreakdownTests {
  private func completion(_ rate: Rate, _ quantity: Int, after before: Int) throws -> ChargeBreakdown.Part {
    let breakdown = ChargeBreakdown(
      of: TokenUsage(completion: TokenCount(quantity)), at: try price([.completion: rate]),
      after: PeriodQuantities(tokens: TokenUsage(completion: TokenCount(before)), requests: 3))
    return try #require(breakdown.parts.first { $0.category == .completion })
  }

  @Test("each unit at one price")
  func perUnit() throws {
    let part = try self.completion(Rate(.perUnit(try nano("2"))), 500, after: 100)
    let amount = try nano("0.001")
    #expect(part.quantity == 500 && part.before == 100 && part.amount == amount)
    #expect(part.rule == "500 at 2.00 EUR per million")
  }

  @Test("graduated: what lies in which tier, and what entering it costs")
  func graduated() throws {
    let rate = Rate(
      .graduated([
        Tariff.Tier(upTo: 1000, perMillion: try nano("2")),
        Tariff.Tier(upTo: nil, perMillion: try nano("1"), flat: try nano("0.5")),
      ]))
    let part = try self.completion(rate, 500, after: 800)
    #expect(part.amount == (try nano("0.5007")))
    #expect(
      part.rule
        == "200 of the tier up to 1000 at 2.00 EUR per million; 300 of the last tier at 1.00 EUR per million; 0.50 EUR for entering it"
    )
    #expect(try self.completion(rate, 500, after: 1000).rule.contains("for entering it"))
    #expect(try self.completion(rate, 500, after: 1001).rule == "500 of the last tier at 1.00 EUR per million")
  }

  @Test("volume: the tier that the month is in decides for all of it")
  func volume() throws {
    let rate = Rate(
      .volume([Tariff.Tier(upTo: 1000, perMillion: try nano("2")), Tariff.Tier(upTo: nil, perMillion: try nano("1"))]))
    let part = try self.completion(rate, 2500, after: 500)
    #expect(part.amount == (try nano("0.002")))
    #expect(
      part.rule == "the month's 3000 all at 1.00 EUR per million, the tier without end, less what the 500 before were charged")
  }

  @Test(
    "packages: those that the request begins, or one that was begun before",
    arguments: [
      (5, 0, "1 package of 1000 at 3.00 EUR begun", "3"), (2000, 999, "2 packages of 1000 at 3.00 EUR begun", "6"),
      (5, 10, "within the package of 1000 that was begun before", "0"),
    ])
  func packages(quantity: Int, before: Int, rule: String, amount: String) throws {
    let part = try self.completion(Rate(.package(size: 1000, amount: try nano("3"))), quantity, after: before)
    #expect(part.rule == rule)
    #expect(part.amount == (try nano(amount)))
  }

  @Test("free units first, and the month's maximum")
  func allowanceAndMaximum() throws {
    let rate = Rate(.perUnit(try nano("1")), free: 500, maximum: try nano("0.001"))
    #expect(try self.completion(rate, 200, after: 100).rule == "200 of the month's first 500, which are free")
    #expect(
      try self.completion(rate, 200, after: 400).rule
        == "100 of the month's first 500, which are free; 100 at 1.00 EUR per million")
    let last = try self.completion(rate, 900, after: 1000)
    #expect(last.rule == "900 at 1.00 EUR per million; the month's maximum of 0.001 EUR is reached")
    #expect(last.amount == (try nano("0.0005")))
  }

  @Test("the parts of any request at any price, behind any month, add up to its charge")
  func sums() throws {
    let seed = UInt64.random(in: .min ... .max)
    var random = SplitMix64(seed: seed)
    for _ in 0..<2000 {
      let price = try randomPrice(&random)
      func tokens(_ most: Int) -> TokenUsage {
        func count() -> TokenCount { TokenCount(Bool.random(using: &random) ? 0 : Int.random(in: 0...most, using: &random)) }
        return TokenUsage(promptUncached: count(), promptCached: count(), completion: count())
      }
      let settled = PeriodQuantities(tokens: tokens(20_000), requests: Int.random(in: 0...50, using: &random))
      let usage = tokens(4000)
      let breakdown = ChargeBreakdown(of: usage, at: price, after: settled)
      try #require(breakdown.charge == price.charge(usage, after: settled), "seed \(seed): \(usage) after \(settled) at \(price)")
      try #require(breakdown.parts.allSatisfy { !$0.rule.isEmpty && $0.quantity > 0 }, "seed \(seed)")
    }
  }
}
