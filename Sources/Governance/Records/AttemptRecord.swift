internal import Completions
public import GovernanceTypes

/// One attempt of one request at one engine: a request that is retried elsewhere has several, and is charged once.
///
/// A request that the embedded engine served has made one attempt, and its usage record says all of it; rows are kept for engines that
/// tell of their attempts.
public struct AttemptRecord: Sendable, Equatable {
  public enum Outcome: String, Sendable, CaseIterable { case completed, failed, cancelled }

  public var usage: UsageID
  /// From 0, in the order in which they were made.
  public var ordinal: Int
  /// The engine's id in the configuration.
  public var engine: String
  public var outcome: Outcome
  /// Why it failed, in a word.
  public var reason: String?
  /// What the engine counted, or was seen to produce; charged only by the usage record.
  public var tokens: TokenUsage
  public var source: UsageRecord.Source
  public var nanoseconds: Int64

  public init(
    usage: UsageID, ordinal: Int, engine: String, outcome: Outcome, reason: String?, tokens: TokenUsage,
    source: UsageRecord.Source, nanoseconds: Int64
  ) {
    self.usage = usage
    self.ordinal = ordinal
    self.engine = engine
    self.outcome = outcome
    self.reason = reason
    self.tokens = tokens
    self.source = source
    self.nanoseconds = nanoseconds
  }
}

extension AttemptRecord {
  init(_ attempt: EngineAttempt, usage: UsageID, ordinal: Int) {
    self.init(
      usage: usage, ordinal: ordinal, engine: attempt.engine,
      outcome: Outcome(rawValue: attempt.outcome.rawValue) ?? .failed, reason: attempt.reason,
      tokens: TokenUsage(attempt.usage), source: UsageRecord.Source(attempt.countedBy), nanoseconds: attempt.nanoseconds)
  }
}

extension TokenUsage {
  /// An engine's counts as the ledger takes them: none below zero, none above what a count may be.
  init(_ usage: CompletionUsage) {
    func count(_ value: Int) -> TokenCount { TokenCount(min(max(0, value), TokenCount.largest.value / 4)) }
    self.init(
      promptUncached: count(usage.promptUncached), promptCached: count(usage.promptCached), completion: count(usage.completion))
  }
}

extension UsageRecord.Source {
  init(_ counter: TokenCounter) {
    switch counter {
    case .engine: self = .engine
    case .provider: self = .provider
    case .gateway: self = .gateway
    case .estimate: self = .estimate
    }
  }
}
