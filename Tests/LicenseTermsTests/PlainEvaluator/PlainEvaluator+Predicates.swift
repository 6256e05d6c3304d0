import GovernanceTypes
import LicenseTerms

extension PlainEvaluator {
  /// What the records of a fact say.
  enum Reading {
    case known(FactValue)
    case contradicted(FactValue)
    case unknown(ClauseState)
  }

  func value(of predicate: Predicate, _ file: TermFile, _ party: Subject, wanted: Bool) -> Value {
    switch predicate {
    case .all(let parts): self.joined(parts.map { self.value(of: $0, file, party, wanted: wanted) }, all: true, wanted: wanted)
    case .any(let parts): self.joined(parts.map { self.value(of: $0, file, party, wanted: wanted) }, all: false, wanted: wanted)
    case .not(let part): self.negated(self.value(of: part, file, party, wanted: !wanted))
    case .parameter(let name, let value): Value(truth: Truth(self.choice(name, file) == value))
    case .action(let actions): Value(truth: Truth(actions.contains(self.question.action)))
    case .exception(let id): Value(truth: Truth(self.exceptions(file, party).contains { $0.exception == id }))
    case .fact(let key, let test): self.test(key, file, party, wanted) { self.holds(test, $0, $1) }
    case .holdsNotice(let key, let notice):
      self.test(key, file, party, wanted) { reading, _ in
        guard case .known(.text(let text)) = reading, let wantedText = file.notices.first(where: { $0.id == notice })?.text else {
          return .unknown
        }
        return Truth(text.contains(wantedText))
      }
    case .threshold(let threshold):
      self.test(threshold.fact, file, party, wanted) { reading, _ in self.holds(threshold, reading) }
    }
  }

  /// Tests that do not hinder the whole are dropped.
  func joined(_ values: [Value], all: Bool, wanted: Bool = true) -> Value {
    let truth = values.map(\.truth).reduce(Truth(all)) { all ? $0.and($1) : $0.or($1) }
    return Value(
      truth: truth, unknown: truth == .unknown ? values.flatMap { $0.truth == .unknown ? $0.unknown : [] } : [],
      failed: truth == Truth(!wanted) ? values.flatMap { $0.truth == Truth(!wanted) ? $0.failed : [] } : [])
  }

  private func negated(_ value: Value) -> Value { Value(truth: !value.truth, unknown: value.unknown, failed: value.failed) }

  private func choice(_ name: String, _ file: TermFile) -> ParameterValue? {
    self.question.parameters[file.id]?[name] ?? file.interpretations.first { $0.name == name }?.standard
  }

  private func test(
    _ key: String, _ file: TermFile, _ party: Subject, _ wanted: Bool, _ holds: (Reading, FactDeclaration) -> Truth
  ) -> Value {
    guard let fact = file.facts.first(where: { $0.key == key }) else { return Value(truth: .unknown) }
    let reading = self.reading(fact, file, party)
    let truth = holds(reading, fact)
    guard truth != Truth(wanted) else { return Value(truth: truth) }
    var state = ClauseState.violated
    if truth == .unknown { state = .notTightEnough }
    if case .unknown(let why) = reading, truth == .unknown { state = why }
    if case .contradicted = reading { state = .contradicted }
    if truth == .unknown, state == .notTightEnough, let statement = self.statementState(fact, file, party) { state = statement }
    let external = file.externalKey(for: fact, at: self.question.time, parameters: self.question.parameters[file.id] ?? [:])
    let hindrance = Hindrance(key: external, fact: fact, state: state)
    return Value(truth: truth, unknown: truth == .unknown ? [hindrance] : [], failed: truth == .unknown ? [] : [hindrance])
  }

  private func holds(_ test: FactTest, _ reading: Reading, _ fact: FactDeclaration) -> Truth {
    var known: FactValue?
    if case .known(let value) = reading { known = value }
    if case .present(let present) = test, known != nil || fact.sources == [.event] { return Truth((known != nil) == present) }
    guard let known else { return .unknown }
    switch (test, known) {
    case (.isOneOf(let values), _): return Truth(values.contains(known))
    case (.isInRegions(let codes), .region(let code)): return Truth(codes.contains(code))
    case (.intersects(let values), .set(let set)): return Truth(!Set(values).isDisjoint(with: set))
    default: return .false
    }
  }

  private func holds(_ threshold: Threshold, _ reading: Reading) -> Truth {
    let interval: FactValue
    switch reading {
    case .known(let value), .contradicted(let value): interval = value
    case .unknown: return .unknown
    }
    guard case .interval(let lower, let upper) = interval else { return .unknown }
    let (most, isBelow): (Int128, Bool) =
      switch threshold.limit {
      case .atMost(let limit): (limit, true)
      case .below(let limit): (limit - 1, true)
      case .above(let limit): (limit, false)
      }
    if (lower ?? 0) > most { return Truth(!isBelow) }
    if let upper, upper <= most { return Truth(isBelow) }
    return .unknown
  }
}

extension PlainEvaluator {
  func reading(_ fact: FactDeclaration, _ file: TermFile, _ party: Subject) -> Reading {
    guard fact.subject != .request || self.request != nil else { return .unknown(.deferred) }
    let records = self.records(fact, file, party)
    let isQuantity = fact.type == .count || fact.type == .money
    let stated = records.filter { !(isQuantity && $0.source == .measured) }
    let holding = stated.filter { self.holds($0, fact, file, party) }
    let measured = records.filter { isQuantity && $0.source == .measured && self.holds($0, fact, file, party) }
    let floor = measured.compactMap { if case .interval(let lower, _) = $0.value { lower } else { nil } }.max()
    var statement = holding.first
    if fact.type == .date, fact.sources == [.event] {
      statement = holding.min { $0.value.description < $1.value.description }
    }
    if let floor {
      guard let statement, case .interval(let lower, let upper) = statement.value else {
        return .known(.interval(lower: floor, upper: nil))
      }
      if let upper, upper < floor { return .contradicted(.interval(lower: floor, upper: nil)) }
      return .known(.interval(lower: max(lower ?? floor, floor), upper: upper))
    }
    if let statement { return .known(statement.value) }
    if stated.contains(where: { $0.recordedAt <= self.question.time }) { return .unknown(.expired) }
    return fact.absent.map(Reading.known) ?? .unknown(.missing)
  }

  /// The state of the statement where only a measurement is left.
  func statementState(_ fact: FactDeclaration, _ file: TermFile, _ party: Subject) -> ClauseState? {
    guard fact.type == .count || fact.type == .money else { return nil }
    let stated = self.records(fact, file, party).filter { $0.source != .measured }
    if stated.contains(where: { self.holds($0, fact, file, party) }) { return nil }
    return stated.contains { $0.recordedAt <= self.question.time } ? .expired : .missing
  }

  private func records(_ fact: FactDeclaration, _ file: TermFile, _ party: Subject) -> [Fact] {
    let key = file.externalKey(for: fact, at: self.question.time, parameters: self.question.parameters[file.id] ?? [:])
    return self.sheet(fact, party).records(of: key).filter { fact.sources.contains($0.source) && self.fits($0.value, fact.type) }
  }

  private func fits(_ value: FactValue, _ type: FactType) -> Bool {
    switch value {
    case .bool: type == .bool
    case .interval: type == .count || type == .money
    case .choice: type == .enum
    case .set: type == .set
    case .region: type == .region
    case .day: type == .date
    case .digest: type == .digest
    case .text: type == .text
    }
  }

  private func sheet(_ fact: FactDeclaration, _ party: Subject) -> FactSheet {
    switch fact.subject {
    case .model: self.question.model.facts
    case .request: self.request ?? .empty
    case .party, .partyAndAffiliates, .product: party == .operator ? self.question.operator : self.question.party.facts
    }
  }

  private func holds(_ record: Fact, _ fact: FactDeclaration, _ file: TermFile, _ party: Subject) -> Bool {
    let time = self.question.time
    guard record.recordedAt <= time else { return false }
    if fact.expiresOnDocumentChange, record.acceptedDigest != file.documentsDigest { return false }
    if let expires = record.expires, expires <= time { return false }
    if let days = fact.expiresAfterDays, record.recordedAt.nanoseconds + Int64(days) * 86_400_000_000_000 <= time.nanoseconds {
      return false
    }
    return !fact.endedBy.contains { event in
      self.sheet(fact, party).records(of: event).contains {
        $0.source == .event && $0.recordedAt <= time && $0.recordedAt >= record.recordedAt
      }
    }
  }

  /// Whether the outcome can depend on which party is asked.
  func readsParty(_ clause: Clause, _ file: TermFile) -> Bool {
    var predicates = [clause.bindsCustomersWhen, clause.when, clause.exemptWhen, clause.requirement].compactMap { $0 }
    predicates += [clause.forbids?.declaredBy, clause.forbids?.unless].compactMap { $0 }
    var keys = [clause.from, clause.forbids?.findings, clause.forbids?.checked, clause.forbids?.purposes].compactMap { $0 }
    for duty in clause.duties {
      switch duty {
      case .attest(let fact, _), .register(let fact, _), .bindRecipient(_, _, _, let fact?): keys.append(fact)
      case .includeNotice(_, let check?, _): predicates.append(check)
      default: break
      }
    }
    while let predicate = predicates.popLast() {
      switch predicate {
      case .all(let parts), .any(let parts): predicates += parts
      case .not(let part): predicates.append(part)
      case .fact(let key, _), .holdsNotice(let key, _): keys.append(key)
      case .threshold(let threshold): keys.append(threshold.fact)
      case .exception: return true
      case .parameter, .action: break
      }
    }
    return file.facts.contains { keys.contains($0.key) && $0.subject.isParty }
  }
}
