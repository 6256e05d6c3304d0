public import GovernanceTypes

/// What the license says of one request of a party whose standing is known.
public struct RequestVerdict: Sendable {
  public let verdict: Verdict
  /// Results of the clauses that only a request can decide; where the standing itself refuses, its deciding result.
  public let clauses: [ClauseResult]
  public let deciding: ClauseResult?
  /// Uses found that the license forbids, as (term file, clause, use id).
  public let findings: [UseFinding]
  public let missing: [MissingFact]
  /// Unknowns that are recorded, not refused.
  public let recorded: [ClauseResult]
  public let duties: [StandingDuty]

  public var code: RefusalCode? { self.deciding?.code }
}

public struct UseFinding: Sendable, Hashable {
  public let termFile: TermFileID
  public let clause: String
  public let use: String
  public let severity: TermFile.Use.Severity
}
