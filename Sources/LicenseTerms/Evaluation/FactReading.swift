import GovernanceTypes

/// What the records of one fact say at one instant.
struct FactReading {
  enum State {
    case known(FactValue)
    /// Stated and measured values exclude each other; `measured` alone is certain.
    case contradicted(measured: FactValue)
    case missing
    case expired
    /// A request's fact, before there is a request.
    case deferred
  }

  let declaration: FactDeclaration
  let subject: Subject
  /// The external key.
  let key: String
  let state: State
  /// The state of the statement alone, where a measurement stands in for it.
  let statement: ClauseState?
  let record: Fact?
  /// The earliest later instant at which the reading changes.
  let until: Timestamp?

  var value: FactValue? {
    if case .known(let value) = self.state { value } else { nil }
  }

  /// Why the value does not decide.
  var unknownState: ClauseState {
    switch self.state {
    case .known: self.statement ?? .notTightEnough
    case .contradicted: .contradicted
    case .missing: .missing
    case .expired: .expired
    case .deferred: .deferred
    }
  }

  var used: UsedFact {
    let value: FactValue?
    switch self.state {
    case .known(let known): value = known
    case .contradicted(let measured): value = measured
    case .missing, .expired, .deferred: value = nil
    }
    return UsedFact(
      subject: self.subject, key: self.key, value: value.map { self.declaration.text(of: $0) },
      source: self.record?.source, reference: self.record?.reference)
  }
}

extension FactDeclaration {
  /// A value as text, amounts in major units.
  func text(of value: FactValue) -> String {
    guard let currency = self.currency, case .interval(let lower, let upper) = value else { return value.description }
    func amount(_ nano: Int128) -> String { Money(NanoAmount(nano), currency).description }
    switch (lower, upper) {
    case (nil, nil): return "any amount"
    case (let lower?, nil): return "at least \(amount(lower))"
    case (nil, let upper?): return "at most \(amount(upper))"
    case (let lower?, let upper?): return lower == upper ? amount(lower) : "\(amount(lower)) to \(amount(upper))"
    }
  }
}

/// Reads one fact from a sheet: the most recent record that holds decides, measured lower bounds narrow it.
struct FactReader {
  let declaration: FactDeclaration
  let key: String
  let subject: Subject
  let sheet: FactSheet
  let documentsDigest: Digest
  let time: Timestamp
  private(set) var until: Timestamp?

  init(
    _ declaration: FactDeclaration, key: String, subject: Subject, sheet: FactSheet, documentsDigest: Digest, at time: Timestamp
  ) {
    self.declaration = declaration
    self.key = key
    self.subject = subject
    self.sheet = sheet
    self.documentsDigest = documentsDigest
    self.time = time
  }

  mutating func read() -> FactReading {
    let records = self.sheet.records(of: self.key).filter { self.declaration.accepts($0.source) && self.fits($0.value) }
    let stated = records.filter { !self.isBound($0) }
    let holding = stated.filter { self.holds($0) }
    let statement = self.declaration.isDatedByEvents ? holding.min { $0.earlierDay(than: $1) } : holding.first
    let measured = records.filter { self.isBound($0) && self.holds($0) }
    let lower = measured.compactMap(\.lowerBound).max()
    let absence: ClauseState = stated.contains { $0.recordedAt <= self.time } ? .expired : .missing
    for record in measured + (self.declaration.isDatedByEvents ? holding : [statement].compactMap { $0 }) {
      self.note(self.end(of: record))
    }
    guard let lower else {
      let state: FactReading.State = statement.map { .known($0.value) } ?? (absence == .expired ? .expired : .missing)
      return self.reading(state, statement: statement == nil ? absence : nil, record: statement)
    }
    return self.combined(statement, measured: lower, absence: absence, record: statement ?? records.first { self.isBound($0) })
  }

  private func combined(_ statement: Fact?, measured: Int128, absence: ClauseState, record: Fact?) -> FactReading {
    let floor = FactValue.interval(lower: measured, upper: nil)
    guard let statement, case .interval(let lower, let upper) = statement.value else {
      return self.reading(.known(floor), statement: absence, record: record)
    }
    if let upper, upper < measured { return self.reading(.contradicted(measured: floor), statement: nil, record: record) }
    let narrowed = FactValue.interval(lower: max(lower ?? measured, measured), upper: upper)
    return self.reading(.known(narrowed), statement: nil, record: record)
  }

  private func reading(_ state: FactReading.State, statement: ClauseState?, record: Fact?) -> FactReading {
    FactReading(
      declaration: self.declaration, subject: self.subject, key: self.key, state: state, statement: statement, record: record,
      until: self.until)
  }

  /// A measurement of a quantity: it can refute a statement, never replace it.
  private func isBound(_ record: Fact) -> Bool {
    record.source == .measured && (self.declaration.type == .count || self.declaration.type == .money)
  }

  private func fits(_ value: FactValue) -> Bool {
    switch (self.declaration.type, value) {
    case (.bool, .bool), (.count, .interval), (.money, .interval), (.enum, .choice), (.set, .set), (.region, .region),
      (.date, .day), (.digest, .digest), (.text, .text):
      true
    default: false
    }
  }

  private mutating func note(_ instant: Timestamp?) {
    guard let instant, instant > self.time else { return }
    self.until = min(self.until ?? instant, instant)
  }

  private mutating func holds(_ record: Fact) -> Bool {
    guard record.recordedAt <= self.time else {
      self.note(record.recordedAt)
      return false
    }
    if self.declaration.expiresOnDocumentChange, record.acceptedDigest != self.documentsDigest { return false }
    if let end = self.end(of: record), end <= self.time { return false }
    return !self.isEnded(record)
  }

  /// An event after the record (or with it) ends the record; one that is still to come ends the reading.
  private mutating func isEnded(_ record: Fact) -> Bool {
    for event in self.declaration.endedBy {
      for occurrence in self.sheet.records(of: event) where occurrence.source == .event {
        if occurrence.recordedAt > self.time {
          self.note(occurrence.recordedAt)
        } else if occurrence.recordedAt >= record.recordedAt {
          return true
        }
      }
    }
    return false
  }

  private func end(of record: Fact) -> Timestamp? {
    let aged = self.declaration.expiresAfterDays.map { record.recordedAt.advanced(byDays: $0) }
    guard let expires = record.expires else { return aged }
    return aged.map { min($0, expires) } ?? expires
  }
}

extension FactDeclaration {
  /// Several events may date the same thing; the earliest counts, since what ended does not begin again by a later event.
  fileprivate var isDatedByEvents: Bool { self.type == .date && self.isEvent }
}

extension Fact {
  fileprivate var lowerBound: Int128? {
    if case .interval(let lower, _) = self.value { lower } else { nil }
  }

  fileprivate func earlierDay(than other: Fact) -> Bool {
    guard case .day(let left) = self.value, case .day(let right) = other.value else { return false }
    return left < right
  }
}

extension Timestamp {
  func advanced(byDays days: Int) -> Timestamp { self.advanced(by: .seconds(Int64(clamping: days) * 86_400)) }
}
