import GovernanceTypes

/// One term file as asked about at one instant, for one model and action: what is the same for every party.
final class TermQuestion: Sendable {
  let file: TermFile
  let parameters: [String: ParameterValue]
  let model: FactSheet
  /// The parts of the lineage that the question is about.
  let parts: [LineageName]
  let action: Action
  let time: Timestamp
  /// The external keys of the file's facts, and the instant at which the first of them changes.
  let keys: [String]
  let keysUntil: Timestamp?
  /// The operator's choices and the file's own values, in the order of its interpretations.
  let choices: [ParameterValue]

  init(
    _ file: TermFile, parameters: [String: ParameterValue], model: FactSheet, parts: [LineageName] = [.base], action: Action,
    at time: Timestamp
  ) {
    self.file = file
    self.parameters = parameters
    self.model = model
    self.parts = parts
    self.action = action
    self.time = time
    (self.keys, self.keysUntil) = file.resolved.keys(of: file, parameters, at: time)
    self.choices = file.interpretations.map { parameters[$0.name] ?? $0.standard }
  }

  /// The same at a later instant.
  func asked(at time: Timestamp) -> TermQuestion {
    TermQuestion(
      self.file, parameters: self.parameters, model: self.model, parts: self.parts, action: self.action, at: time)
  }
}

/// All that the clauses of one term file are evaluated against, for one party.
final class EvaluationContext: Sendable {
  let question: TermQuestion
  let party: Subject
  let partyFacts: FactSheet
  /// Nil while the standing is compiled.
  let request: FactSheet?
  /// Exceptions in force for the party.
  let exceptions: [ExceptionRecord]
  let time: Timestamp

  init(
    _ question: TermQuestion, party: Subject, facts: FactSheet, exceptions: [ExceptionRecord], request: FactSheet? = nil,
    at time: Timestamp
  ) {
    self.question = question
    self.party = party
    self.partyFacts = facts
    self.exceptions = exceptions
    self.request = request
    self.time = time
  }

  var file: TermFile { self.question.file }
  var action: Action { self.question.action }
  var parameters: [String: ParameterValue] { self.question.parameters }

  /// The context of one request of the party.
  func asking(_ request: FactSheet, at time: Timestamp) -> EvaluationContext {
    let isSamePeriod = self.question.keysUntil.map { time < $0 } ?? true
    return EvaluationContext(
      isSamePeriod ? self.question : self.question.asked(at: time), party: self.party, facts: self.partyFacts,
      exceptions: self.exceptions, request: request, at: time)
  }

  func fact(_ place: Int) -> DeclaredFact { self.file.resolved.facts[place] }

  /// The external key of a fact.
  func key(_ place: Int) -> String { self.question.keys[place] }

  /// Whose fact it is.
  func subject(_ fact: DeclaredFact) -> Subject {
    switch fact.declaration.subject {
    case .party, .partyAndAffiliates, .product: self.party
    case .model: .model
    case .request: .request
    }
  }

  /// Reads a fact anew. O(records of the fact).
  func reading(_ place: Int) -> FactReading {
    let fact = self.fact(place)
    guard let sheet = self.sheet(fact) else { return FactReading(fact: fact, state: .deferred) }
    var reader = FactReader(fact, sheet: sheet, documentsDigest: self.file.documentsDigest, at: self.time)
    let reading = reader.read(self.key(place))
    guard let absent = fact.declaration.absent, case .missing = reading.state else { return reading }
    return FactReading(fact: fact, state: .known(absent))
  }

  private func sheet(_ fact: DeclaredFact) -> FactSheet? {
    switch fact.declaration.subject {
    case .party, .partyAndAffiliates, .product: self.partyFacts
    case .model: self.question.model
    case .request: self.request
    }
  }

  /// The party's earliest record of an event that has happened.
  func event(_ key: String) -> Fact? {
    self.partyFacts.records(of: key).filter { $0.source == .event && $0.recordedAt <= self.time }.min {
      ($0.recordedAt, $0.reference) < ($1.recordedAt, $1.reference)
    }
  }

  /// When the next record of an event begins to count.
  func nextEvent(_ key: String) -> Timestamp? {
    self.partyFacts.records(of: key).lazy.map(\.recordedAt).filter { $0 > self.time }.min()
  }

  func used(_ place: Int) -> UsedFact {
    let reading = self.reading(place)
    return UsedFact(
      subject: self.subject(reading.fact), key: self.key(place), value: reading.text, source: reading.record?.source,
      reference: reading.record?.reference)
  }
}

extension EvaluationContext {
  /// Kleene's value of a predicate. All facts it reads are noted; of the unknown and the failing tests only those are kept
  /// that keep the predicate from being `wanted`.
  func evaluate(_ predicate: ResolvedPredicate, wanted: Bool, _ evidence: inout Evidence) -> Truth {
    let unknowns = evidence.unknowns.count
    let failures = evidence.failures.count
    let truth = self.value(of: predicate, wanted: wanted, &evidence)
    if truth != .unknown, evidence.unknowns.count > unknowns { evidence.unknowns.removeSubrange(unknowns...) }
    if truth != Truth(!wanted), evidence.failures.count > failures { evidence.failures.removeSubrange(failures...) }
    return truth
  }

  private func value(of predicate: ResolvedPredicate, wanted: Bool, _ evidence: inout Evidence) -> Truth {
    switch predicate {
    case .all(let parts):
      var truth = Truth.true
      for part in parts { truth = truth.and(self.evaluate(part, wanted: wanted, &evidence)) }
      return truth
    case .any(let parts):
      var truth = Truth.false
      for part in parts { truth = truth.or(self.evaluate(part, wanted: wanted, &evidence)) }
      return truth
    case .not(let part): return !self.evaluate(part, wanted: !wanted, &evidence)
    case .parameter(let place, let value): return Truth(self.question.choices[place] == value)
    case .action(let actions): return Truth(actions.contains(self.action))
    case .exception(let id): return Truth(self.exceptions.contains { $0.exception == id })
    case .fact(let place, let test): return self.test(place, test, wanted: wanted, &evidence)
    case .holdsNotice(let place, let text): return self.notice(place, text, wanted: wanted, &evidence)
    case .threshold(let threshold): return self.threshold(threshold, wanted: wanted, &evidence)
    }
  }

  private func test(_ place: Int, _ test: FactTest, wanted: Bool, _ evidence: inout Evidence) -> Truth {
    let reading = self.reading(place)
    evidence.note(reading)
    var truth = Truth.unknown
    if case .present(let present) = test, reading.value != nil || reading.fact.isEvent {
      truth = Truth((reading.value != nil) == present)
    } else if case .known(let value) = reading.state {
      truth = Truth(test.holds(for: value))
    }
    return truth == Truth(wanted) ? truth : self.keep(truth, reading, .fact(test), wanted, &evidence)
  }

  private func keep(
    _ truth: Truth, _ reading: FactReading, _ test: Leaf.Test, _ wanted: Bool, _ evidence: inout Evidence
  ) -> Truth {
    var state: ClauseState = truth == .unknown ? reading.unknownState : .violated
    if case .contradicted = reading.state { state = .contradicted }
    let leaf = Leaf(place: reading.fact.place, state: state, test: test, wanted: wanted)
    if truth == .unknown { evidence.unknowns.append(leaf) } else { evidence.failures.append(leaf) }
    return truth
  }

  private func notice(_ place: Int, _ notice: String, wanted: Bool, _ evidence: inout Evidence) -> Truth {
    let reading = self.reading(place)
    evidence.note(reading)
    var truth = Truth.unknown
    if case .text(let text)? = reading.value { truth = Truth(text.utf8.holds(notice.utf8)) }
    return truth == Truth(wanted) ? truth : self.keep(truth, reading, .notice(notice), wanted, &evidence)
  }

  private func threshold(_ resolved: ResolvedThreshold, wanted: Bool, _ evidence: inout Evidence) -> Truth {
    let reading = self.reading(resolved.fact)
    evidence.note(reading)
    if let unit = resolved.rolling {
      evidence.note(until: unit.end(at: self.time, offset: self.file.zoneOffset(of: reading.declaration, self.parameters)))
    }
    var truth = Truth.unknown
    switch reading.state {
    case .known(.interval(let lower, let upper)), .contradicted(measured: .interval(let lower, let upper)):
      truth = resolved.threshold.limit.holds(lower: lower, upper: upper)
    case .known, .contradicted, .missing, .expired, .deferred: break
    }
    return truth == Truth(wanted) ? truth : self.keep(truth, reading, .threshold(resolved), wanted, &evidence)
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
