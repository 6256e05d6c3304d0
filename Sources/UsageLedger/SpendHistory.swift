public import GovernanceTypes

/// What one subject has settled and holds over some span.
public struct Balance: Sendable, Equatable {
  public var settled: NanoAmount = .zero
  public var held: NanoAmount = .zero
  var settledTokens = 0
  var heldTokens = 0

  public init() {}

  var committed: NanoAmount { self.settled + self.held }
  var tokens: Int { self.settledTokens + self.heldTokens }

  static func + (left: Self, right: Self) -> Self {
    var sum = left
    sum.settled += right.settled
    sum.held += right.held
    sum.settledTokens += right.settledTokens
    sum.heldTokens += right.heldTokens
    return sum
  }
}

/// Settled and held sums by subject and currency, by the quarter-hour in which the hold was made.
///
/// A window is a question to it and not a counter of its own: there is nothing to reset, and no moment at which a reset could be
/// missed or doubled. Quarters of an hour are enough, because every zone's days begin at one. What no window can ask for any more is
/// put together: memory is bounded by the quarters of some forty days, and most of those fold into one place a day.
struct SpendHistory: Sendable {
  private struct Key: Hashable {
    var subject: LedgerSubject
    var currency: Currency
  }

  fileprivate struct Place: Sendable {
    /// Quarter-hours since 1970.
    var quarter: Int64
    var balance: Balance
  }

  fileprivate struct Line: Sendable {
    var total = Balance()
    var places: [Place] = []
    var foldedOn = CalendarDay(number: 0)
  }

  private var lines: [Key: Line] = [:]
  private var currencies: [LedgerSubject: Set<Currency>] = [:]

  /// No window that a hold can still be extended in began longer ago.
  fileprivate static let keptDays = 40
  /// Within these, days are kept by the quarter: weeks, days and hours are asked for.
  fileprivate static let fineDays = 9

  mutating func change(_ hold: Hold, _ change: (inout Balance) -> Void) {
    for subject in hold.chain {
      let key = Key(subject: subject, currency: hold.currency)
      if self.lines[key] == nil { self.currencies[subject, default: []].insert(hold.currency) }
      self.lines[key, default: Line()].change(at: hold.heldAt, change)
    }
  }

  /// The sums over a span. O(quarter-hours kept) at most; constant where the span is all of time.
  func balance(_ subject: LedgerSubject, _ currency: Currency, over span: CalendarSpan) -> Balance {
    self.lines[Key(subject: subject, currency: currency)]?.balance(over: span) ?? Balance()
  }

  /// Settled and held tokens over all currencies.
  func tokens(_ subject: LedgerSubject, over span: CalendarSpan) -> Int {
    self.currencies(of: subject).reduce(0) { $0 + self.balance(subject, $1, over: span).tokens }
  }

  /// Whether the sums over a span are still those of this span alone, seen from a day: what is old is put together by the day, and let
  /// go of in the end.
  func isWhole(_ subject: LedgerSubject, _ currency: Currency, over span: CalendarSpan, on today: CalendarDay) -> Bool {
    guard span != .always, let line = self.lines[Key(subject: subject, currency: currency)] else { return true }
    let reference = max(today, line.foldedOn)
    return reference.number - span.start.day.number <= Self.keptDays
      && [span.start, span.end].allSatisfy { $0 == $0.day.start || Self.isFine($0.day, from: reference) }
  }

  /// Whether a day is kept by the quarter: those that weeks, days and hours are asked for, and the first and last of a month, at which
  /// months begin and end.
  fileprivate static func isFine(_ day: CalendarDay, from reference: CalendarDay) -> Bool {
    reference.number - day.number <= Self.fineDays || day.month != day.next.month || day == day.month.firstDay
  }

  func currencies(of subject: LedgerSubject) -> Set<Currency> { self.currencies[subject] ?? [] }
}

extension SpendHistory.Line {
  private static func quarter(of instant: Timestamp) -> Int64 { instant.seconds / ZoneRules.quarterHour }

  mutating func change(at instant: Timestamp, _ change: (inout Balance) -> Void) {
    change(&self.total)
    if instant.day > self.foldedOn { self.fold(on: instant.day) }
    let quarter = Self.quarter(of: instant)
    var index = self.places.endIndex
    while index > 0, self.places[index - 1].quarter > quarter { index -= 1 }
    if index > 0, self.places[index - 1].quarter == quarter { return change(&self.places[index - 1].balance) }
    var balance = Balance()
    change(&balance)
    self.places.insert(SpendHistory.Place(quarter: quarter, balance: balance), at: index)
  }

  func balance(over span: CalendarSpan) -> Balance {
    guard span != .always else { return self.total }
    let first = Self.quarter(of: span.start)
    let end = Self.quarter(of: span.end)
    var sum = Balance()
    for place in self.places.reversed() {
      if place.quarter < first { break }
      if place.quarter < end { sum = sum + place.balance }
    }
    return sum
  }

  /// Lets go of what is too old for any window, and puts days together whose quarters none can begin at: only the days around the
  /// first of a month are asked for by the quarter after more than a week.
  private mutating func fold(on today: CalendarDay) {
    self.foldedOn = today
    // An open hold may still be extended in the window that it was made in, however long ago that was.
    let isOpen = { (place: SpendHistory.Place) in place.balance.held != .zero || place.balance.heldTokens != 0 }
    let oldest = self.places.first(where: isOpen).map { Timestamp(seconds: $0.quarter * ZoneRules.quarterHour).day } ?? today
    let reference = min(today, oldest)
    var kept: [SpendHistory.Place] = []
    for place in self.places {
      let day = Timestamp(seconds: place.quarter * ZoneRules.quarterHour).day
      let age = reference.number - day.number
      if age > SpendHistory.keptDays { continue }
      let quarter = SpendHistory.isFine(day, from: reference) ? place.quarter : Self.quarter(of: day.start)
      if let last = kept.indices.last, kept[last].quarter == quarter {
        kept[last].balance = kept[last].balance + place.balance
      } else {
        kept.append(SpendHistory.Place(quarter: quarter, balance: place.balance))
      }
    }
    self.places = kept
  }
}

extension Ledger {
  /// Settled and held money of a subject in the window that `now` is in, by the clocks of `zone`.
  public func balance(
    _ subject: LedgerSubject, _ currency: Currency, window: Window, at now: Timestamp, zone: ZoneRules = .utc
  ) -> Balance {
    self.history.balance(subject, currency, over: window.span(at: now, in: zone))
  }

  /// Settled and held money of a subject since the beginning, over all its currencies: a figure to watch, not to compare.
  public func committedSpend(of subject: LedgerSubject) -> NanoAmount {
    self.history.currencies(of: subject).reduce(.zero) { $0 + self.history.balance(subject, $1, over: .always).committed }
  }

  /// Settled and held tokens of a subject in the window that `now` is in.
  public func tokens(_ subject: LedgerSubject, window: Window, at now: Timestamp, zone: ZoneRules = .utc) -> Int {
    self.history.tokens(subject, over: window.span(at: now, in: zone))
  }
}
