/// Who counted the tokens of a completion.
public enum TokenCounter: String, Sendable, CaseIterable {
  /// The embedded engine.
  case engine
  /// A remote engine, in its own report.
  case provider
  /// This side, with its own tokenizer, because no report came.
  case gateway
  /// Nobody: no report came, and there is no tokenizer here, so the prompt is an estimate.
  case estimate
}

/// One try at one remote engine: a completion that is retried elsewhere has made several.
public struct EngineAttempt: Sendable, Equatable {
  public enum Outcome: String, Sendable, CaseIterable { case completed, failed, cancelled }

  public var engine: String
  public var outcome: Outcome
  /// Why it failed, in a word.
  public var reason: String?
  public var usage: CompletionUsage
  public var countedBy: TokenCounter
  public var nanoseconds: Int64

  public init(
    engine: String, outcome: Outcome, reason: String? = nil, usage: CompletionUsage = CompletionUsage(),
    countedBy: TokenCounter = .gateway, nanoseconds: Int64 = 0
  ) {
    self.engine = engine
    self.outcome = outcome
    self.reason = reason
    self.usage = usage
    self.countedBy = countedBy
    self.nanoseconds = nanoseconds
  }
}
