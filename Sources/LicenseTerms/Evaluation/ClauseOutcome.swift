import GovernanceTypes

/// What one clause says of one party, before it is put into words.
struct ClauseOutcome: Sendable {
  let resolved: ResolvedClause
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
  /// The clause's duties are in force.
  var carriesDuties = false
  /// A request may still decide otherwise.
  var isPending = false
  /// The clause does not bind the customer.
  var isUnbound = false
  var findings: [TermFile.Use] = []

  init(_ resolved: ResolvedClause, _ truth: Truth = .true, _ state: ClauseState = .met, _ effect: Effect = .allow) {
    self.resolved = resolved
    self.truth = truth
    self.state = state
    self.effect = effect
  }

  var clause: Clause { self.resolved.clause }
}

extension EvaluationContext {
  /// Evaluates a clause for the context's party: in the standing where there is no request yet, at a request otherwise.
  func outcome(of resolved: ResolvedClause) -> ClauseOutcome {
    let clause = resolved.clause
    guard clause.applies(to: self.action) else { return ClauseOutcome(resolved, .true, .notApplicable) }
    var outcome = self.unexempted(resolved)
    guard outcome.effect > .allow || outcome.truth != .true else { return outcome }
    if let exempting = self.exemption(of: resolved, &outcome.evidence) { return outcome.lifted(.exempt, because: exempting) }
    if let record = self.exceptions.first(where: { self.cures(of: $0).contains(clause.id) }) {
      return outcome.lifted(.cured, because: record.id)
    }
    return outcome
  }

  private func unexempted(_ resolved: ResolvedClause) -> ClauseOutcome {
    switch resolved.clause.kind {
    case .grant, .information: ClauseOutcome(resolved)
    case .exemption: self.exemption(resolved)
    case .condition: self.condition(resolved)
    case .prohibition: resolved.clause.forbidsUses ? self.forbiddenUses(resolved) : self.forbiddenAction(resolved)
    case .obligation: self.obligation(resolved)
    case .termination: self.termination(resolved)
    }
  }

  /// The clauses that a record lifts: what it names, as far as the exception may lift it.
  private func cures(of record: ExceptionRecord) -> [String] {
    guard let terms = self.file.exceptions.first(where: { $0.id == record.exception }) else { return [] }
    if record.cures.isEmpty { return terms.cures }
    return terms.mayWaiveOtherClauses ? record.cures : record.cures.filter(terms.cures.contains)
  }

  /// The id of what exempts the party from a clause, where something certainly does.
  private func exemption(of resolved: ResolvedClause, _ evidence: inout Evidence) -> String? {
    if let when = resolved.exemptWhen {
      var own = Evidence()
      let truth = self.evaluate(when, wanted: true, &own)
      evidence.absorb(own)
      if truth == .true { return resolved.clause.id }
    }
    var first: String?
    for exemption in resolved.exemptions where exemption.clause.applies(to: self.action) {
      var own = Evidence()
      let truth = self.evaluate(exemption.when, wanted: true, &own)
      evidence.absorb(own)
      if truth == .true, first == nil { first = exemption.clause.id }
    }
    return first
  }

  private func exemption(_ resolved: ResolvedClause) -> ClauseOutcome {
    var outcome = ClauseOutcome(resolved)
    let truth = resolved.when.map { self.evaluate($0, wanted: true, &outcome.evidence) } ?? .unknown
    outcome.state = truth == .true ? .exempt : .notApplicable
    return outcome
  }

  /// Complied with where the clause does not apply or its requirement holds.
  private func condition(_ resolved: ResolvedClause) -> ClauseOutcome {
    var outcome = ClauseOutcome(resolved)
    let applies = self.applies(resolved, &outcome.evidence)
    guard applies != .false else { return outcome.settled(.true, applies: .false) }
    let holds = resolved.requirement.map { self.evaluate($0, wanted: true, &outcome.evidence) } ?? .true
    self.carryDuties(&outcome)
    return outcome.settled((!applies).or(holds), applies: applies)
  }

  private func applies(_ resolved: ResolvedClause, _ evidence: inout Evidence) -> Truth {
    resolved.when.map { self.evaluate($0, wanted: false, &evidence) } ?? .true
  }

  private func forbiddenAction(_ resolved: ResolvedClause) -> ClauseOutcome {
    var outcome = ClauseOutcome(resolved)
    guard let forbids = resolved.clause.forbids else { return outcome }
    let applies = self.applies(resolved, &outcome.evidence)
    guard applies != .false else { return outcome.settled(.true, applies: .false) }
    var happens = Truth(forbids.actions.contains(self.action))
    if let declared = resolved.declaredBy, happens == .false {
      happens = self.evaluate(declared, wanted: false, &outcome.evidence)
    }
    let excused =
      happens == .false
      ? Truth.false : resolved.unless.map { self.evaluate($0, wanted: true, &outcome.evidence) } ?? .false
    self.carryDuties(&outcome)
    return outcome.settled(!applies.and(happens).and(!excused), applies: applies)
  }

  private func obligation(_ resolved: ResolvedClause) -> ClauseOutcome {
    var outcome = ClauseOutcome(resolved)
    let applies = self.applies(resolved, &outcome.evidence)
    guard applies != .false else { return outcome.settled(.true, applies: .false) }
    var done = Truth.true
    var blocks = false
    for duty in resolved.duties {
      guard let predicate = duty.blocking(self.action) else { continue }
      blocks = true
      done = done.and(self.evaluate(predicate, wanted: true, &outcome.evidence))
    }
    self.carryDuties(&outcome)
    if !blocks, applies == .unknown { done = .unknown }
    return outcome.settled((!applies).or(done), applies: applies)
  }

  private func termination(_ resolved: ResolvedClause) -> ClauseOutcome {
    var outcome = ClauseOutcome(resolved)
    let ended = self.applies(resolved, &outcome.evidence)
    if ended != .false, let place = resolved.from {
      let reading = self.reading(place)
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
    if ended == .true { self.carryDuties(&outcome) }
    return outcome.settled(!ended, applies: .true)
  }

  /// Puts the clause's duties in force, as they ride along with a standing, and notes what tells whether they are done.
  func carryDuties(_ outcome: inout ClauseOutcome) {
    let resolved = outcome.resolved
    guard self.request == nil, !resolved.duties.isEmpty, resolved.clause.kind != .information else { return }
    outcome.carriesDuties = true
    for duty in resolved.duties where duty.notice != nil {
      guard let proof = duty.proof else { continue }
      var own = Evidence()
      _ = self.evaluate(proof, wanted: true, &own)
      outcome.evidence.absorb(own)
    }
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
