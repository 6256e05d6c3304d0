import GovernanceTypes

extension ClauseResult {
  /// Puts how a clause came out into words. O(facts read).
  init(_ judged: Judged) {
    let (outcome, context) = (judged.outcome, judged.context)
    let clause = outcome.clause
    self.termFile = context.file.id
    self.parts = context.question.parts
    self.clause = clause.id
    self.ref = clause.ref
    self.kind = clause.kind
    self.party = context.party
    self.truth = outcome.truth
    self.effect = outcome.effect
    self.state = outcome.state
    self.facts = outcome.evidence.read.places.map(context.used)
    self.summary = clause.summary
    self.because = outcome.because
    let leaf = outcome.truth == .false ? outcome.evidence.failures.first : outcome.evidence.unknowns.first
    self.fact = outcome.truth == .true ? nil : (leaf?.place ?? outcome.resolved.from).map(context.key)
    self.remedy = outcome.effect == .allow ? nil : RemedyWriter(context).remedy(outcome, leaf)
    self.code = judged.code
    self.isVerified = context.file.isVerified(clause)
  }
}
