import GovernanceTypes

/// Puts into a sentence what a person has to do; everything in it comes from the term file and the facts.
struct RemedyWriter {
  private let context: EvaluationContext

  init(_ context: EvaluationContext) { self.context = context }

  /// The remedy of a clause as a whole.
  func remedy(_ outcome: ClauseOutcome, _ leaf: Leaf?) -> String {
    let remedy = self.words(outcome, leaf)
    guard !self.context.file.isVerified(outcome.clause), !remedy.isEmpty else { return remedy }
    return remedy + " The reading of this clause is not verified against its source."
  }

  private func words(_ outcome: ClauseOutcome, _ leaf: Leaf?) -> String {
    let clause = outcome.clause
    switch (outcome.truth, clause.kind) {
    case (.false, .termination): return self.terminated(outcome)
    case (.false, .grant): return "No grant of \(self.context.file.title) covers '\(self.context.action.rawValue)'."
    case (.false, _) where clause.forbids != nil: return self.forbidden(outcome)
    case (.false, _): return self.violated(clause, leaf)
    case (.unknown, _):
      if let leaf = outcome.wanting.first ?? leaf { return self.remedy(leaf, for: clause) }
      return "Nothing has looked for the uses that clause \(clause.ref) forbids; start the classifier and send the request again."
    case (.true, _): return ""
    }
  }

  /// The remedy of one fact that is not known well enough.
  func remedy(_ leaf: Leaf, for clause: Clause) -> String {
    let key = self.context.key(leaf.place)
    let fact = self.context.fact(leaf.place)
    let who = self.name(of: self.context.subject(fact))
    let ask =
      "\(self.verb(fact.declaration)) `\(key)` for \(who)\(self.value(leaf, fact.declaration))\(self.scope(leaf.threshold))"
    let basis = " (clause \(clause.ref)).\(self.supply(leaf))\(self.statement(leaf))"
    switch leaf.state {
    case .expired: return "The record of `\(key)` for \(who) no longer holds. \(ask)\(basis)"
    case .notTightEnough:
      return "What is known of `\(key)` (\(self.known(leaf) ?? "nothing")) does not decide. \(ask)\(basis)"
    case .contradicted:
      return "What is attested of `\(key)` for \(who) contradicts what was measured (\(self.known(leaf) ?? "")). "
        + "\(ask) that agrees with the measurement\(basis)"
    case .met, .violated, .missing, .notApplicable, .exempt, .cured, .deferred, .dated: return "\(ask)\(basis)"
    }
  }

  private func known(_ leaf: Leaf) -> String? { self.context.reading(leaf.place).text }

  private func verb(_ declaration: FactDeclaration) -> String {
    if declaration.subject == .request { return "Send" }
    if declaration.sources.contains(.attestation) { return "Post an attestation of" }
    if declaration.sources.contains(.screening) { return "Record a screening of" }
    if declaration.sources.contains(.config) { return "Configure" }
    return "Record"
  }

  private func name(of subject: Subject) -> String {
    switch subject {
    case .operator: "the operator"
    case .party(let id): "customer \(id)"
    case .model: self.context.question.parts.map(\.phrase).joined(separator: " and ")
    case .request: "the request"
    }
  }

  private func value(_ leaf: Leaf, _ declaration: FactDeclaration) -> String {
    let wish = leaf.wish(declaration)
    switch wish.suitable {
    case nil: return ""
    case .interval(_, let upper?): return " with an upper bound of at most \(self.number(upper, declaration))"
    case .interval(let lower?, nil): return " with a lower bound of at least \(self.number(lower, declaration))"
    case .interval(nil, nil): return ""
    case .set where !wish.values.isEmpty: return " with one of \(wish.values.joined(separator: ", "))"
    case .set: return " as a list that names none of what the clause forbids"
    case let suitable? where wish.values.count > 1 && wish.values.contains(suitable.description):
      return wish.values.count > 12 ? "" : " with one of \(wish.values.joined(separator: ", "))"
    case let suitable?: return " with the value \(suitable)"
    }
  }

  private func number(_ value: Int128, _ declaration: FactDeclaration) -> String {
    declaration.currency.map { Money(NanoAmount(value), $0).description } ?? "\(value)"
  }

  /// Whose numbers count, over which products and which month.
  private func scope(_ threshold: Threshold?) -> String {
    guard let threshold else { return "" }
    var words = threshold.entities.sorted { $0.place < $1.place }.map(\.words).joined(separator: " and ")
    if let control = threshold.controlOver ?? threshold.controlAtLeast, threshold.entities.contains(.affiliates) {
      let share = self.context.file.text(of: control, self.context.parameters)
      words += threshold.controlOver == nil ? " (control of \(share) or more)" : " (control above \(share))"
    }
    if let day = threshold.entitiesAsOf { words += " as of \(day)" }
    words += ", products: \(self.context.file.text(of: threshold.products, self.context.parameters))"
    if threshold.unit != nil { words += ", zone \(self.context.file.text(of: threshold.zone, self.context.parameters))" }
    return ", counting \(words)"
  }

  /// Why a number is asked of a person although users are counted here, or that it is not counted at all.
  private func supply(_ leaf: Leaf) -> String {
    guard leaf.threshold != nil else { return "" }
    let measure = self.context.file.measure(
      of: self.context.fact(leaf.place).declaration, parameters: self.context.parameters)
    return measure == nil
      ? " The gateway cannot count this number: only a statement supplies it."
      : " The gateway counts the users it sees; that can refute the statement and does not replace it."
  }

  /// The sentence that is stated.
  private func statement(_ leaf: Leaf) -> String {
    self.context.fact(leaf.place).declaration.statement.map { " What is stated: \"\($0)\"" } ?? ""
  }

  private func violated(_ clause: Clause, _ leaf: Leaf?) -> String {
    var text = "Clause \(clause.ref) is not complied with"
    if let leaf {
      text += ": `\(self.context.key(leaf.place))` of \(self.name(of: self.context.subject(self.context.fact(leaf.place))))"
      text += " is \(self.known(leaf) ?? "not recorded")"
    }
    return text + "." + self.cure(clause)
  }

  private func cure(_ clause: Clause) -> String {
    guard let id = clause.curedBy, let exception = self.context.file.exceptions.first(where: { $0.id == id }) else { return "" }
    let contact = exception.contact.map { " (contact: \($0))" } ?? ""
    return " Only a grant by the licensor, recorded as exception `\(id)`, lifts it\(contact)."
  }

  private func forbidden(_ outcome: ClauseOutcome) -> String {
    let clause = outcome.clause
    guard let use = outcome.findings.first else { return self.violated(clause, outcome.evidence.failures.first) }
    var text = "Use \(use.id) (\(use.text)) is forbidden by clause \(clause.ref)."
    if let fact = use.clearedBy {
      text += " It is lawful only for a party of whom `\(fact)` is attested as true with evidence."
    }
    return text + self.cure(clause)
  }

  private func terminated(_ outcome: ClauseOutcome) -> String {
    let since = outcome.from.map { " on \($0)" } ?? ""
    let delete = outcome.clause.duties.contains { if case .deleteMaterials = $0 { true } else { false } }
    return "The license of \(self.name(of: self.context.party)) ended\(since) (clause \(outcome.clause.ref)); "
      + (delete ? "stop, delete the materials and record the deletion." : "stop using the materials.")
  }
}

extension Threshold.Entity {
  /// The party first.
  fileprivate var place: Int {
    switch self {
    case .licensee: 0
    case .affiliates: 1
    case .product: 2
    }
  }

  fileprivate var words: String {
    switch self {
    case .licensee: "the party itself"
    case .affiliates: "its affiliates"
    case .product: "each product"
    }
  }
}
