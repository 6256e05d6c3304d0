import GovernanceTypes

/// All that the predicates of one term file are evaluated against, for one party.
struct EvaluationContext: Sendable {
  let file: TermFile
  let parameters: [String: ParameterValue]
  let party: Subject
  let partyFacts: FactSheet
  let model: FactSheet
  /// Nil while the standing is compiled.
  var request: FactSheet?
  let action: Action
  /// Exceptions in force for the party.
  let exceptions: [ExceptionRecord]
  var time: Timestamp

  func reading(_ declaration: FactDeclaration) -> FactReading {
    let key = self.file.externalKey(for: declaration, at: self.time, parameters: self.parameters)
    let (subject, sheet) = self.place(of: declaration)
    guard let sheet else { return self.reading(declaration, key, subject, .deferred) }
    var reader = FactReader(
      declaration, key: key, subject: subject, sheet: sheet, documentsDigest: self.file.documentsDigest, at: self.time)
    let reading = reader.read()
    guard let absent = declaration.absent, case .missing = reading.state else { return reading }
    return self.reading(declaration, key, subject, .known(absent))
  }

  private func reading(
    _ declaration: FactDeclaration, _ key: String, _ subject: Subject, _ state: FactReading.State
  ) -> FactReading {
    FactReading(
      declaration: declaration, subject: subject, key: key, state: state, statement: nil, record: nil, until: nil)
  }

  private func place(of declaration: FactDeclaration) -> (Subject, FactSheet?) {
    switch declaration.subject {
    case .party, .partyAndAffiliates, .product: (self.party, self.partyFacts)
    case .model: (.model, self.model)
    case .request: (.request, self.request)
    }
  }
}

extension EvaluationContext {
  /// Kleene's value of a predicate. All facts it reads are noted; of the unknown and the failing tests only those are kept
  /// that keep the predicate from being `wanted`.
  func evaluate(_ predicate: Predicate, wanted: Bool, _ evidence: inout Evidence) -> Truth {
    let unknowns = evidence.unknowns.count
    let failures = evidence.failures.count
    let truth = self.value(of: predicate, wanted: wanted, &evidence)
    if truth != .unknown { evidence.unknowns.removeSubrange(unknowns...) }
    if truth != Truth(!wanted) { evidence.failures.removeSubrange(failures...) }
    return truth
  }

  private func value(of predicate: Predicate, wanted: Bool, _ evidence: inout Evidence) -> Truth {
    switch predicate {
    case .all(let parts):
      return parts.reduce(.true) { $0.and(self.evaluate($1, wanted: wanted, &evidence)) }
    case .any(let parts):
      return parts.reduce(.false) { $0.or(self.evaluate($1, wanted: wanted, &evidence)) }
    case .not(let part): return !self.evaluate(part, wanted: !wanted, &evidence)
    case .parameter(let name, let value): return Truth(self.file.value(of: name, self.parameters) == value)
    case .action(let actions): return Truth(actions.contains(self.action))
    case .exception(let id): return Truth(self.exceptions.contains { $0.exception == id })
    case .fact(let key, let test): return self.test(key, test, wanted: wanted, &evidence)
    case .holdsNotice(let key, let notice): return self.notice(key, notice, wanted: wanted, &evidence)
    case .threshold(let threshold): return self.threshold(threshold, wanted: wanted, &evidence)
    }
  }

  private func read(_ key: String, _ evidence: inout Evidence) -> FactReading? {
    guard let declaration = self.file.factsByKey[key] else { return nil }
    let reading = self.reading(declaration)
    evidence.note(reading)
    return reading
  }

  private func test(_ key: String, _ test: FactTest, wanted: Bool, _ evidence: inout Evidence) -> Truth {
    guard let reading = self.read(key, &evidence) else { return .unknown }
    if case .present(let present) = test, reading.value != nil || reading.declaration.isEvent {
      return self.keep(Truth((reading.value != nil) == present), reading, wanted, test, &evidence)
    }
    guard let value = reading.value else { return self.keep(.unknown, reading, wanted, test, &evidence) }
    return self.keep(Truth(test.holds(for: value)), reading, wanted, test, &evidence)
  }

  private func keep(
    _ truth: Truth, _ reading: FactReading, _ wanted: Bool, _ test: FactTest, _ evidence: inout Evidence
  ) -> Truth {
    let wish = test.wish(wanted, reading.declaration)
    return self.keep(truth, reading, wanted, suitable: wish.suitable, values: wish.values, threshold: nil, &evidence)
  }

  private func keep(
    _ truth: Truth, _ reading: FactReading, _ wanted: Bool, suitable: FactValue?, values: [String], threshold: Threshold?,
    _ evidence: inout Evidence
  ) -> Truth {
    if truth == Truth(wanted) { return truth }
    var state: ClauseState = truth == .unknown ? reading.unknownState : .violated
    if case .contradicted = reading.state { state = .contradicted }
    let leaf = Leaf(reading: reading, state: state, suitable: suitable, values: values, threshold: threshold)
    if truth == .unknown { evidence.unknowns.append(leaf) } else { evidence.failures.append(leaf) }
    return truth
  }

  private func notice(_ key: String, _ notice: String, wanted: Bool, _ evidence: inout Evidence) -> Truth {
    guard let reading = self.read(key, &evidence), let notice = self.file.notices.first(where: { $0.id == notice }) else {
      return .unknown
    }
    var truth = Truth.unknown
    if case .text(let text)? = reading.value { truth = Truth(text.utf8.holds(notice.text.utf8)) }
    let suitable: FactValue? = wanted ? .text(notice.text) : nil
    return self.keep(truth, reading, wanted, suitable: suitable, values: [], threshold: nil, &evidence)
  }

  private func threshold(_ threshold: Threshold, wanted: Bool, _ evidence: inout Evidence) -> Truth {
    guard let reading = self.read(threshold.fact, &evidence) else { return .unknown }
    if case .rolling = threshold.anchor, let unit = threshold.unit {
      evidence.note(until: unit.end(at: self.time, offset: self.file.zoneOffset(of: reading.declaration, self.parameters)))
    }
    var truth = Truth.unknown
    switch reading.state {
    case .known(.interval(let lower, let upper)): truth = threshold.limit.holds(lower: lower, upper: upper)
    case .contradicted(measured: .interval(let lower, let upper)): truth = threshold.limit.holds(lower: lower, upper: upper)
    case .known, .contradicted, .missing, .expired, .deferred: break
    }
    let suitable = threshold.limit.suitable(wanted: wanted)
    return self.keep(truth, reading, wanted, suitable: suitable, values: [], threshold: threshold, &evidence)
  }
}

extension Threshold.Limit {
  /// Whether every number, no number, or only some numbers of the interval are within the limit. Counts begin at 0.
  func holds(lower: Int128?, upper: Int128?) -> Truth {
    switch self {
    case .atMost(let limit): Self.compare(lower: lower ?? 0, upper: upper, atMost: limit)
    case .below(let limit): Self.compare(lower: lower ?? 0, upper: upper, atMost: limit - 1)
    case .above(let limit): !Self.compare(lower: lower ?? 0, upper: upper, atMost: limit)
    }
  }

  private static func compare(lower: Int128, upper: Int128?, atMost limit: Int128) -> Truth {
    if lower > limit { return .false }
    if let upper, upper <= limit { return .true }
    return .unknown
  }

  /// The widest interval with which the limit holds, or does not.
  func suitable(wanted: Bool) -> FactValue {
    switch (self, wanted) {
    case (.atMost(let limit), true), (.above(let limit), false): .interval(lower: nil, upper: limit)
    case (.below(let limit), true): .interval(lower: nil, upper: limit - 1)
    case (.atMost(let limit), false), (.above(let limit), true): .interval(lower: limit + 1, upper: nil)
    case (.below(let limit), false): .interval(lower: limit, upper: nil)
    }
  }
}

extension FactTest {
  func holds(for value: FactValue) -> Bool {
    switch (self, value) {
    case (.isOneOf(let values), _): values.contains(value)
    case (.isInRegions(let codes), .region(let code)): codes.contains(code)
    case (.intersects(let values), .set(let set)): values.contains { set.contains($0) }
    case (.present(let present), _): present
    case (.isInRegions, _), (.intersects, _): false
    }
  }

  /// A value with which the test comes out as wanted, and all such values where they can be listed.
  func wish(_ wanted: Bool, _ fact: FactDeclaration) -> (suitable: FactValue?, values: [String]) {
    switch self {
    case .isOneOf(let values):
      if case .bool(let flag)? = values.first { return (.bool(wanted == flag), []) }
      if wanted { return (values.first, values.map(\.description)) }
      let others = fact.values.filter { !values.contains(.choice($0)) }
      return (others.first.map(FactValue.choice), others)
    case .isInRegions(let codes):
      if wanted { return (codes.first.map(FactValue.region), codes) }
      return (Regions.countries.filter { !codes.contains($0) }.min().map(FactValue.region), [])
    case .intersects(let values): return wanted ? (.set(Array(values.prefix(1))), values) : (.set([]), [])
    case .present(let present): return (wanted == present ? fact.anyValue : nil, [])
    }
  }
}

extension FactDeclaration {
  /// What was never recorded did not happen.
  var isEvent: Bool { self.sources == [.event] }

  /// Some value of the type; nil where none is plain.
  fileprivate var anyValue: FactValue? {
    switch self.type {
    case .bool: .bool(true)
    case .count, .money: .interval(lower: 0, upper: nil)
    case .enum: self.values.first.map(FactValue.choice)
    case .set: .set([])
    case .region, .date, .digest, .text: nil
    }
  }
}

extension Collection where Element: Equatable {
  /// Whether `part` stands somewhere in the collection. O(n × m).
  fileprivate func holds(_ part: some Collection<Element>) -> Bool {
    var start = self.startIndex
    while start != self.endIndex {
      if self[start...].starts(with: part) { return true }
      start = self.index(after: start)
    }
    return part.isEmpty
  }
}
