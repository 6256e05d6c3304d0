public import GovernanceTypes

/// What the license says of one request of a party whose standing is known. Results are written when asked for.
public struct RequestVerdict: Sendable {
  public let verdict: Verdict
  let standing: Standing
  let judged: [Judged]
  let decider: Judged?

  /// Results of the clauses that only a request can decide.
  public var clauses: [ClauseResult] { self.judged.map(ClauseResult.init) }

  /// The result that decides, the standing's own where it refuses; nil where the verdict is allow.
  public var deciding: ClauseResult? { self.decider.map(ClauseResult.init) }

  public var code: RefusalCode? { self.decider?.code }

  /// Uses found that the license forbids, as (term file, clause, use id).
  public var findings: [UseFinding] {
    self.judged.flatMap { item in
      item.outcome.findings.map {
        UseFinding(termFile: item.context.file.id, clause: item.outcome.clause.id, use: $0.id, severity: $0.severity)
      }
    }
  }

  public var missing: [MissingFact] { MissingFacts(self.judged).rows }

  /// Unknowns that are recorded, not refused.
  public var recorded: [ClauseResult] {
    (self.standing.judged + self.judged).filter { $0.outcome.effect == .allowAndRecord }.map(ClauseResult.init)
  }

  public var duties: [StandingDuty] { self.standing.duties }
}

public struct UseFinding: Sendable, Hashable {
  public let termFile: TermFileID
  public let clause: String
  public let use: String
  public let severity: TermFile.Use.Severity
}
