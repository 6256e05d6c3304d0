import GovernanceTypes
import Simulation
import Testing
import UsageLedger

private let customer = CustomerID(1)
private let chain: [LedgerSubject] = [.key(KeyID(2)), .customer(customer)]
private let start = Timestamp("2026-11-23T09:00:00Z") ?? Timestamp(seconds: 0)

private func nano(_ value: Int) -> NanoAmount { NanoAmount(Int128(value)) }

private func currency(_ code: String) -> Currency { Currency(code) ?? { preconditionFailure("\(code) is a currency") }() }

extension Ledger {
  fileprivate mutating func hold(
    _ usage: Int, _ amount: Int, _ unit: Currency, at now: Timestamp = start
  ) -> Result<Hold, LedgerRefusal> {
    self.hold(
      usage: UsageID(UInt128(usage)), customer: customer, chain: chain, currency: unit, amount: nano(amount),
      tokens: TokenCount(1),
      at: now)
  }

  fileprivate mutating func grant(_ id: Int, _ amount: Int, _ unit: Currency, priority: Int = 0, expires: Timestamp? = nil) {
    self.grant(
      CreditGrant(id: CreditID(UInt128(id)), amount: nano(amount), priority: priority, expires: expires), unit, to: customer)
  }
}

@Suite("Double entry")
struct BooksTests {
  @Test(
    "Each step moves money from account to account; currencies of no and of three decimals are as exact as any",
    arguments: ["USD", "JPY", "KWD"])
  func steps(code: String) throws {
    let unit = currency(code)
    var ledger = Ledger()
    ledger.grant(1, 1000, unit)
    _ = try ledger.hold(1, 300, unit).get()
    #expect(ledger.accounts(of: customer)[unit] == [.funding: nano(1000), .prepaid: nano(-700), .pending: nano(-300)])
    _ = try ledger.extend(UsageID(1), by: nano(100), tokens: TokenCount(1), at: start).get()
    #expect(ledger.balance(of: .pending, customer, unit) == nano(-400))
    _ = try ledger.settle(UsageID(1), amount: nano(250), tokens: TokenCount(2), at: start).get()
    _ = try ledger.hold(2, 50, unit).get()
    _ = try ledger.void(UsageID(2), at: start).get()
    ledger.lose(nano(7), unit, of: customer)
    let accounts = try #require(ledger.accounts(of: customer)[unit])
    #expect(
      accounts.filter { $0.value != .zero } == [
        .funding: nano(1000), .prepaid: nano(-750), .revenue: nano(-250), .operatorLoss: nano(7), .waived: nano(-7),
      ])
  }

  @Test("A customer without credit owes what it settled")
  func receivable() throws {
    var ledger = Ledger()
    _ = try ledger.hold(1, 300, currency("USD")).get()
    _ = try ledger.settle(UsageID(1), amount: nano(120), tokens: TokenCount(1), at: start).get()
    #expect(ledger.balance(of: .receivable, customer, currency("USD")) == nano(120))
    #expect(ledger.balance(of: .pending, customer, currency("USD")) == .zero)
  }

  @Test("A correction moves a charge down to nothing, and up only within the limits")
  func adjust() throws {
    let unit = currency("USD")
    var ledger = Ledger()
    ledger.set(Limit(id: LimitID(1), subject: .customer(customer), measure: .spend(nano(100), unit, .month)))
    let hold = try ledger.hold(1, 60, unit).get()
    _ = try ledger.settle(UsageID(1), amount: nano(60), tokens: TokenCount(1), at: start).get()
    #expect(ledger.adjust(hold, by: nano(41), at: start) == .failure(.exceedsHeadroom))
    #expect(try ledger.adjust(hold, by: nano(40), at: start).get().slices == [])
    #expect(ledger.adjust(hold, by: nano(-61), at: start) == .failure(.exceedsHold(nano(60))))
    #expect(try ledger.adjust(hold, by: nano(-60), at: start).get().slices == [])
    #expect(ledger.balance(of: .revenue, customer, unit) == nano(-40))
    #expect((try? ledger.hold(2, 60, unit).get()) != nil)
  }

  @Test("More is not charged in a limited hour so long ago that what it came to is no longer kept; less always is")
  func adjustLongAgo() throws {
    let unit = currency("USD")
    var ledger = Ledger()
    ledger.set(Limit(id: LimitID(1), subject: .customer(customer), measure: .spend(nano(100), unit, .hour)))
    let hold = try ledger.hold(1, 60, unit).get()
    _ = try ledger.settle(UsageID(1), amount: nano(60), tokens: TokenCount(1), at: start).get()
    func later(_ days: Int) -> Timestamp { start.advanced(by: .seconds(days * 86_400)) }
    var soon = ledger
    #expect(throws: Never.self) { try soon.adjust(hold, by: nano(40), at: later(5)).get() }
    #expect(ledger.adjust(hold, by: nano(1), at: later(12)) == .failure(.exceedsHeadroom))
    #expect(throws: Never.self) { try ledger.adjust(hold, by: nano(-60), at: later(12)).get() }
    #expect(ledger.balance(of: .revenue, customer, unit) == .zero)
  }
}

@Suite("Prepaid credit")
struct CreditTests {
  private let usd = currency("USD")

  @Test("Credit is used by priority, then by what expires first, then by what came first")
  func order() throws {
    var ledger = Ledger()
    ledger.grant(1, 10, self.usd)
    ledger.grant(2, 10, self.usd, expires: start.advanced(by: .seconds(100)))
    ledger.grant(3, 10, self.usd, expires: start.advanced(by: .seconds(50)))
    ledger.grant(4, 10, self.usd)
    ledger.grant(5, 10, self.usd, priority: 1, expires: start.advanced(by: .seconds(10)))
    _ = try ledger.hold(1, 45, self.usd).get()
    let settled = try ledger.settle(UsageID(1), amount: nano(45), tokens: TokenCount(1), at: start).get()
    #expect(settled.slices.map { Int($0.grant.value) } == [3, 2, 1, 4, 5])
    #expect(settled.slices.map { Int($0.amount.nano) } == [10, 10, 10, 10, 5])
  }

  @Test("What expires is taken, but not from under an open hold; it goes when the hold ends")
  func expiry() throws {
    var ledger = Ledger()
    ledger.grant(1, 100, self.usd, expires: start.advanced(by: .seconds(60)))
    _ = try ledger.hold(1, 30, self.usd).get()
    let later = start.advanced(by: .seconds(60))
    #expect(ledger.hasExpiredCredit(customer, self.usd, at: start) == false)
    #expect(ledger.expireCredit(of: customer, self.usd, at: later) == [CreditSlice(grant: CreditID(1), amount: nano(70))])
    #expect(ledger.availableCredit(customer, self.usd) == .zero)
    _ = try ledger.settle(UsageID(1), amount: nano(20), tokens: TokenCount(1), at: later).get()
    #expect(ledger.availableCredit(customer, self.usd) == nano(10))
    #expect(ledger.expireCredit(of: customer, self.usd, at: later) == [CreditSlice(grant: CreditID(1), amount: nano(10))])
    #expect(ledger.balance(of: .breakage, customer, self.usd) == nano(-80))
    #expect(ledger.balance(of: .prepaid, customer, self.usd) == .zero)
  }

  @Test("A refusal says whether open holds alone stand in the way")
  func held() throws {
    var ledger = Ledger()
    ledger.grant(1, 100, self.usd)
    _ = try ledger.hold(1, 80, self.usd).get()
    #expect(ledger.hold(2, 50, self.usd) == .failure(.insufficientCredit(customer, available: nano(20), self.usd, isHeld: true)))
    #expect(
      ledger.hold(2, 101, self.usd) == .failure(.insufficientCredit(customer, available: nano(20), self.usd, isHeld: false)))
  }

  @Test(
    "No order of grants, holds, settlements and expiry spends more than was granted, and all accounts sum to zero",
    arguments: 1...20)
  func neverOver(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var ledger = Ledger()
    var now = start
    var granted = 0
    var gone = 0
    for step in 1...600 {
      now = now.advanced(by: .seconds(Int.random(in: 0...20, using: &generator)))
      switch Int.random(in: 0..<6, using: &generator) {
      case 0:
        let amount = Int.random(in: 1...100, using: &generator)
        let expires =
          Bool.random(using: &generator) ? now.advanced(by: .seconds(Int.random(in: 1...300, using: &generator))) : nil
        ledger.grant(step, amount, self.usd, priority: Int.random(in: 0...2, using: &generator), expires: expires)
        granted += amount
      case 1, 2: _ = ledger.hold(step, Int.random(in: 0...60, using: &generator), self.usd, at: now)
      case 3:
        gone += ledger.expireCredit(of: customer, self.usd, at: now).reduce(0) { $0 + Int($1.amount.nano) }
      default:
        guard let hold = ledger.holds.values.min(by: { $0.usage < $1.usage }) else { continue }
        let amount = Int.random(in: 0...Int(hold.amount.nano), using: &generator)
        guard hold.isPrepaid, case .success(let settled) = ledger.settle(hold.usage, amount: nano(amount), tokens: .zero, at: now)
        else {
          _ = ledger.void(hold.usage, at: now)
          continue
        }
        #expect(settled.slices.reduce(0) { $0 + Int($1.amount.nano) } == amount)
        gone += amount
      }
      let held = ledger.holds.values.filter(\.isPrepaid).reduce(0) { $0 + Int($1.amount.nano) }
      #expect(ledger.availableCredit(customer, self.usd) == nano(granted - gone - held), "seed \(seed), step \(step)")
      #expect(granted - gone - held >= 0)
      #expect((ledger.accounts(of: customer)[self.usd] ?? [:]).values.reduce(.zero, +) == .zero)
    }
  }
}

@Suite("Corrections in the ledger")
struct AdjustTests {
  private let usd = currency("USD")

  @Test("A correction that is taken back leaves everything as it was, down to the order in which credit is used")
  func undo() throws {
    var ledger = Ledger()
    ledger.grant(1, 10, self.usd, expires: start.advanced(by: .seconds(50)))
    ledger.grant(2, 10, self.usd, expires: start.advanced(by: .seconds(100)))
    ledger.grant(3, 10, self.usd, priority: 1)
    let hold = try ledger.hold(1, 5, self.usd).get()
    _ = try ledger.settle(UsageID(1), amount: nano(5), tokens: TokenCount(1), at: start).get()
    var adjusted = ledger
    let made = try adjusted.adjust(hold, by: nano(12), at: start).get()
    #expect(made.slices == [CreditSlice(grant: CreditID(1), amount: nano(5)), CreditSlice(grant: CreditID(2), amount: nano(7))])
    #expect(adjusted.availableCredit(customer, self.usd) == nano(13))
    adjusted.undo(made)
    #expect(
      adjusted.accounts(of: customer)[self.usd]?.filter { $0.value != .zero }
        == ledger.accounts(of: customer)[self.usd]?.filter { $0.value != .zero })
    #expect(adjusted.availableCredit(customer, self.usd) == nano(25))
    for state in [ledger, adjusted] {
      var state = state
      _ = try state.hold(2, 25, self.usd).get()
      let settled = try state.settle(UsageID(2), amount: nano(25), tokens: TokenCount(1), at: start).get()
      #expect(settled.slices.map { Int($0.grant.value) } == [1, 2, 3])
      #expect(settled.slices.map { Int($0.amount.nano) } == [5, 10, 10])
    }
  }

  @Test("A refund of what credit paid for is credit; it must be the very amount, and there is none where nothing was paid ahead")
  func refund() throws {
    var ledger = Ledger()
    let billed = try ledger.hold(1, 50, self.usd).get()
    _ = try ledger.settle(UsageID(1), amount: nano(50), tokens: TokenCount(1), at: start).get()
    let grant = CreditGrant(id: CreditID(9), amount: nano(20))
    #expect(ledger.adjust(billed, by: nano(-20), refund: grant, at: start) == .failure(.exceedsHold(nano(20))))
    ledger.grant(1, 100, self.usd)
    let paid = try ledger.hold(2, 50, self.usd).get()
    _ = try ledger.settle(UsageID(2), amount: nano(50), tokens: TokenCount(1), at: start).get()
    #expect(ledger.adjust(paid, by: nano(-20), at: start) == .failure(.exceedsHold(.zero)))
    #expect(ledger.adjust(paid, by: nano(-21), refund: grant, at: start) == .failure(.exceedsHold(nano(20))))
    #expect(try ledger.adjust(paid, by: nano(-20), refund: grant, at: start).get().slices.isEmpty)
    #expect(ledger.availableCredit(customer, self.usd) == nano(70))
    #expect(ledger.balance(of: .prepaid, customer, self.usd) == nano(-70))
  }
}
