import Billing
import Documents
import Governance
import GovernanceTypes
import Simulation
import Synchronization
import Testing
import UsageLedger

@Suite("Charging by the month")
struct PeriodRatingTests {
  static let words = (0..<64).map { "w\($0) " }

  private func amounts(_ fixture: GateFixture) -> [Int] { fixture.journal.usageRecords.map { Int($0.amount.nano) } }

  @Test("requests across a tier are charged what they add to the month; a new month begins at the first tier")
  func acrossATier() async throws {
    // 10 prompt tokens for nothing; the first 40 completion tokens of a month at 5 nano-units, all others at 2.
    let fixture = try await self.fixture(
      #"{"category":"completion","tier_mode":"graduated","tiers":[{"up_to":40,"per_million":"0.005"},{"per_million":"0.002"}]}"#)
    for most in [30, 30, 30] { _ = try await fixture.serve(fixture.call(most: most)) }
    #expect(self.amounts(fixture) == [150, 50 + 40, 60])
    fixture.clock.advance(by: .seconds(8 * 86_400))
    _ = try await fixture.serve(fixture.call(most: 30))
    #expect(self.amounts(fixture).last == 150)
  }

  @Test("a request belongs to the month in which it was held, whenever it ends")
  func acrossMidnight() async throws {
    let fixture = try await self.fixture(
      #"{"category":"completion","tier_mode":"graduated","tiers":[{"up_to":40,"per_million":"0.005"},{"per_million":"0.002"}]}"#)
    _ = try await fixture.serve(fixture.call(most: 40))
    guard case .live(let old) = try await fixture.gate.admit(fixture.call(most: 10)) else { return }
    fixture.clock.advance(by: .seconds(8 * 86_400))
    _ = try await fixture.serve(fixture.call(most: 10))
    _ = await GateFixture.run(old)
    #expect(self.amounts(fixture) == [200, 50, 20])
  }

  @Test("free units, packages and maxima are charged, and the sums outlive a restart")
  func restart() async throws {
    let fixture = try await self.fixture(
      #"{"category":"completion","package":{"size":16,"amount":"0.000000100"},"free":20,"maximum":"0.000000300"}"#)
    _ = try await fixture.serve(fixture.call(most: 30))
    let gate = try await self.restarted(fixture)
    for most in [5, 30, 30, 30] {
      guard case .live(let live) = try await gate.admit(fixture.call(most: most)) else { return }
      _ = await GateFixture.run(live)
    }
    // 10, 15, 45, 75 and 105 paid units are 1, 1, 3, 5 and 7 packages, of which three are the maximum.
    #expect(self.amounts(fixture) == [100, 0, 200, 0, 0])
  }

  @Test("what recovery settles is charged after what its month has")
  func recovery() async throws {
    let fixture = try await self.fixture(
      #"{"category":"completion","tier_mode":"graduated","tiers":[{"up_to":40,"per_million":"0.005"},{"per_million":"0.002"}]}"#)
    _ = try await fixture.serve(fixture.call(most: 30))
    guard case .live(let live) = try await fixture.gate.admit(fixture.call(most: 60)) else { return }
    let journal = fixture.journal
    let count = Mutex(0)
    await live.run(handover: .asItComes) { @concurrent event in
      guard case .piece = event else { return }
      let taken = count.withLock { taken in
        taken += 1
        return taken
      }
      if taken > 40 { journal.fail(with: JournalError(.closed, "crash")) }
      if taken > 40 { throw GateFixture.ClientGone() }
    }
    journal.fail(with: nil)
    _ = try await self.restarted(fixture)
    let record = try #require(fixture.journal.usageRecords.last)
    let delivered = record.tokens.completion.value
    #expect(record.policy == .lastDurableMark && delivered > 10)
    #expect(record.amount.nano == Int128(10 * 5 + (delivered - 10) * 2))
    // What may have been delivered beyond the mark lies in the cheap tier.
    #expect(record.loss.nano == Int128(record.undelivered.value * 2))
  }

  @Test("two prices of one model from the same instant on are refused, whoever else has one")
  func overlap() async throws {
    let fixture = try await GateFixture(script: .init(tokens: Self.words))
    let again = await refusal {
      _ = try await fixture.gate.createPrice(GateFixture.document(GateFixture.price), by: GateFixture.actor)
    }
    #expect(again?.parameter == "effective_from")
    let racing =
      #"{"model":"m","currency":"USD","effective_from":"2027-01-01","components":[{"category":"prompt_uncached","per_million":"0"},{"category":"completion","per_million":"0"}]}"#
    let made = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<16 {
        group.addTask { (try? await fixture.gate.createPrice(GateFixture.document(racing), by: GateFixture.actor)) != nil }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(made == 1)
  }

  @Test(
    "random price books, concurrent requests, restarts and months: never over a limit, and charges are F of each month",
    arguments: 0..<10)
  func property(round: Int) async throws {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let fixture = try await GateFixture(
      script: .init(promptTokens: Int.random(in: 1...40, using: &random), tokens: Self.words, pause: .microseconds(20)),
      prices: false)
    for from in ["2026-01-01", "2026-11-29", "2026-12-20"] {
      let own = from == "2026-12-20" ? #""customer":"\#(fixture.customer)","# : ""
      let body = #"{\#(own)"model":"m","currency":"USD","effective_from":"\#(from)","components":[\#(Self.components(&random))]}"#
      _ = try await fixture.gate.createPrice(GateFixture.document(body), by: GateFixture.actor)
    }
    let limit = NanoAmount(Int128.random(in: 50_000...3_000_000, using: &random))
    _ = try await fixture.gate.createLimit(
      GateFixture.document(
        #"{"subject":"\#(fixture.customer)","kind":"spend","amount":"\#(limit)","currency":"USD","window":"total"}"#),
      by: GateFixture.actor)
    var gate = fixture.gate
    for _ in 0..<7 {
      await self.burst(on: gate, fixture, within: limit, seed: seed, random: &random)
      fixture.clock.advance(by: .seconds(Int.random(in: 1...9, using: &random) * 86_400))
      if Bool.random(using: &random) { gate = try await self.restarted(fixture) }
    }
    let records = fixture.journal.usageRecords.filter { $0.outcome == .settled }
    #expect(records.allSatisfy { $0.loss == .zero }, "seed \(seed): a charge was held down")
    #expect(records.reduce(.zero) { $0 + $1.amount } <= limit, "seed \(seed)")
    // Whoever asks later is told the charge that was settled, computed anew.
    for record in records {
      let answer = try await gate.charge(of: record.usage, for: record.customer)
      try #require(answer["computed"]?.text == answer["amount"]?.text, "seed \(seed): \(answer)")
    }
    for (_, month) in Dictionary(grouping: records, by: { "\($0.price) \($0.heldAt.month)" }) {
      let price = try #require(gate.price(month[0].price))
      let used = month.reduce(PeriodQuantities.none) { $0.adding($1.tokens) }
      #expect(month.reduce(.zero) { $0 + $1.amount } == price.charged(used), "seed \(seed)")
    }
  }

  /// Requests at once, some of which are left by their clients; all the while nothing is over the limit.
  private func burst(
    on gate: Governance.Gate, _ fixture: GateFixture, within limit: NanoAmount, seed: UInt64, random: inout SeededGenerator
  ) async {
    let plans = (0..<10).map { _ in
      (
        most: Int.random(in: 0...60, using: &random),
        leaves: Bool.random(using: &random) ? 99 : Int.random(in: 0...50, using: &random)
      )
    }
    let subject = LedgerSubject.customer(fixture.customer)
    let highest = await withTaskGroup(of: NanoAmount.self) { group in
      for plan in plans {
        group.addTask {
          guard case .live(let live)? = try? await gate.admit(fixture.call(most: plan.most == 0 ? nil : plan.most)) else {
            return gate.committedSpend(of: subject)
          }
          let before = gate.committedSpend(of: subject)
          _ = await GateFixture.run(live, stopAfter: plan.leaves)
          return max(before, gate.committedSpend(of: subject))
        }
      }
      return await group.reduce(.zero) { max($0, $1) }
    }
    #expect(highest <= limit, "seed \(seed)")
  }

  func fixture(_ completion: String) async throws -> GateFixture {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words), prices: false)
    let body =
      #"{"model":"m","currency":"USD","effective_from":"2026-01-01","components":[{"category":"prompt_uncached","per_million":"0"},\#(completion)]}"#
    _ = try await fixture.gate.createPrice(GateFixture.document(body), by: GateFixture.actor)
    return fixture
  }

  private func restarted(_ fixture: GateFixture) async throws -> Governance.Gate {
    let gate = try GateFixture.makeGate(journal: fixture.journal, clock: fixture.clock, terms: GateFixture.permissiveTerms)
    try gate.register(GateFixture.model(fixture.engine))
    _ = try await gate.recover(fixture.journal.stored(lastAt: fixture.clock.now), version: "test")
    return gate
  }

  private static func components(_ random: inout SeededGenerator) -> String {
    ["prompt_uncached", "prompt_cached", "completion", "request"].map { category in
      "{\"category\":\"\(category)\",\(Self.tariff(&random))\(Self.bounds(&random))}"
    }.joined(separator: ",")
  }

  private static func bounds(_ random: inout SeededGenerator) -> String {
    let free = Int.random(in: 0...2, using: &random) == 0 ? #","free":\#(Int.random(in: 1...300, using: &random))"# : ""
    guard Int.random(in: 0...3, using: &random) == 0 else { return free }
    return free + #","maximum":"\#(NanoAmount(Int128.random(in: 0...90_000, using: &random)))""#
  }

  private static func tariff(_ random: inout SeededGenerator) -> String {
    func amount(_ most: Int128) -> String { "\"\(NanoAmount(Int128.random(in: 0...most, using: &random)))\"" }
    switch Int.random(in: 0...2, using: &random) {
    case 0: return "\"per_million\":\(amount(900_000_000))"
    case 1: return "\"package\":{\"size\":\(Int.random(in: 1...90, using: &random)),\"amount\":\(amount(9000))}"
    default:
      let ends = Set((0..<3).map { _ in Int.random(in: 1...700, using: &random) }).sorted()
      let tiers = ends.map { "{\"up_to\":\($0),\"per_million\":\(amount(900_000_000)),\"flat\":\(amount(5000))}" }
      let last = "{\"per_million\":\(amount(900_000_000))}"
      let mode = Bool.random(using: &random) ? "graduated" : "volume"
      return "\"tier_mode\":\"\(mode)\",\"tiers\":[\((tiers + [last]).joined(separator: ","))]"
    }
  }
}
