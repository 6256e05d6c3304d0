import Governance
import GovernanceTypes
import Testing

@testable import GovernanceStore

@Suite("What a start loads of a month") struct PeriodTests {
  @Test("the months of the log's end and of open holds, by customer and price; voided requests count nothing")
  func months() async throws {
    let directory = TemporaryDirectory()
    let store = try directory.open()
    let (october, november) = (instant("2026-10-31T23:59:59Z"), instant("2026-11-01T00:00:00Z"))
    let holds = [
      hold(1, heldAt: instant("2026-09-30T23:59:59Z")), hold(2, heldAt: october), hold(3, heldAt: october),
      hold(4, heldAt: november), hold(5, customer: 2, heldAt: noon), hold(6, heldAt: noon), hold(7, heldAt: noon),
    ]
    try await store.submit(holds.map(held)).durable()
    let tokens = TokenUsage(promptUncached: TokenCount(8), promptCached: TokenCount(2), completion: TokenCount(20))
    // The second hold of October stays open; a request belongs to the month in which it was held, whenever it ends.
    let ends = [holds[0], holds[1], holds[3], holds[4], holds[5]].map { settlement(of: $0, tokens: tokens, settledAt: noon) }
    try await store.submit((ends + [void(holds[6])]).map(settled)).durable()
    func total(_ customer: UInt128, _ held: Timestamp, _ tokens: TokenUsage, _ requests: Int) -> PeriodTotal {
      PeriodTotal(customer: CustomerID(customer), price: PriceID(5), month: held.month, tokens: tokens, requests: requests)
    }
    let periods = try store.load().periods
    #expect(periods == [total(1, october, tokens, 1), total(1, november, tokens + tokens, 2), total(2, noon, tokens, 1)])
    #expect(try store.load().openHolds.count == 1)
    await store.close()
  }

  @Test("a sum beyond the largest count stays there") func largest() async throws {
    let directory = TemporaryDirectory()
    let store = try directory.open()
    let holds = (1...3).map { hold(UInt128($0)) }
    try await store.submit(holds.map(held)).durable()
    try await store.submit(holds.map { settled(settlement(of: $0, tokens: TokenUsage(completion: .largest))) }).durable()
    #expect(try store.load().periods.map(\.tokens.completion) == [.largest])
    await store.close()
  }

  @Test("what was settled before a request: its own customer's, of its month, in the order in which requests ended")
  func before() async throws {
    let directory = TemporaryDirectory()
    let store = try directory.open()
    let (october, november) = (instant("2026-10-31T23:59:59Z"), instant("2026-11-01T00:00:00Z"))
    let holds = [
      hold(1, heldAt: noon), hold(2, heldAt: october), hold(3, heldAt: november), hold(4, customer: 2, heldAt: noon),
      hold(5, heldAt: noon), hold(6, heldAt: noon), hold(7, heldAt: november),
    ]
    try await store.submit(holds.map(held)).durable()
    // The last one held ends first.
    let order = [6, 0, 1, 2, 3, 4, 5]
    var ends: [UsageRecord] = []
    for (place, index) in order.enumerated() {
      let tokens = TokenUsage(promptUncached: TokenCount(8), promptCached: TokenCount(2), completion: TokenCount(10 + place))
      ends.append(index == 4 ? void(holds[4]) : settlement(of: holds[index], tokens: tokens, settledAt: noon))
      try await store.submit([settled(ends[place])]).durable()
    }
    for (place, end) in ends.enumerated() where end.outcome == .settled {
      let earlier = ends[..<place].filter {
        $0.outcome == .settled && $0.customer == end.customer && $0.heldAt.month == end.heldAt.month
      }
      let found = try await store.settled(before: end)
      #expect(found?.requests ?? 0 == earlier.count, "the one at \(place)")
      #expect(found?.tokens ?? TokenUsage() == earlier.reduce(TokenUsage()) { $0 + $1.tokens }, "the one at \(place)")
    }
    #expect(try await store.settled(before: ends[0]) == nil)
    await store.close()
  }
}
