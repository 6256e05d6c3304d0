import GovernanceTypes

/// What one clause says of one party, before it is put into words.
struct ClauseOutcome {
  let clause: Clause
  /// Whether the clause is complied with.
  var truth: Truth
  var state: ClauseState
  var effect: Effect
  var evidence = Evidence()
  /// Unknown tests whose answers are still to be recorded.
  var wanting: [Leaf] = []
  /// What made the difference: an exemption, an exception's record, a use.
  var because: String?
  /// The day from which a termination counts.
  var from: CalendarDay?
  var duties: [StandingDuty.Kind] = []
  /// A request may still decide otherwise.
  var isPending = false
  var findings: [TermFile.Use] = []

  init(_ clause: Clause, _ truth: Truth = .true, _ state: ClauseState = .met, _ effect: Effect = .allow) {
    self.clause = clause
    self.truth = truth
    self.state = state
    self.effect = effect
  }
}

extension EvaluationContext {
  /// Evaluates a clause for the context's party: in the standing where there is no request yet, at a request otherwise.
  func outcome(of clause: Clause) -> ClauseOutcome {
    guard clause.applies(to: self.action) else { return ClauseOutcome(clause, .true, .notApplicable) }
    var outcome = self.unexempted(clause)
    guard outcome.effect > .allow || outcome.truth != .true else { return outcome }
    if let exempting = self.exemption(of: clause, &outcome.evidence) { return outcome.lifted(.exempt, because: exempting) }
    if let record = self.exceptions.first(where: { self.cures(of: $0).contains(clause.id) }) {
      return outcome.lifted(.cured, because: record.id)
    }
    return outcome
  }

  private func unexempted(_ clause: Clause) -> ClauseOutcome {
    switch clause.kind {
    case .grant, .information: return ClauseOutcome(clause)
    case .exemption: return self.exemption(clause)
    case .condition: return self.condition(clause)
    case .prohibition: return clause.forbidsUses ? self.forbiddenUses(clause) : self.forbiddenAction(clause)
    case .obligation: return self.obligation(clause)
    case .termination: return self.termination(clause)
    }
  }

  /// The clauses that a record lifts: what it names, as far as the exception may lift it.
  private func cures(of record: ExceptionRecord) -> [String] {
    guard let terms = self.file.exceptions.first(where: { $0.id == record.exception }) else { return [] }
    if record.cures.isEmpty { return terms.cures }
    return terms.mayWaiveOtherClauses ? record.cures : record.cures.filter(terms.cures.contains)
  }

  /// The id of what exempts the party from a clause, where something certainly does.
  private func exemption(of clause: Clause, _ evidence: inout Evidence) -> String? {
    if let when = clause.exemptWhen {
      var own = Evidence()
      let truth = self.evaluate(when, wanted: true, &own)
      evidence.absorb(own)
      if truth == .true { return clause.id }
    }
    let exempting = self.file.clauses.filter { $0.kind == .exemption && $0.exempts.contains(clause.id) }
    var first: String?
    for exemption in exempting.sorted(by: { $0.id < $1.id }) {
      guard let when = exemption.when, exemption.applies(to: self.action) else { continue }
      var own = Evidence()
      let truth = self.evaluate(when, wanted: true, &own)
      evidence.absorb(own)
      if truth == .true, first == nil { first = exemption.id }
    }
    return first
  }

  private func exemption(_ clause: Clause) -> ClauseOutcome {
    var outcome = ClauseOutcome(clause)
    let truth = clause.when.map { self.evaluate($0, wanted: true, &outcome.evidence) } ?? .unknown
    outcome.state = truth == .true ? .exempt : .notApplicable
    return outcome
  }

  /// Complied with where the clause does not apply or its requirement holds.
  private func condition(_ clause: Clause) -> ClauseOutcome {
    var outcome = ClauseOutcome(clause)
    let applies = self.applies(clause, &outcome.evidence)
    guard applies != .false else { return outcome.settled(.true, applies: .false) }
    let holds = clause.requirement.map { self.evaluate($0, wanted: true, &outcome.evidence) } ?? .true
    outcome.duties = self.duties(of: clause, &outcome.evidence)
    return outcome.settled((!applies).or(holds), applies: applies)
  }

  private func applies(_ clause: Clause, _ evidence: inout Evidence) -> Truth {
    clause.when.map { self.evaluate($0, wanted: false, &evidence) } ?? .true
  }

  private func forbiddenAction(_ clause: Clause) -> ClauseOutcome {
    var outcome = ClauseOutcome(clause)
    guard let forbids = clause.forbids else { return outcome }
    let applies = self.applies(clause, &outcome.evidence)
    guard applies != .false else { return outcome.settled(.true, applies: .false) }
    var happens = Truth(forbids.actions.contains(self.action))
    if let declared = forbids.declaredBy, happens == .false {
      happens = self.evaluate(declared, wanted: false, &outcome.evidence)
    }
    let excused =
      happens == .false
      ? Truth.false : forbids.unless.map { self.evaluate($0, wanted: true, &outcome.evidence) } ?? .false
    outcome.duties = self.duties(of: clause, &outcome.evidence)
    return outcome.settled(!applies.and(happens).and(!excused), applies: applies)
  }

  private func obligation(_ clause: Clause) -> ClauseOutcome {
    var outcome = ClauseOutcome(clause)
    let applies = self.applies(clause, &outcome.evidence)
    guard applies != .false else { return outcome.settled(.true, applies: .false) }
    var done = Truth.true
    var blocks = false
    for duty in clause.duties {
      guard let predicate = duty.blockingPredicate(at: self.action.moments) else { continue }
      blocks = true
      done = done.and(self.evaluate(predicate, wanted: true, &outcome.evidence))
    }
    outcome.duties = self.duties(of: clause, &outcome.evidence)
    if !blocks, applies == .unknown { done = .unknown }
    return outcome.settled((!applies).or(done), applies: applies)
  }

  private func termination(_ clause: Clause) -> ClauseOutcome {
    var outcome = ClauseOutcome(clause)
    let ended = self.applies(clause, &outcome.evidence)
    if ended != .false, let key = clause.from, let declaration = self.file.factsByKey[key] {
      let reading = self.reading(declaration)
      outcome.evidence.note(reading)
      if case .day(let day)? = reading.value {
        outcome.from = day
        if day.start > self.time {
          outcome.evidence.note(until: day.start)
          outcome.state = .dated
          return outcome
        }
      }
    }
    if ended == .true { outcome.duties = self.duties(of: clause, &outcome.evidence) }
    return outcome.settled(!ended, applies: .true)
  }

  /// The duties of a clause as they ride along with the standing.
  func duties(of clause: Clause, _ evidence: inout Evidence) -> [StandingDuty.Kind] {
    guard clause.kind != .information, self.request == nil else { return [] }
    return clause.duties.compactMap { self.kind(of: $0, &evidence) }
  }

  private func kind(of duty: Duty, _ evidence: inout Evidence) -> StandingDuty.Kind? {
    if duty.isRecord, duty.blockingPredicate(at: self.action.moments) != nil { return nil }
    return switch duty {
    case .provideDocument(let role, let to, let before, let proof):
      .provideDocument(role: role, to: to, before: before, proof: proof)
    case .includeNotice(let id, let check, _): self.noticeDuty(id, check, &evidence)
    case .display(let text, let places): .display(text: text, places: places)
    case .namePrefix(let prefix): .namePrefix(prefix)
    case .bindRecipient(let document, let proof, _, _): .bindRecipient(document: document, proof: proof)
    case .attest(let fact, _): .attest(fact: fact)
    case .register(let fact, _): .register(fact: fact)
    case .deleteMaterials(let days, let proof): .deleteMaterials(withinDays: days, proof: proof)
    case .report(let to): .report(to: to)
    case .showText(let places): .showText(places: places)
    case .header(let name, let value): .header(name: name, value: value)
    }
  }

  private func noticeDuty(_ id: String, _ check: Predicate?, _ evidence: inout Evidence) -> StandingDuty.Kind? {
    guard let notice = self.file.notices.first(where: { $0.id == id }) else { return nil }
    var own = Evidence()
    let truth = check.map { self.evaluate($0, wanted: true, &own) } ?? .unknown
    evidence.absorb(own)
    return .includeNotice(file: notice.file, text: notice.text, isDone: truth == .unknown ? nil : truth == .true)
  }
}

extension ClauseOutcome {
  /// The outcome once it is known how far the clause is complied with.
  func settled(_ truth: Truth, applies: Truth) -> ClauseOutcome {
    var outcome = self
    outcome.truth = truth
    switch truth {
    case .true:
      outcome.effect = .allow
      outcome.state = applies == .false ? .notApplicable : .met
    case .false:
      outcome.effect = self.clause.effectWhenViolated
      outcome.state = self.evidence.failures.contains { $0.state == .contradicted } ? .contradicted : .violated
    case .unknown: outcome.settleUnknown()
    }
    return outcome
  }

  /// What only a request can tell is left to it; what a record could tell is asked for.
  private mutating func settleUnknown() {
    let open = self.evidence.unknowns.filter { $0.state != .deferred }
    self.isPending = open.count < self.evidence.unknowns.count
    if open.isEmpty, self.isPending {
      self.state = .deferred
      self.effect = .allow
      return
    }
    self.state = open.first?.state ?? .missing
    self.effect = self.clause.onUnknown
    if self.effect >= .requireRecord { self.wanting = open }
  }

  func lifted(_ state: ClauseState, because: String) -> ClauseOutcome {
    var outcome = self
    outcome.state = state
    outcome.effect = .allow
    outcome.because = because
    outcome.wanting = []
    outcome.isPending = false
    return outcome
  }
}

extension Clause {
  /// Whether the clause is looked at for an action. What is asked at registration or onboarding stands for every action after.
  func applies(to action: Action) -> Bool { self.lookedAtFor.contains(action) }

  var forbidsUses: Bool { self.forbids.map { $0.actions.isEmpty } ?? false }

  var effectWhenViolated: Effect {
    self.kind == .prohibition || self.kind == .termination ? self.onTrue : self.onFalse
  }
}

extension Duty {
  /// Done by recording a fact: where it blocks, it is asked for as a missing fact and is no duty besides.
  var isRecord: Bool {
    switch self {
    case .attest, .register, .bindRecipient: true
    case .provideDocument, .includeNotice, .display, .namePrefix, .deleteMaterials, .report, .showText, .header: false
    }
  }

  /// What has to be true at these moments for the duty not to block; nil where it does not block.
  func blockingPredicate(at moments: Set<Moment>) -> Predicate? {
    switch self {
    case .attest(let fact, let blocking), .register(let fact, let blocking), .bindRecipient(_, _, let blocking, let fact?):
      blocking.isDisjoint(with: moments) ? nil : .fact(fact, .isOneOf([.bool(true)]))
    case .includeNotice(_, let check, let blocking): blocking.isDisjoint(with: moments) ? nil : check
    case .provideDocument, .display, .namePrefix, .bindRecipient, .deleteMaterials, .report, .showText, .header: nil
    }
  }
}
