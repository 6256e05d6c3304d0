import GovernanceTypes
import Simulation
import Testing
import UsageLedger

private let usd = Currency("USD") ?? { preconditionFailure("USD is a currency") }()
private let eur = Currency("EUR") ?? { preconditionFailure("EUR is a currency") }()
private let customer = CustomerID(1)
private let key = KeyID(2)
private let project = ProjectID(3)
private let chain: [LedgerSubject] = [.key(key), .project(project), .customer(customer)]
private let start = Timestamp("2026-11-23T09:00:00Z") ?? Timestamp(seconds: 0)

private func nano(_ value: Int) -> NanoAmount { NanoAmount(Int128(value)) }

extension Ledger {
  fileprivate mutating func hold(
    _ usage: Int, _ amount: Int, tokens: Int = 1, at now: Timestamp = start, currency: Currency = usd
  )
    -> Result<Hold, LedgerRefusal>
  {
    self.hold(
      usage: UsageID(UInt128(usage)), customer: customer, chain: chain, currency: currency, amount: nano(amount),
      tokens: TokenCount(tokens), at: now)
  }
}

@Suite("The ledger")
struct LedgerTests {
  @Test(
    "A spend limit holds on every level, both sides of the boundary",
    arguments: [LedgerSubject.key(key), .project(project), .customer(customer)], [99, 100, 101])
  func spendLimit(subject: LedgerSubject, amount: Int) {
    var ledger = Ledger()
    let limit = Limit(id: LimitID(1), subject: subject, measure: .spend(nano(100), usd, .month))
    ledger.set(limit)
    let outcome = ledger.hold(1, amount)
    if amount <= 100 {
      #expect(outcome.map(\.amount) == .success(nano(amount)))
    } else {
      #expect(outcome == .failure(.spend(limit, available: nano(100), isHeld: false)))
      #expect(ledger.holds.isEmpty)
    }
  }

  @Test("What is refused on one level changes nothing on the others")
  func allOrNothing() {
    var ledger = Ledger()
    ledger.set(Limit(id: LimitID(1), subject: .key(key), measure: .spend(nano(100), usd, .month)))
    ledger.set(Limit(id: LimitID(2), subject: .customer(customer), measure: .spend(nano(50), usd, .month)))
    #expect(throws: LedgerRefusal.self) { try ledger.hold(1, 60).get() }
    #expect(ledger.balance(.key(key), usd, window: .month, at: start) == Balance())
    #expect((try? ledger.hold(2, 50).get()) != nil)
  }

  @Test("Settling frees what was not used; a second settlement finds nothing")
  func settle() throws {
    var ledger = Ledger()
    ledger.set(Limit(id: LimitID(1), subject: .key(key), measure: .spend(nano(100), usd, .month)))
    _ = try ledger.hold(1, 100).get()
    #expect(throws: LedgerRefusal.self) { try ledger.hold(2, 1).get() }
    _ = try ledger.settle(UsageID(1), amount: nano(30), tokens: TokenCount(3), at: start).get()
    #expect((try? ledger.hold(3, 70).get()) != nil)
    #expect(ledger.settle(UsageID(1), amount: nano(30), tokens: TokenCount(3), at: start) == .failure(.unknownUsage))
  }

  @Test("A settlement above its hold is refused and the hold stays")
  func settleAbove() throws {
    var ledger = Ledger()
    _ = try ledger.hold(1, 10).get()
    #expect(ledger.settle(UsageID(1), amount: nano(11), tokens: .zero, at: start) == .failure(.exceedsHold(nano(10))))
    #expect(ledger.holds.count == 1)
  }

  @Test("One usage is held once")
  func duplicate() throws {
    var ledger = Ledger()
    _ = try ledger.hold(1, 10).get()
    #expect(ledger.hold(1, 10) == .failure(.duplicateUsage))
  }

  @Test("A new month begins at nothing; what was held before its beginning counts where it was held")
  func window() throws {
    var ledger = Ledger()
    ledger.set(Limit(id: LimitID(1), subject: .key(key), measure: .spend(nano(100), usd, .month)))
    let lastSecond = try #require(Timestamp("2026-11-30T23:59:59Z"))
    let firstSecond = try #require(Timestamp("2026-12-01T00:00:00Z"))
    _ = try ledger.hold(1, 100, at: lastSecond).get()
    _ = try ledger.hold(2, 100, at: firstSecond).get()
    _ = try ledger.settle(UsageID(1), amount: nano(100), tokens: .zero, at: firstSecond).get()
    #expect(ledger.balance(.key(key), usd, window: .month, at: lastSecond).settled == nano(100))
    #expect(ledger.balance(.key(key), usd, window: .month, at: firstSecond).settled == .zero)
    #expect(ledger.balance(.key(key), usd, window: .total, at: firstSecond).settled == nano(100))
  }

  @Test("A limit in one currency lets no other currency through unlimited")
  func currency() {
    var ledger = Ledger()
    let limit = Limit(id: LimitID(1), subject: .key(key), measure: .spend(nano(100), usd, .month))
    ledger.set(limit)
    #expect(ledger.hold(1, 1, currency: eur) == .failure(.currency(limit, charged: eur)))
    ledger.set(Limit(id: LimitID(2), subject: .key(key), measure: .spend(nano(5), eur, .month)))
    #expect((try? ledger.hold(1, 5, currency: eur).get()) != nil)
  }

  @Test("A minute's rate slides: the next request fits when the first one leaves the window")
  func rate() throws {
    var ledger = Ledger()
    let limit = Limit(id: LimitID(1), subject: .key(key), measure: .requestsPerMinute(2))
    ledger.set(limit)
    _ = try ledger.hold(1, 1, at: start).get()
    _ = try ledger.hold(2, 1, at: start.advanced(by: .seconds(30))).get()
    let third = start.advanced(by: .seconds(59))
    #expect(ledger.hold(3, 1, at: third) == .failure(.rate(limit, retryAfter: .seconds(1))))
    #expect((try? ledger.hold(3, 1, at: start.advanced(by: .seconds(60))).get()) != nil)
  }

  @Test("Tokens that were held and not used leave the token rate at settlement")
  func tokenRate() throws {
    var ledger = Ledger()
    ledger.set(Limit(id: LimitID(1), subject: .key(key), measure: .tokensPerMinute(100)))
    _ = try ledger.hold(1, 1, tokens: 100).get()
    #expect(throws: LedgerRefusal.self) { try ledger.hold(2, 1, tokens: 1).get() }
    _ = try ledger.settle(UsageID(1), amount: nano(1), tokens: TokenCount(40), at: start).get()
    #expect((try? ledger.hold(3, 1, tokens: 60).get()) != nil)
    #expect(throws: LedgerRefusal.self) { try ledger.hold(4, 1, tokens: 1).get() }
  }

  @Test("What is left of a rate is that of the tightest level, and it resets when the newest request leaves the window")
  func rateState() throws {
    var ledger = Ledger()
    #expect(ledger.rateState(chain: chain, at: start) == RateState())
    ledger.set(Limit(id: LimitID(1), subject: .key(key), measure: .requestsPerMinute(5)))
    ledger.set(Limit(id: LimitID(2), subject: .customer(customer), measure: .requestsPerMinute(3)))
    _ = try ledger.hold(1, 1, at: start).get()
    _ = try ledger.hold(2, 1, at: start.advanced(by: .seconds(10))).get()
    let state = ledger.rateState(chain: chain, at: start.advanced(by: .seconds(15)))
    #expect(state.requests == RateState.Measure(limit: 3, remaining: 1, reset: .seconds(55)))
    #expect(state.tokens == nil)
  }

  @Test("Concurrent requests are counted while they are open")
  func concurrency() throws {
    var ledger = Ledger()
    let limit = Limit(id: LimitID(1), subject: .customer(customer), measure: .concurrentRequests(1))
    ledger.set(limit)
    _ = try ledger.hold(1, 1).get()
    #expect(ledger.hold(2, 1) == .failure(.concurrency(limit)))
    _ = try ledger.void(UsageID(1), at: start).get()
    #expect((try? ledger.hold(2, 1).get()) != nil)
  }

  @Test("Where several limits refuse, the documented order decides")
  func precedence() throws {
    var ledger = Ledger()
    ledger.set(Limit(id: LimitID(1), subject: .customer(customer), measure: .requestsPerMinute(0)))
    let spend = Limit(id: LimitID(2), subject: .key(key), measure: .spend(.zero, usd, .total))
    ledger.set(spend)
    #expect(ledger.hold(1, 1) == .failure(.spend(spend, available: .zero, isHeld: false)))
    let rate = Limit(id: LimitID(3), subject: .key(key), measure: .requestsPerMinute(0))
    ledger.set(rate)
    #expect(ledger.hold(1, 1) == .failure(.rate(rate, retryAfter: nil)))
  }

  @Test("Whatever is done in whatever order, no limit and no credit is ever exceeded, and the sums add up", arguments: 1...20)
  func neverOver(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var ledger = Ledger()
    let most = nano(Int.random(in: 0...500, using: &generator))
    ledger.set(Limit(id: LimitID(1), subject: .key(key), measure: .spend(most, usd, .month)))
    ledger.set(Limit(id: LimitID(2), subject: .customer(customer), measure: .tokens(TokenCount(300), .day)))
    if Bool.random(using: &generator) { ledger.grant(CreditGrant(id: CreditID(1), amount: nano(400)), usd, to: customer) }
    var settled = NanoAmount.zero
    for step in 1...2000 {
      let open = ledger.holds.keys.sorted()
      switch Int.random(in: 0..<4, using: &generator) {
      case 0: _ = ledger.hold(step, Int.random(in: 0...80, using: &generator), tokens: Int.random(in: 0...40, using: &generator))
      case 1:
        guard let usage = open.randomElement(using: &generator) else { continue }
        _ = ledger.extend(usage, by: nano(Int.random(in: 0...30, using: &generator)), tokens: TokenCount(1), at: start)
      case 2:
        guard let usage = open.randomElement(using: &generator), let hold = ledger.holds[usage] else { continue }
        let amount = nano(Int.random(in: 0...Int(hold.amount.nano), using: &generator))
        if case .success = ledger.settle(usage, amount: amount, tokens: .zero, at: start) { settled += amount }
      default:
        guard let usage = open.randomElement(using: &generator) else { continue }
        _ = ledger.void(usage, at: start)
      }
      let balance = ledger.balance(.key(key), usd, window: .month, at: start)
      #expect(balance.settled + balance.held <= most, "seed \(seed), step \(step)")
      #expect(balance.settled == settled, "seed \(seed), step \(step)")
      #expect(balance.held == ledger.holds.values.reduce(.zero) { $0 + $1.amount }, "seed \(seed), step \(step)")
      #expect(ledger.availableCredit(customer, usd) >= .zero, "seed \(seed), step \(step)")
    }
  }
}
