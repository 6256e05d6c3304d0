/// How likely one token of a completion was, by the model's own distribution: before temperature, penalties and any cut.
public struct TokenLogprob: Sendable, Equatable {
  public var token: ScoredToken
  /// The likeliest tokens at this place, the likeliest first; the chosen one is among them where it is one of these.
  public var alternatives: [ScoredToken]

  public init(token: ScoredToken, alternatives: [ScoredToken] = []) {
    self.token = token
    self.alternatives = alternatives
  }
}

public struct ScoredToken: Sendable, Equatable {
  /// What the token shows by itself, bytes that are no UTF-8 as U+FFFD.
  public var text: String
  /// The exact bytes: several tokens may have to be joined for one character.
  public var bytes: [UInt8]
  /// Natural logarithm of the probability; at most 0.
  public var logprob: Float

  public init(text: String, bytes: [UInt8], logprob: Float) {
    self.text = text
    self.bytes = bytes
    self.logprob = logprob
  }
}
