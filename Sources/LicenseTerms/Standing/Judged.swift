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
    return self.context.party == .operator && other.context.party != .operator
  }

  /// The duties that ride along.
  var duties: [StandingDuty] {
    var duties: [StandingDuty] = []
    let isInForce = self.outcome.state != .notApplicable && self.outcome.state != .exempt && self.outcome.state != .cured
    if isInForce, self.outcome.carriesDuties {
      duties = self.outcome.resolved.duties.compactMap { self.kind(of: $0) }.map(self.duty)
    }
    guard !self.outcome.evidence.read.isDisjoint(with: self.context.file.resolved.reaffirmed) else { return duties }
    for (key, due) in self.reaffirmations where due <= self.context.time {
      duties.append(self.duty(.reaffirm(fact: key, since: due.day)))
    }
    return duties
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

  private func duty(_ kind: StandingDuty.Kind) -> StandingDuty {
    let clause = self.outcome.clause
    return StandingDuty(
      termFile: self.context.file.id, clause: clause.id, ref: clause.ref, party: self.context.party, kind: kind)
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
