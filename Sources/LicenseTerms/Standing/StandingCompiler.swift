internal import GovernanceTypes

/// Decides the standing of a party. Pure; the order of clauses, term files and records does not matter.
///
/// Order of effects: deny, then require a record, then allow; terminations count from their date whatever else holds. A term
/// file with grants allows only the actions that a grant or a prohibition names; a file without grants (a law) only restricts.
/// O(clauses × facts read).
public func standing(of request: StandingRequest) -> Standing {
  var compiler = StandingCompiler(request)
  for file in request.terms.sorted(by: { $0.id < $1.id }) { compiler.add(file) }
  return compiler.standing
}

/// Gathers the results of all clauses of all term files.
struct StandingCompiler {
  private let request: StandingRequest
  private var results: [ClauseResult] = []
  private var missing = MissingFacts()
  private var duties: [StandingDuty] = []
  private var parameters: [ParameterInForce] = []
  private var terms: [TermsInForce] = []
  private var pending: [PendingClause] = []
  private var until: Timestamp?

  init(_ request: StandingRequest) { self.request = request }

  var standing: Standing {
    let deciding = self.results.filter { $0.effect >= .requireRecord }.min { $0.decidesBefore($1) }
    return Standing(
      verdict: Verdict(deciding?.effect ?? .allow), time: self.request.time, until: self.until, clauses: self.results,
      missing: self.missing.rows, duties: self.duties, parameters: self.parameters, terms: self.terms,
      action: self.request.action, deciding: deciding, pending: self.pending)
  }

  mutating func add(_ file: TermFile) {
    let chosen = self.request.parameters[file.id] ?? [:]
    for parameter in file.interpretations {
      let value = chosen[parameter.name]
      self.parameters.append(
        ParameterInForce(
          termFile: file.id, name: parameter.name, value: value ?? parameter.standard, isChosen: value != nil))
    }
    let operatorContext = self.context(file, chosen, .operator, self.request.operator)
    let partyContext = self.context(file, chosen, .party(self.request.party.id), self.request.party.facts)
    for (clause, profile) in zip(file.clauses, file.profiles) where clause.kind != .grant {
      self.add(clause, profile, operatorContext, partyContext)
    }
    self.addGrants(of: file, operatorContext)
    self.addTerms(file, operatorContext, partyContext)
    self.addReviews(of: file)
  }

  private mutating func context(
    _ file: TermFile, _ parameters: [String: ParameterValue], _ subject: Subject, _ facts: FactSheet
  ) -> EvaluationContext {
    var inForce: [ExceptionRecord] = []
    for record in self.request.exceptions.sorted(by: { $0.id < $1.id }) where record.termFile == file.id {
      guard record.licensee == subject, record.covers(model: self.request.model.name, self.request.action) else { continue }
      for instant in [record.validFrom, record.validTo, record.revokedAt] { self.note(instant) }
      if record.isInForce(at: self.request.time) { inForce.append(record) }
    }
    return EvaluationContext(
      file: file, parameters: parameters, party: subject, partyFacts: facts, model: self.request.model.facts, request: nil,
      action: self.request.action, exceptions: inForce, time: self.request.time)
  }

  private mutating func note(_ instant: Timestamp?) {
    guard let instant, instant > self.request.time else { return }
    self.until = min(self.until ?? instant, instant)
  }

  private mutating func add(
    _ clause: Clause, _ profile: ClauseProfile, _ operatorContext: EvaluationContext, _ partyContext: EvaluationContext
  ) {
    if clause.kind == .information {
      self.results.append(ClauseResult(ClauseOutcome(clause), operatorContext, profile))
      return
    }
    var asked: [EvaluationContext] = []
    if clause.kind == .exemption || clause.binds.contains(.operator) { asked.append(operatorContext) }
    if clause.kind == .exemption || clause.binds.contains(.customer) {
      var evidence = Evidence()
      let bound = clause.bindsCustomersWhen.map { partyContext.evaluate($0, wanted: false, &evidence) } ?? .true
      self.note(evidence.until)
      if bound == .false {
        self.results.append(ClauseResult(ClauseOutcome(clause, .true, .notApplicable), partyContext, profile))
      } else {
        asked.append(partyContext)
      }
    }
    if !profile.readsPartyFacts { asked = asked.suffix(1) }
    for (index, context) in asked.enumerated() {
      let outcome = context.outcome(of: clause)
      let isLast = index == asked.count - 1
      self.add(outcome, profile, context, isPending: outcome.isPending && (isLast || !profile.forbidsUses))
    }
  }

  private mutating func add(
    _ outcome: ClauseOutcome, _ profile: ClauseProfile, _ context: EvaluationContext, isPending: Bool
  ) {
    self.note(outcome.evidence.until)
    self.results.append(ClauseResult(outcome, context, profile))
    for leaf in outcome.wanting { self.missing.add(leaf, outcome, context) }
    if isPending { self.pending.append(PendingClause(context: context, clause: outcome.clause, profile: profile)) }
    let isInForce = outcome.state != .notApplicable && outcome.state != .exempt && outcome.state != .cured
    if isInForce { self.add(duties: outcome.duties, outcome.clause, context) }
    for reading in outcome.evidence.readings { self.addReaffirmation(reading, outcome.clause, context) }
  }

  private mutating func add(duties: [StandingDuty.Kind], _ clause: Clause, _ context: EvaluationContext) {
    for kind in duties {
      let duty = StandingDuty(
        termFile: context.file.id, clause: clause.id, ref: clause.ref, party: context.party, kind: kind)
      if !self.duties.contains(duty) { self.duties.append(duty) }
    }
  }

  private mutating func addReaffirmation(_ reading: FactReading, _ clause: Clause, _ context: EvaluationContext) {
    guard let days = reading.declaration.reaffirmAfterDays, let record = reading.record, record.source != .measured else {
      return
    }
    let due = record.recordedAt.advanced(byDays: days)
    guard due <= self.request.time else { return self.note(due) }
    self.add(duties: [.reaffirm(fact: reading.key, since: due.day)], clause, context)
  }

  /// An action in no grant and in no prohibition is denied.
  private mutating func addGrants(of file: TermFile, _ context: EvaluationContext) {
    let action = self.request.action
    let grants = zip(file.clauses, file.profiles).filter { $0.0.kind == .grant }.sorted { $0.0.id < $1.0.id }
    let isNamed = file.clauses.contains { $0.grants.contains(action) || ($0.forbids?.actions.contains(action) ?? false) }
    for (index, (clause, profile)) in grants.enumerated() {
      var outcome = ClauseOutcome(clause, .true, clause.grants.contains(action) ? .met : .notApplicable)
      if !isNamed, index == 0 { outcome = ClauseOutcome(clause, .false, .violated, .deny) }
      self.results.append(ClauseResult(outcome, context, profile))
    }
  }

  private mutating func addTerms(_ file: TermFile, _ operatorContext: EvaluationContext, _ partyContext: EvaluationContext) {
    let operatorLicensor = self.licensor(operatorContext)
    let partyLicensor = self.licensor(partyContext)
    self.terms.append(
      TermsInForce(
        id: file.id, revision: file.revision, digest: file.digest, operatorLicensor: operatorLicensor,
        partyLicensor: partyLicensor, documents: self.documents(operatorContext)))
  }

  private func documents(_ context: EvaluationContext) -> [DocumentFound] {
    context.file.documents.compactMap { document in
      guard let key = document.foundAs, let declaration = context.file.factsByKey[key] else { return nil }
      guard case .digest(let digest)? = context.reading(declaration).value else {
        return DocumentFound(role: document.role, state: .absent, digest: nil)
      }
      return DocumentFound(role: document.role, state: document.matches(digest) ? .matched : .unknown, digest: digest)
    }
  }

  /// The first licensor whose condition holds; nil where an earlier one might.
  private mutating func licensor(_ context: EvaluationContext) -> String? {
    for licensor in context.file.licensors {
      guard let when = licensor.when else { return licensor.name }
      var evidence = Evidence()
      let truth = context.evaluate(when, wanted: true, &evidence)
      self.note(evidence.until)
      if truth == .true { return licensor.name }
      if truth == .unknown { return nil }
    }
    return nil
  }

  /// A text that may change in place is to be read again from time to time: an operator's event
  /// `document.reviewed.<term file>.<role>` says when it last was.
  private mutating func addReviews(of file: TermFile) {
    for document in file.documents {
      guard let days = document.reviewEveryDays, let readOn = file.reading?.readOn else { continue }
      let reviews = self.request.operator.records(of: "document.reviewed.\(file.id).\(document.role)")
      let last = reviews.map(\.recordedAt).filter { $0 <= self.request.time }.max()
      let due = max(last ?? readOn.start, readOn.start).advanced(byDays: days)
      guard due <= self.request.time else {
        self.note(due)
        continue
      }
      self.duties.append(
        StandingDuty(
          termFile: file.id, clause: "", ref: document.incorporatedBy ?? document.name, party: .operator,
          kind: .reviewDocument(role: document.role, since: due.day)))
    }
  }
}

extension ExceptionRecord {
  func isInForce(at time: Timestamp) -> Bool {
    guard self.validFrom <= time else { return false }
    if let end = self.validTo, end <= time { return false }
    if let end = self.revokedAt, end <= time { return false }
    return true
  }

  func covers(model: String, _ action: Action) -> Bool {
    guard self.actions.isEmpty || self.actions.contains(action) else { return false }
    return self.models.isEmpty || self.models.contains { $0.hasSuffix("*") ? model.hasPrefix($0.dropLast()) : model == $0 }
  }
}

extension Verdict {
  init(_ effect: Effect) {
    switch effect {
    case .allow, .allowAndRecord: self = .allow
    case .requireRecord: self = .requireRecord
    case .deny: self = .deny
    }
  }
}
