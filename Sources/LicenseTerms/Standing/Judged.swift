import GovernanceTypes

/// How one clause came out for one party, with what it was judged against: enough to put the result into words later.
struct Judged: Sendable {
  let outcome: ClauseOutcome
  let context: EvaluationContext

  var code: RefusalCode {
    if self.outcome.clause.kind == .termination { return .terminated }
    return self.outcome.resolved.isAcceptance ? .notAccepted : .terms
  }

  var refuses: Bool { self.outcome.effect >= .requireRecord }

  /// The graver effect decides; among equals terminations, then acceptance, then the order of ids. The order of clauses in
  /// their file does not matter.
  func decidesBefore(_ other: Judged) -> Bool {
    if self.outcome.effect != other.outcome.effect { return self.outcome.effect > other.outcome.effect }
    let (code, otherCode) = (self.code.rank, other.code.rank)
    if code != otherCode { return code < otherCode }
    if self.context.file.id != other.context.file.id { return self.context.file.id < other.context.file.id }
    if self.outcome.clause.id != other.outcome.clause.id { return self.outcome.clause.id < other.outcome.clause.id }
    if self.context.party != other.context.party, self.context.party == .operator || other.context.party == .operator {
      return self.context.party == .operator
    }
    return self.context.question.parts.lexicographicallyPrecedes(other.context.question.parts)
  }

  /// The duties that ride along, each with its state and what shows it done.
  var duties: [StandingDuty] {
    var duties: [StandingDuty] = []
    if self.carriesDuties {
      for resolved in self.outcome.resolved.duties {
        guard let kind = self.kind(of: resolved) else { continue }
        let proof = self.proof(of: resolved)
        duties.append(self.duty(kind, proof.state, proof.record))
      }
    }
    for (key, due) in self.reaffirmations where due <= self.context.time {
      duties.append(self.duty(.reaffirm(fact: key, since: due.day), .overdue, nil))
    }
    return duties
  }

  private var carriesDuties: Bool {
    let state = self.outcome.state
    return self.outcome.carriesDuties && state != .notApplicable && state != .exempt && state != .cured
  }

  /// Done where a fact or an event says so; a deletion is overdue once its days have passed.
  private func proof(of resolved: ResolvedClause.ResolvedDuty) -> (state: StandingDuty.State, record: String?) {
    if let event = resolved.event, let record = self.context.event(event) { return (.done, record.reference) }
    if let proof = resolved.proof {
      var evidence = Evidence()
      if self.context.evaluate(proof, wanted: true, &evidence) == .true {
        return (.done, evidence.read.places.first.flatMap { self.context.reading($0).record?.reference })
      }
    }
    if let due = self.deletionDue(resolved.duty), due <= self.context.time { return (.overdue, nil) }
    return (.open, nil)
  }

  private func deletionDue(_ duty: Duty) -> Timestamp? {
    guard case .deleteMaterials(let days, _) = duty else { return nil }
    return self.outcome.from.map { $0.start.advanced(byDays: days) }
  }

  /// The earliest later instant at which the state of a duty changes by itself.
  var dutiesEnd: Timestamp? {
    guard self.carriesDuties else { return nil }
    var end: Timestamp?
    for resolved in self.outcome.resolved.duties {
      let changes = [self.deletionDue(resolved.duty), resolved.event.flatMap { self.context.nextEvent($0) }]
      for case let change? in changes where change > self.context.time { end = min(end ?? change, change) }
      guard resolved.event == nil, let proof = resolved.proof else { continue }
      var evidence = Evidence()
      _ = self.context.evaluate(proof, wanted: true, &evidence)
      if let until = evidence.until { end = min(end ?? until, until) }
    }
    return end
  }

  /// The facts read that are to be affirmed again, with the instant from which on.
  var reaffirmations: [(key: String, due: Timestamp)] {
    let reaffirmed = self.context.file.resolved.reaffirmed
    guard !self.outcome.evidence.read.isDisjoint(with: reaffirmed) else { return [] }
    return self.outcome.evidence.read.places.filter(reaffirmed.contains).compactMap { place in
      let reading = self.context.reading(place)
      guard let days = reading.declaration.reaffirmAfterDays, let record = reading.record, record.source != .measured else {
        return nil
      }
      return (self.context.key(place), record.recordedAt.advanced(byDays: days))
    }
  }

  private func duty(_ kind: StandingDuty.Kind, _ state: StandingDuty.State, _ record: String?) -> StandingDuty {
    let clause = self.outcome.clause
    return StandingDuty(
      termFile: self.context.file.id, clause: clause.id, ref: clause.ref, party: self.context.party, kind: kind, state: state,
      record: record)
  }

  /// A duty that is done by recording a fact is asked for as a missing fact where it blocks, and is no duty besides.
  private func kind(of resolved: ResolvedClause.ResolvedDuty) -> StandingDuty.Kind? {
    if resolved.duty.isRecord, resolved.blocking(self.context.action) != nil { return nil }
    return switch resolved.duty {
    case .provideDocument(let role, let to, let before, let proof):
      .provideDocument(role: role, to: to, before: before, proof: proof)
    case .includeNotice: self.noticeDuty(resolved)
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

  private func noticeDuty(_ resolved: ResolvedClause.ResolvedDuty) -> StandingDuty.Kind? {
    guard let notice = resolved.notice else { return nil }
    var evidence = Evidence()
    let truth = resolved.proof.map { self.context.evaluate($0, wanted: true, &evidence) } ?? .unknown
    return .includeNotice(file: notice.file, text: notice.text, isDone: truth == .unknown ? nil : truth == .true)
  }
}

extension Duty {
  /// Done by recording a fact.
  fileprivate var isRecord: Bool {
    switch self {
    case .attest, .register, .bindRecipient: true
    case .provideDocument, .includeNotice, .display, .namePrefix, .deleteMaterials, .report, .showText, .header: false
    }
  }
}

extension RefusalCode {
  fileprivate var rank: Int {
    switch self {
    case .terminated: 0
    case .notAccepted: 1
    case .terms: 2
    }
  }
}
