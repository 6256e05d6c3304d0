public import GovernanceTypes

/// What one subject has settled and holds in one period.
public struct Balance: Sendable, Equatable {
  public var settled: NanoAmount = .zero
  public var held: NanoAmount = .zero
  var settledTokens = 0
  var heldTokens = 0

  public init() {}
}

/// Settled and held sums by subject, currency and calendar period.
///
/// A window is a key, not a counter: a new month simply has no entry yet, so there is nothing to reset and no moment at which
/// a reset could be missed or doubled. A hold counts in the period in which it was made.
struct PeriodBalances: Sendable {
  private enum Period: Hashable { case day(CalendarDay), month(CalendarMonth), total }

  private struct Key: Hashable {
    var subject: LedgerSubject
    var currency: Currency
    var period: Period
  }

  private var balances: [Key: Balance] = [:]
  private var currencies: [LedgerSubject: Set<Currency>] = [:]
  private var newestDay = CalendarDay(number: 0)

  mutating func change(_ hold: Hold, _ change: (inout Balance) -> Void) {
    let day = hold.heldAt.day
    self.forget(before: day)
    for subject in hold.chain {
      self.currencies[subject, default: []].insert(hold.currency)
      for period in [Period.day(day), .month(day.month), .total] {
        change(&self.balances[Key(subject: subject, currency: hold.currency, period: period), default: Balance()])
      }
    }
  }

  func balance(_ subject: LedgerSubject, _ currency: Currency, window: Limit.Window, at now: Timestamp) -> Balance {
    self.balances[Key(subject: subject, currency: currency, period: self.period(window, at: now))] ?? Balance()
  }

  /// Settled and held tokens of a subject over all currencies.
  func tokens(_ subject: LedgerSubject, window: Limit.Window, at now: Timestamp) -> Int {
    (self.currencies[subject] ?? []).reduce(0) { sum, currency in
      let balance = self.balance(subject, currency, window: window, at: now)
      return sum + balance.settledTokens + balance.heldTokens
    }
  }

  func currencies(of subject: LedgerSubject) -> Set<Currency> { self.currencies[subject] ?? [] }

  private func period(_ window: Limit.Window, at now: Timestamp) -> Period {
    switch window {
    case .day: .day(now.day)
    case .month: .month(now.month)
    case .total: .total
    }
  }

  /// Lets go of days and months that are over and hold nothing, so that memory does not grow with time.
  private mutating func forget(before day: CalendarDay) {
    guard day > self.newestDay else { return }
    self.newestDay = day
    self.balances = self.balances.filter { key, balance in
      if balance.held != .zero || balance.heldTokens != 0 { return true }
      switch key.period {
      case .day(let past): return past >= day
      case .month(let past): return past >= day.month
      case .total: return true
      }
    }
  }
}

extension Ledger {
  /// Settled and held money of a subject in the window that `now` is in.
  public func balance(_ subject: LedgerSubject, _ currency: Currency, window: Limit.Window, at now: Timestamp) -> Balance {
    self.balances.balance(subject, currency, window: window, at: now)
  }

  /// Settled and held money of a subject since the beginning, over all its currencies: a figure to watch, not to compare.
  public func committedSpend(of subject: LedgerSubject, at now: Timestamp) -> NanoAmount {
    self.balances.currencies(of: subject).reduce(.zero) { sum, currency in
      let balance = self.balances.balance(subject, currency, window: .total, at: now)
      return sum + balance.settled + balance.held
    }
  }

  /// Settled and held tokens of a subject in the window that `now` is in.
  public func tokens(_ subject: LedgerSubject, window: Limit.Window, at now: Timestamp) -> Int {
    self.balances.tokens(subject, window: window, at: now)
  }
}
