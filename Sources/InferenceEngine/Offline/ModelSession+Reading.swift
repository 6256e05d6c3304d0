internal import Glibc
public import LlamaModel

/// How well a model foretells a text.
public struct PerplexityResult: Sendable, Equatable {
  /// e to the mean of ``meanNegativeLogLikelihood``.
  public let perplexity: Double
  /// In nats, over ``predictedTokens``.
  public let meanNegativeLogLikelihood: Double
  public let predictedTokens: Int
}

extension ModelSession {
  /// How well the model foretells a text, read in windows of `window` tokens without overlap, each from its own beginning; the last
  /// window may be shorter. Of each window every token but the first counts.
  ///
  /// - Throws: `invalidOption` where the window is not 2 to the context, `invalidTokens` where there are fewer than two.
  public func perplexity(_ tokens: [Int32], window: Int? = nil) throws(EngineError) -> PerplexityResult {
    let window = window ?? min(512, self.contextLength)
    guard (2...self.contextLength).contains(window) else {
      throw EngineError(.invalidOption, "The window is \(window) tokens; 2 to \(self.contextLength) are possible.")
    }
    guard tokens.count >= 2 else { throw EngineError(.invalidTokens, "At least two tokens are needed.") }
    var (sum, count) = (0.0, 0)
    for start in stride(from: 0, to: tokens.count - 1, by: window) {
      let part = Array(tokens[start..<min(start + window, tokens.count)])
      guard part.count >= 2 else { break }
      try self.check(part)
      var position = 0
      try self.read(part, into: self.makeCache(positions: part.count), logits: .all) { rows in
        for row in 0..<rows {
          position += 1
          guard position < part.count else { return }
          sum += self.pass.withLogits(row: row) { Self.negativeLogLikelihood(of: part[position], $0) }
          count += 1
        }
      }
    }
    let mean = sum / Double(count)
    return PerplexityResult(perplexity: exp(mean), meanNegativeLogLikelihood: mean, predictedTokens: count)
  }

  private static func negativeLogLikelihood(of token: Int32, _ logits: Span<Float>) -> Double {
    var high = -Double.infinity
    for index in logits.indices { high = max(high, Double(logits[index])) }
    var sum = 0.0
    for index in logits.indices { sum += exp(Double(logits[index]) - high) }
    return high + log(sum) - Double(logits[Int(token)])
  }

  /// The hidden state after the last norm, pooled over the tokens and brought to length 1: (embeddingLength,).
  ///
  /// - Throws: `invalidTokens` where there are none, more than the context, or one is outside the vocabulary.
  public func embedding(_ tokens: [Int32], pooling: Pooling) throws(EngineError) -> [Float] {
    try self.check(tokens)
    var pool = HiddenPool(pooling, width: self.model.hyperparameters.embeddingLength)
    try self.read(tokens, into: self.makeCache(positions: tokens.count), logits: .none) { _ in
      pool.add(self.pass)
    }
    return pool.result()
  }
}
