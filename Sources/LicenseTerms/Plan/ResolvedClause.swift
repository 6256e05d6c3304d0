import GovernanceTypes

/// A clause with all that it reads resolved to places, and what exempts from it beside it.
final class ResolvedClause: Sendable {
  struct Exemption: Sendable {
    let clause: Clause
    let when: ResolvedPredicate
  }

  struct ResolvedDuty: Sendable {
    let duty: Duty
    /// What is true once the duty is done; nil where nothing tells.
    let proof: ResolvedPredicate?
    let blockingAt: Set<Moment>
    /// The notice to include.
    let notice: TermFile.Notice?
    /// The event of the party that shows the duty done: `document.delivered.<term file>.<role>`, `materials.deleted.<term file>`.
    let event: String?
  }

  struct ForbiddenUse: Sendable {
    let use: TermFile.Use
    let clearedBy: ResolvedPredicate?
  }

  let clause: Clause
  let bindsCustomersWhen: ResolvedPredicate?
  let when: ResolvedPredicate?
  let exemptWhen: ResolvedPredicate?
  let requirement: ResolvedPredicate?
  let declaredBy: ResolvedPredicate?
  let unless: ResolvedPredicate?
  let duties: [ResolvedDuty]
  let exemptions: [Exemption]
  let uses: [ForbiddenUse]
  let from: Int?
  let findings: Int?
  let checked: Int?
  let purposes: Int?
  /// The outcome depends on who is asked.
  let readsPartyFacts: Bool
  /// The clause rests on an acceptance of texts: it reads a fact that holds for those texts only.
  let isAcceptance: Bool

  init(_ clause: Clause, _ parts: TermParts, _ names: PlaceNames) {
    self.clause = clause
    self.bindsCustomersWhen = names.resolve(clause.bindsCustomersWhen)
    self.when = names.resolve(clause.when)
    self.exemptWhen = names.resolve(clause.exemptWhen)
    self.requirement = names.resolve(clause.requirement)
    self.declaredBy = names.resolve(clause.forbids?.declaredBy)
    self.unless = names.resolve(clause.forbids?.unless)
    self.duties = clause.duties.map { duty in
      ResolvedDuty(
        duty: duty, proof: names.resolve(duty.proof), blockingAt: duty.blockingAt,
        notice: duty.notice.flatMap { id in parts.notices.first { $0.id == id } }, event: duty.event(of: parts.id))
    }
    self.exemptions = parts.clauses.filter { $0.kind == .exemption && $0.exempts.contains(clause.id) }
      .sorted { $0.id < $1.id }
      .compactMap { exemption in names.resolve(exemption.when).map { Exemption(clause: exemption, when: $0) } }
    self.uses = (clause.forbids?.uses ?? []).compactMap { parts.usesByID[$0] }.map { use in
      ForbiddenUse(use: use, clearedBy: names.resolve(use.clearedBy.map { .fact($0, .isOneOf([.bool(true)])) }))
    }
    self.from = names.place(of: clause.from)
    self.findings = names.place(of: clause.forbids?.findings)
    self.checked = names.place(of: clause.forbids?.checked)
    self.purposes = names.place(of: clause.forbids?.purposes)
    let read = clause.factKeys.compactMap { parts.factsByKey[$0] }
    self.readsPartyFacts = clause.predicates.contains { $0.readsExceptions } || read.contains { $0.subject.isParty }
    self.isAcceptance = read.contains { $0.expiresOnDocumentChange }
  }
}

extension Duty {
  /// What is true once the duty is done, where a fact tells.
  fileprivate var proof: Predicate? {
    switch self {
    case .attest(let fact, _), .register(let fact, _), .bindRecipient(_, _, _, let fact?): .fact(fact, .isOneOf([.bool(true)]))
    case .includeNotice(_, let check, _): check
    case .provideDocument, .display, .namePrefix, .bindRecipient, .deleteMaterials, .report, .showText, .header: nil
    }
  }

  fileprivate var blockingAt: Set<Moment> {
    switch self {
    case .attest(_, let blocking), .register(_, let blocking), .bindRecipient(_, _, let blocking, _),
      .includeNotice(_, _, let blocking):
      blocking
    case .provideDocument, .display, .namePrefix, .deleteMaterials, .report, .showText, .header: []
    }
  }

  fileprivate func event(of terms: TermFileID) -> String? {
    switch self {
    case .provideDocument(let role, _, _, _): "document.delivered.\(terms).\(role)"
    case .deleteMaterials: "materials.deleted.\(terms)"
    case .attest, .register, .bindRecipient, .includeNotice, .display, .namePrefix, .report, .showText, .header: nil
    }
  }

  fileprivate var notice: String? {
    if case .includeNotice(let notice, _, _) = self { notice } else { nil }
  }
}

extension ResolvedClause.ResolvedDuty {
  /// What has to be true for the duty not to block an action; nil where it does not block.
  func blocking(_ action: Action) -> ResolvedPredicate? {
    self.blockingAt.isEmpty || self.blockingAt.isDisjoint(with: action.moments) ? nil : self.proof
  }
}
