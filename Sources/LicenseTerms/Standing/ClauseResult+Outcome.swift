import GovernanceTypes

extension ClauseResult {
  init(_ outcome: ClauseOutcome, _ context: EvaluationContext, _ profile: ClauseProfile) {
    let clause = outcome.clause
    self.termFile = context.file.id
    self.clause = clause.id
    self.ref = clause.ref
    self.kind = clause.kind
    self.party = context.party
    self.truth = outcome.truth
    self.effect = outcome.effect
    self.state = outcome.state
    self.facts = outcome.evidence.used
    self.summary = clause.summary
    self.because = outcome.because
    let leaf = outcome.truth == .false ? outcome.evidence.failures.first : outcome.evidence.unknowns.first
    self.fact = outcome.truth == .true ? nil : (leaf?.reading.key ?? context.datingFact(of: clause))
    self.remedy = outcome.effect == .allow ? nil : RemedyWriter(context).remedy(outcome, leaf)
    if clause.kind == .termination {
      self.code = .terminated
    } else {
      self.code = profile.isAcceptance ? .notAccepted : .terms
    }
  }

  /// The graver effect decides; among equals terminations, then acceptance, then the order of ids. The order of clauses in
  /// their file does not matter.
  func decidesBefore(_ other: ClauseResult) -> Bool {
    if self.effect != other.effect { return self.effect > other.effect }
    if self.code != other.code { return self.code.rank < other.code.rank }
    if self.termFile != other.termFile { return self.termFile < other.termFile }
    if self.clause != other.clause { return self.clause < other.clause }
    return self.party == .operator && other.party != .operator
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

extension EvaluationContext {
  fileprivate func datingFact(of clause: Clause) -> String? {
    guard let key = clause.from, let declaration = self.file.factsByKey[key] else { return nil }
    return self.file.externalKey(for: declaration, at: self.time, parameters: self.parameters)
  }
}
