import Billing
import GovernanceTypes
import Testing

private func price(_ rates: [UsageCategory: Rate], id: UInt128 = 1) throws -> Price {
  try Price(
    id: PriceID(id), model: ModelID("demo"), currency: currency("EUR"), effectiveFrom: Timestamp(seconds: 0),
    rates: [.promptUncached: Rate(.perUnit(.zero)), .completion: Rate(.perUnit(.zero))].merging(rates) { $1 })
}

private func completions(_ count: Int, requests: Int = 1) -> PeriodQuantities {
  PeriodQuantities(tokens: TokenUsage(completion: TokenCount(count)), requests: requests)
}

private func nano(_ text: String) throws -> NanoAmount { try #require(NanoAmount(decimal: text)) }

@Suite("Rating a period")
struct RatingTests {
  @Test(
    "graduated: each unit costs what its own tier says",
    arguments: [(0, "0"), (1, "0.000002"), (1_000_000, "2"), (1_000_001, "2.500001"), (3_000_000, "4.5")])
  func graduated(quantity: Int, cost: String) throws {
    let price = try price([
      .completion: Rate(
        .graduated([
          Tariff.Tier(upTo: 1_000_000, perMillion: try nano("2")),
          Tariff.Tier(upTo: nil, perMillion: try nano("1"), flat: try nano("0.5")),
        ]))
    ])
    #expect(price.total(completions(quantity)) == (try nano(cost)))
  }

  @Test(
    "volume: all units cost what the tier says in which the quantity ends; requests are never charged less than nothing",
    arguments: [(1_000_000, "2", "2"), (1_000_001, "1.000001", "2"), (2_000_000, "2", "2"), (3_000_000, "3", "3")])
  func volume(quantity: Int, total: String, charged: String) throws {
    let price = try price([
      .completion: Rate(
        .volume([Tariff.Tier(upTo: 1_000_000, perMillion: try nano("2")), Tariff.Tier(upTo: nil, perMillion: try nano("1"))]))
    ])
    #expect(price.total(completions(quantity)) == (try nano(total)))
    #expect(price.charged(completions(quantity)) == (try nano(charged)))
  }

  @Test("packages: each one begun is paid for", arguments: [(0, "0"), (1, "3"), (1000, "3"), (1001, "6")])
  func packages(quantity: Int, cost: String) throws {
    let price = try price([.completion: Rate(.package(size: 1000, amount: try nano("3")))])
    #expect(price.total(completions(quantity)) == (try nano(cost)))
  }

  @Test(
    "a free allowance comes first, a maximum bounds the rest",
    arguments: [(500, "0"), (501, "0.000001"), (1_000_500, "1"), (9_000_000, "1.5")])
  func allowanceAndMaximum(quantity: Int, cost: String) throws {
    let price = try price([.completion: Rate(.perUnit(try nano("1")), free: 500, maximum: try nano("1.5"))])
    #expect(price.total(completions(quantity)) == (try nano(cost)))
  }

  @Test("cached tokens without a rate of their own are uncached ones, in the same tiers")
  func cachedTokens() throws {
    let price = try price([.promptUncached: Rate(.package(size: 10, amount: try nano("1")))])
    let mixed = PeriodQuantities(tokens: TokenUsage(promptUncached: TokenCount(6), promptCached: TokenCount(5)), requests: 1)
    #expect(price.total(mixed) == (try nano("2")))
  }

  @Test("charges telescope to F of the month, and no hold is too small, whatever settles in between")
  func telescopes() throws {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    for _ in 0..<400 {
      let price = try randomPrice(&random)
      var settled = PeriodQuantities.none
      var sum = NanoAmount.zero
      // Requests that are held together and settle in another order.
      for _ in 0..<12 {
        let held = (0..<Int.random(in: 1...5, using: &random)).map { _ in
          let ceiling = TokenCount(Int.random(in: 0...900, using: &random))
          let prompt = TokenCount(Int.random(in: 0...900, using: &random))
          return (prompt, ceiling, price.worstCase(prompt: prompt, completion: ceiling, after: settled))
        }
        for (prompt, ceiling, hold) in held.shuffled(using: &random) {
          let cached = TokenCount(Int.random(in: 0...prompt.value, using: &random))
          let usage = TokenUsage(
            promptUncached: prompt - cached, promptCached: cached,
            completion: TokenCount(Int.random(in: 0...ceiling.value, using: &random)))
          let charge = price.charge(usage, after: settled)
          #expect(charge >= .zero)
          #expect(charge <= hold, "seed \(seed)")
          settled = settled.adding(usage)
          sum += charge
        }
      }
      #expect(sum == price.charged(settled), "seed \(seed)")
      #expect(price.total(settled) <= sum, "seed \(seed)")
    }
  }

  @Test("what is affordable is the longest completion whose worst case fits")
  func affordable() throws {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    for _ in 0..<500 {
      let price = try randomPrice(&random)
      let settled = completions(Int.random(in: 0...3000, using: &random))
      let prompt = TokenCount(Int.random(in: 0...100, using: &random))
      let money = NanoAmount(Int128.random(in: 0...5_000_000, using: &random))
      let ceiling = TokenCount(500)
      guard let most = price.affordableCompletion(prompt: prompt, within: money, ceiling: ceiling, after: settled) else {
        #expect(price.worstCase(prompt: prompt, completion: .zero, after: settled) > money, "seed \(seed)")
        continue
      }
      #expect(price.worstCase(prompt: prompt, completion: most, after: settled) <= money, "seed \(seed)")
      guard most < ceiling else { continue }
      #expect(price.worstCase(prompt: prompt, completion: most + TokenCount(1), after: settled) > money, "seed \(seed)")
    }
  }

  @Test("a price that could not rate every quantity is refused, by category")
  func defects() throws {
    let cases: [(Tariff, Tariff.Defect)] = [
      (.perUnit(NanoAmount(-1)), .negative), (.perUnit(NanoAmount(Tariff.largest.nano + 1)), .excessive),
      (.package(size: 0, amount: .zero), .packageSize), (.graduated([]), .emptyTiers),
      (.volume([Tariff.Tier(upTo: 5, perMillion: .zero)]), .tierEnds),
      (.graduated([Tariff.Tier(upTo: nil, perMillion: .zero), Tariff.Tier(upTo: nil, perMillion: .zero)]), .tierEnds),
      (
        .graduated([
          Tariff.Tier(upTo: 5, perMillion: .zero), Tariff.Tier(upTo: 5, perMillion: .zero),
          Tariff.Tier(upTo: nil, perMillion: .zero),
        ]), .tierEnds
      ),
      (.volume((1...65).map { Tariff.Tier(upTo: $0 == 65 ? nil : $0, perMillion: .zero) }), .tooManyTiers),
    ]
    for (tariff, defect) in cases {
      #expect(throws: Price.Defect.tariff(.completion, defect)) { try price([.completion: Rate(tariff)]) }
    }
    #expect(throws: Price.Defect.allowance(.completion)) { try price([.completion: Rate(.perUnit(.zero), free: -1)]) }
    #expect(throws: Price.Defect.missing(.completion)) {
      try Price(
        id: PriceID(1), model: ModelID("demo"), currency: currency("EUR"), effectiveFrom: Timestamp(seconds: 0),
        rates: [.promptUncached: Rate(.perUnit(.zero))])
    }
  }

  @Test("a customer's own price goes before everyone's, from its own instant on")
  func negotiated() throws {
    var book = PriceBook()
    let customer = CustomerID(7)
    let (list, own) = (try listed(1, nil, from: "2026-01-01T00:00:00Z"), try listed(2, customer, from: "2026-06-01T00:00:00Z"))
    book.add(list)
    book.add(own)
    let (may, july) = (try instant("2026-05-01T00:00:00Z"), try instant("2026-07-01T00:00:00Z"))
    #expect(book.price(of: list.model, for: customer, at: may) == list)
    #expect(book.price(of: list.model, for: customer, at: july) == own)
    #expect(book.price(of: list.model, for: CustomerID(8), at: july) == list)
    #expect(book.price(of: list.model, at: try instant("2025-12-31T23:59:59Z")) == nil)
    #expect(book.overlap(of: try listed(3, nil, from: "2026-01-01T00:00:00Z")) == list.id)
    #expect(book.overlap(of: try listed(3, customer, from: "2026-01-01T00:00:00Z")) == nil)
    #expect(book.overlap(of: list) == nil)
  }

  private func listed(_ id: UInt128, _ customer: CustomerID?, from: String) throws -> Price {
    try Price(
      id: PriceID(id), model: ModelID("demo"), customer: customer, currency: currency("EUR"), effectiveFrom: instant(from),
      perMillion: [.promptUncached: .zero, .completion: .zero])
  }
}

/// A price with whatever tariffs there are, whose tiers lie where the quantities of these tests do.
func randomPrice(_ random: inout SplitMix64, id: UInt128 = 1) throws -> Price {
  var rates: [UsageCategory: Rate] = [:]
  for category in UsageCategory.allCases {
    let isNeeded = [.promptUncached, .completion].contains(category)
    guard isNeeded || Bool.random(using: &random) else { continue }
    let free = Bool.random(using: &random) ? 0 : Int.random(in: 0...2000, using: &random)
    let maximum = Bool.random(using: &random) ? nil : NanoAmount(Int128.random(in: 0...50_000_000, using: &random))
    rates[category] = Rate(randomTariff(&random), free: free, maximum: maximum)
  }
  return try price(rates, id: id)
}

private func randomTariff(_ random: inout SplitMix64) -> Tariff {
  func amount() -> NanoAmount { NanoAmount(Int128.random(in: 0...3_000_000_000, using: &random)) }
  func small() -> NanoAmount { NanoAmount(Int128.random(in: 0...500_000, using: &random)) }
  func tiers() -> [Tariff.Tier] {
    var ends = Set<Int>()
    for _ in 0..<Int.random(in: 0...5, using: &random) { ends.insert(Int.random(in: 1...9000, using: &random)) }
    return (ends.sorted().map(Optional.some) + [nil]).map {
      Tariff.Tier(upTo: $0, perMillion: amount(), flat: Bool.random(using: &random) ? .zero : small())
    }
  }
  switch Int.random(in: 0..<4, using: &random) {
  case 0: return .perUnit(amount())
  case 1: return .package(size: Int.random(in: 1...2000, using: &random), amount: small())
  case 2: return .graduated(tiers())
  default: return .volume(tiers())
  }
}
