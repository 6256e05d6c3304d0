/// The engine after its latest turn, for metrics: gauges, and totals since it started.
///
/// A stream may have shown its last event a moment before the turn that sent it is in these figures.
public struct EngineStatistics: Sendable, Equatable {
  /// Sequences in memory, those that wait for allowance included.
  public var running = 0
  /// Of these, how many wait for allowance.
  public var parked = 0
  /// Requests that wait for a place, sequences that gave theirs up included.
  public var queued = 0
  /// Prompt tokens read, those read again after a sequence gave its place up not included.
  public var promptTokens: UInt64 = 0
  /// Prompt tokens whose keys and values were there already.
  public var cachedPromptTokens: UInt64 = 0
  /// Completion tokens produced.
  public var completionTokens: UInt64 = 0
  /// Forward passes with prompt tokens, and with tokens to decode; one may have both.
  public var prefillSteps: UInt64 = 0
  public var decodeSteps: UInt64 = 0
  /// Sequences ended, in whatever way.
  public var finished: UInt64 = 0
  /// Tokens guessed ahead, and how many of them were right.
  public var guessedTokens: UInt64 = 0
  public var rightGuesses: UInt64 = 0
  /// Times that a sequence gave up its keys and values for another.
  public var suspensions: UInt64 = 0
  /// Bytes of keys and values in use by sequences, kept for later prompts, and held from the system in all.
  public var cacheBytesUsed = 0
  public var cacheBytesKept = 0
  public var cacheBytesResident = 0
}
