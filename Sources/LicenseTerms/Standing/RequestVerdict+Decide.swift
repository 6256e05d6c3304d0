public import GovernanceTypes

extension Standing {
  /// Whether the verdict still holds.
  public func isCurrent(at time: Timestamp) -> Bool {
    guard time >= self.time else { return false }
    return self.until.map { time < $0 } ?? true
  }

  /// Decides what is left to ask at a request. `request` holds the facts of the request alone: the uses found and looked for,
  /// the declared purpose, the territory, as the term files declare them. O(pending clauses).
  ///
  /// A standing that no longer ``isCurrent(at:)`` must be compiled anew first: what has expired since is not looked at here.
  public func verdict(for request: FactSheet, at time: Timestamp) -> RequestVerdict {
    var results: [ClauseResult] = []
    var missing = MissingFacts()
    var findings: [UseFinding] = []
    for pending in self.pending {
      var context = pending.context
      context.request = request
      context.time = time
      let outcome = context.outcome(of: pending.clause)
      results.append(ClauseResult(outcome, context, pending.profile))
      for leaf in outcome.wanting { missing.add(leaf, outcome, context) }
      findings += outcome.findings.map {
        UseFinding(termFile: context.file.id, clause: pending.clause.id, use: $0.id, severity: $0.severity)
      }
    }
    let refusing = (results + [self.deciding].compactMap { $0 }).filter { $0.effect >= .requireRecord }
    let deciding = refusing.min { $0.decidesBefore($1) }
    return RequestVerdict(
      verdict: Verdict(deciding?.effect ?? .allow), clauses: results, deciding: deciding, findings: findings,
      missing: missing.rows, recorded: (self.clauses + results).filter { $0.effect == .allowAndRecord }, duties: self.duties)
  }
}
