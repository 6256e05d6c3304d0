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
    var judged: [Judged] = []
    judged.reserveCapacity(self.pending.count)
    var deciding = self.decider
    var last: (standing: EvaluationContext, asking: EvaluationContext)?
    for pending in self.pending {
      let context =
        last.flatMap { $0.standing === pending.context ? $0.asking : nil } ?? pending.context.asking(request, at: time)
      last = (pending.context, context)
      let item = Judged(outcome: context.outcome(of: pending.resolved), context: context)
      judged.append(item)
      if item.refuses, deciding.map({ item.decidesBefore($0) }) ?? true { deciding = item }
    }
    return RequestVerdict(
      verdict: Verdict(deciding?.outcome.effect ?? .allow), standing: self, judged: judged, decider: deciding)
  }
}
