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

  let fact: DeclaredFact
  let state: State
  /// The state of the statement alone, where a measurement stands in for it.
  var statement: ClauseState?
  var record: Fact?
  /// The earliest later instant at which the reading changes.
  var until: Timestamp?

  var declaration: FactDeclaration { self.fact.declaration }

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

  /// The value as text; nil where there is none.
  var text: String? {
    switch self.state {
    case .known(let value), .contradicted(measured: let value): self.declaration.text(of: value)
    case .missing, .expired, .deferred: nil
    }
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
  let fact: DeclaredFact
  let sheet: FactSheet
  let documentsDigest: Digest
  let time: Timestamp
  private(set) var until: Timestamp?

  init(_ fact: DeclaredFact, sheet: FactSheet, documentsDigest: Digest, at time: Timestamp) {
    self.fact = fact
    self.sheet = sheet
    self.documentsDigest = documentsDigest
    self.time = time
  }

  /// `key` is the external key. O(records of the key).
  mutating func read(_ key: String) -> FactReading {
    let records = self.sheet.records(of: key)
    guard records.count > 1 else { return self.read(single: records.first) }
    return self.read(several: records.filter { self.fact.accepts($0) })
  }

  /// By far the most facts have one record.
  private mutating func read(single record: Fact?) -> FactReading {
    guard let record, self.fact.accepts(record) else { return FactReading(fact: self.fact, state: .missing, statement: .missing) }
    guard !self.isBound(record) else { return self.read(several: [record]) }
    guard self.holds(record) else {
      let isExpired = record.recordedAt <= self.time
      return FactReading(
        fact: self.fact, state: isExpired ? .expired : .missing, statement: isExpired ? .expired : .missing, until: self.until)
    }
    self.note(self.end(of: record))
    return FactReading(fact: self.fact, state: .known(record.value), record: record, until: self.until)
  }

  private mutating func read(several records: [Fact]) -> FactReading {
    let stated = records.filter { !self.isBound($0) }
    let holding = stated.filter { self.holds($0) }
    let isDated = self.fact.isDatedByEvents
    let statement = isDated ? holding.min { $0.earlierDay(than: $1) } : holding.first
    let measured = records.filter { self.isBound($0) && self.holds($0) }
    let lower = measured.compactMap(\.lowerBound).max()
    let absence: ClauseState = stated.contains { $0.recordedAt <= self.time } ? .expired : .missing
    for record in measured + (isDated ? holding : [statement].compactMap { $0 }) { self.note(self.end(of: record)) }
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
    FactReading(fact: self.fact, state: state, statement: statement, record: record, until: self.until)
  }

  /// A measurement of a quantity: it can refute a statement, never replace it.
  private func isBound(_ record: Fact) -> Bool {
    record.source == .measured && self.fact.isQuantity
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
    if self.fact.declaration.expiresOnDocumentChange, record.acceptedDigest != self.documentsDigest { return false }
    if let end = self.end(of: record), end <= self.time { return false }
    return !self.isEnded(record)
  }

  /// An event after the record (or with it) ends the record; one that is still to come ends the reading.
  private mutating func isEnded(_ record: Fact) -> Bool {
    for event in self.fact.declaration.endedBy {
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
    let aged = self.fact.declaration.expiresAfterDays.map { record.recordedAt.advanced(byDays: $0) }
    guard let expires = record.expires else { return aged }
    return aged.map { min($0, expires) } ?? expires
  }
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
