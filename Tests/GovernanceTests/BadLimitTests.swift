import Documents
import Governance
import GovernanceTypes
import Simulation
import Testing
import UsageLedger

/// What an operator or a clock can get wrong about limits: refused by name, or exact.
@Suite("Limits, clocks and currencies at their ends")
struct BadLimitTests {
  private static let kinds = [
    #""kind":"spend","currency":"USD","window":"month""#, #""kind":"tokens","window":"day""#, #""kind":"requests_per_minute""#,
    #""kind":"tokens_per_minute""#, #""kind":"concurrent_requests""#, #""kind":"active_users""#,
  ]

  private func fixture(
    _ price: String? = nil, configure: (inout GateEnvironment) -> Void = { _ in }
  ) async throws -> GateFixture {
    let fixture = try await GateFixture(
      script: .init(promptTokens: 10, tokens: MoneyTests.words), prices: price == nil, configure: configure)
    if let price { _ = try await fixture.gate.createPrice(GateFixture.document(price), by: GateFixture.actor) }
    return fixture
  }

  private func limit(_ fixture: GateFixture, _ body: String) async throws {
    _ = try await fixture.gate.createLimit(
      GateFixture.document(#"{"subject":"\#(fixture.customer)",\#(body)}"#), by: GateFixture.actor)
  }

  @Test(
    "A limit of zero, of less, of an absurd amount or of no number is refused by its field, and sets nothing", arguments: kinds)
  func amounts(kind: String) async throws {
    let fixture = try await self.fixture()
    let faults = [
      #""0""#, #""-1""#, #""-0""#, #""1e9""#, #""0x10""#, #""""#, #"" 5""#, #""NaN""#, #""Infinity""#, "null", "true", "[]", "-1",
      #""10000000000000000""#, #""\#(String(repeating: "9", count: 400))""#, #""0.0000000001""#,
    ]
    for fault in faults {
      let refused = await refusal { try await self.limit(fixture, #"\#(kind),"amount":\#(fault)"#) }
      #expect(refused?.code == .invalidRequest && refused?.message.contains("amount") == true, "\(fault): \(refused as Any)")
    }
    #expect(fixture.gate.limits(of: nil).isEmpty)
    #expect(!fixture.journal.entries.contains { $0.type == .limit })
    // The largest that is taken is a limit as any other.
    try await self.limit(fixture, #"\#(kind),"amount":"1000000000000000""#)
    #expect(try await fixture.serve(fixture.call(most: 8)).finish?.reason == .length)
  }

  @Test(
    "A currency of no or of three decimals is counted to the nano-unit, and cut at the exact token", arguments: ["JPY", "KWD"])
  func currencies(code: String) async throws {
    let fixture = try await self.fixture(
      #"""
      {"model":"m","currency":"\#(code)","effective_from":"2026-01-01",
       "components":[{"category":"prompt_uncached","per_million":"0.001"},{"category":"completion","per_million":"0.002"}]}
      """#)
    try await self.limit(
      fixture, #""kind":"spend","amount":"0.000000041","currency":"\#(code)","window":"total""#)
    let served = try await fixture.serve(fixture.call())
    // 41 nano-units pay for 10 tokens of the prompt and for 15 of the answer.
    #expect(served.record?.tokens.completion == TokenCount(15) && served.record?.amount == NanoAmount(40))
    #expect(served.record?.currency.description == code)
    #expect(served.finish == Finish(.length, detail: .spendLimitReached))
  }

  @Test(
    "A day on which clocks are set forward has 23 hours, one on which they are set back 25, and each is one window",
    arguments: [
      ("2027-03-27T23:00:00Z", "2027-03-28T21:59:59Z", "2027-03-28T22:00:00Z"),
      ("2027-10-30T22:00:00Z", "2027-10-31T22:59:59Z", "2027-10-31T23:00:00Z"),
    ])
  func daylightSaving(first: String, last: String, next: String) async throws {
    let changes = [("2027-03-28T01:00:00Z", 7200), ("2027-10-31T01:00:00Z", 3600)] as [(String, Int64)]
    let berlin = try ZoneRules(
      name: "Europe/Berlin", first: 3600,
      changes: changes.map { ZoneRules.Change(at: try #require(Timestamp($0.0)), offset: $0.1) })
    let fixture = try await self.fixture { $0.zone = { $0 == "Europe/Berlin" ? berlin : nil } }
    let amount = NanoAmount(Int128(MoneyTests.cost(8)))
    try await self.limit(
      fixture, #""kind":"spend","amount":"\#(amount)","currency":"USD","window":"day","time_zone":"Europe/Berlin""#)
    #expect(
      await refusal {
        try await self.limit(fixture, #""kind":"tokens","amount":"1","window":"day","time_zone":"Europe/Atlantis""#)
      }?.code == .invalidRequest)
    fixture.clock.set(try #require(Timestamp(first)))
    #expect(try await fixture.serve(fixture.call(most: 8)).record?.amount == amount)
    for instant in [first, last] {
      fixture.clock.set(try #require(Timestamp(instant)))
      #expect(await refusal { _ = try await fixture.gate.admit(fixture.call(most: 8)) }?.code == .spendLimitReached, "\(instant)")
    }
    fixture.clock.set(try #require(Timestamp(next)))
    #expect(try await fixture.serve(fixture.call(most: 8)).record?.amount == amount)
  }

  @Test("A clock set back by a year opens no window again, before a restart or after, and no entry is before another")
  func yearBack() async throws {
    let fixture = try await self.fixture()
    try await self.limit(
      fixture, #""kind":"spend","amount":"\#(NanoAmount(Int128(MoneyTests.cost(8))))","currency":"USD","window":"hour""#)
    try await self.limit(fixture, #""kind":"requests_per_minute","amount":5"#)
    _ = try await fixture.serve(fixture.call(most: 8))
    fixture.clock.advance(by: .seconds(-365 * 86_400))
    #expect(await refusal { _ = try await fixture.gate.admit(fixture.call(most: 8)) }?.code == .spendLimitReached)
    let lastAt = try #require(fixture.journal.entries.map(\.at).max())
    #expect(lastAt >= GateFixture.start)
    let gate = try GateFixture.makeGate(journal: fixture.journal, clock: fixture.clock, terms: GateFixture.permissiveTerms)
    try gate.register(GateFixture.model(fixture.engine))
    _ = try await gate.recover(fixture.journal.stored(lastAt: lastAt), version: "test")
    #expect(await refusal { _ = try await gate.admit(fixture.call(most: 8)) }?.code == .spendLimitReached)
    let times = fixture.journal.entries.map(\.at)
    #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
  }
}
