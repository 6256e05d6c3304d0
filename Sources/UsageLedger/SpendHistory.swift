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

  /// Money and tokens of the holds of a quarter. There are many for each subject, so they are small.
  fileprivate struct Place: Sendable {
    var amount: NanoAmount
    var tokens: Int
    /// Quarter-hours since 1970.
    var quarter: Int32
  }

  fileprivate struct Line: Sendable {
    var total = Balance()
    /// In the order of time.
    var places: [Place] = []
    /// What is held, in the quarters where anything is: the last few minutes, mostly.
    var held: [Place] = []
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

  /// Gives back what the lines do not need of their memory, once many were filled. O(quarter-hours kept).
  mutating func compact() {
    var index = self.lines.startIndex
    while index != self.lines.endIndex {
      self.lines.values[index].compact()
      self.lines.formIndex(after: &index)
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

  /// The first instant that is kept by more than the sum of all time, and the spans after it that are kept by the quarter, seen from a
  /// day.
  static func detail(seenFrom reference: CalendarDay) -> (kept: Timestamp, fine: [Range<Timestamp>]) {
    let first = reference.number - Self.keptDays
    let recent = reference.number - Self.fineDays
    var fine = (first..<recent).map { CalendarDay(number: $0) }.filter { Self.isFine($0, from: reference) }.map {
      $0.start..<$0.next.start
    }
    fine.append(CalendarDay(number: recent).start..<Timestamp(nanoseconds: .max))
    return (CalendarDay(number: first).start, fine)
  }

  func currencies(of subject: LedgerSubject) -> Set<Currency> { self.currencies[subject] ?? [] }
}

extension SpendHistory.Line {
  private static func quarter(of instant: Timestamp) -> Int32 { Int32(clamping: instant.seconds / ZoneRules.quarterHour) }

  private static func day(of quarter: Int32) -> CalendarDay { Timestamp(seconds: Int64(quarter) * ZoneRules.quarterHour).day }

  mutating func change(at instant: Timestamp, _ change: (inout Balance) -> Void) {
    change(&self.total)
    if instant.day > self.foldedOn { self.fold(on: instant.day) }
    let quarter = Self.quarter(of: instant)
    var balance = Balance()
    let (settled, held) = (self.places.place(of: quarter), self.held.place(of: quarter))
    if settled.isKnown { (balance.settled, balance.settledTokens) = self.places[settled.index].sums }
    if held.isKnown { (balance.held, balance.heldTokens) = self.held[held.index].sums }
    change(&balance)
    self.places.put(balance.settled, balance.settledTokens, quarter, at: settled)
    self.held.put(balance.held, balance.heldTokens, quarter, at: held)
    if held.isKnown, balance.held == .zero, balance.heldTokens == 0 { self.held.remove(at: held.index) }
  }

  func balance(over span: CalendarSpan) -> Balance {
    guard span != .always else { return self.total }
    let quarters = Self.quarter(of: span.start)..<Self.quarter(of: span.end)
    var sum = Balance()
    for place in self.places.reversed() {
      if place.quarter < quarters.lowerBound { break }
      guard quarters.contains(place.quarter) else { continue }
      sum.settled += place.amount
      sum.settledTokens += place.tokens
    }
    for place in self.held where quarters.contains(place.quarter) {
      sum.held += place.amount
      sum.heldTokens += place.tokens
    }
    return sum
  }

  /// Lets go of what is too old for any window, and puts days together whose quarters none can begin at: only the days around the
  /// first of a month are asked for by the quarter after more than a week.
  private mutating func fold(on today: CalendarDay) {
    self.foldedOn = today
    // An open hold may still be extended in the window that it was made in, however long ago that was.
    let reference = self.held.first.map { min(today, Self.day(of: $0.quarter)) } ?? today
    var kept: [SpendHistory.Place] = []
    for place in self.places {
      let day = Self.day(of: place.quarter)
      if reference.number - day.number > SpendHistory.keptDays { continue }
      let quarter = SpendHistory.isFine(day, from: reference) ? place.quarter : Self.quarter(of: day.start)
      let (index, isKnown) = kept.place(of: quarter)
      if isKnown {
        kept[index].amount += place.amount
        kept[index].tokens += place.tokens
      } else {
        kept.put(place.amount, place.tokens, quarter, at: (index, isKnown))
      }
    }
    self.places = kept
    self.compact()
  }

  mutating func compact() {
    guard self.places.capacity > self.places.count + self.places.count / 4 + 2 else { return }
    var exact: [SpendHistory.Place] = []
    exact.reserveCapacity(self.places.count)
    exact += self.places
    self.places = exact
  }
}

extension SpendHistory.Place {
  fileprivate var sums: (NanoAmount, Int) { (self.amount, self.tokens) }
}

extension [SpendHistory.Place] {
  /// Where a quarter is, or belongs. What changes is mostly the last one.
  fileprivate func place(of quarter: Int32) -> (index: Int, isKnown: Bool) {
    var index = self.endIndex
    while index > 0, self[index - 1].quarter > quarter { index -= 1 }
    return index > 0 && self[index - 1].quarter == quarter ? (index - 1, true) : (index, false)
  }

  /// Sets the sums of a quarter; none begins with nothing.
  fileprivate mutating func put(_ amount: NanoAmount, _ tokens: Int, _ quarter: Int32, at place: (index: Int, isKnown: Bool)) {
    if place.isKnown {
      self[place.index].amount = amount
      self[place.index].tokens = tokens
    } else if amount != .zero || tokens != 0 {
      self.insert(SpendHistory.Place(amount: amount, tokens: tokens, quarter: quarter), at: place.index)
    }
  }
}

extension Ledger {
  /// What a start has to restore, seen from the day of the newest entry, or of the oldest hold that is open: nothing by itself before
  /// `kept`, where one sum of all will do; sums by the quarter of an hour in the spans `fine`; sums by the day in between.
  public static func detail(seenFrom day: CalendarDay) -> (kept: Timestamp, fine: [Range<Timestamp>]) {
    SpendHistory.detail(seenFrom: day)
  }

  /// Gives back what is not needed of the memory of what was restored. O(customers).
  public mutating func compact() { self.history.compact() }

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
