internal import Glibc

/// Log-probabilities by the distribution that the logits are, before anything is done to them.
public struct Logprobs: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    public var token: Int
    /// Natural logarithm; at most 0. Minus infinity for a logit that is NaN.
    public var logprob: Float
  }

  /// That of the chosen token.
  public let chosen: Entry
  /// The likeliest, the lowest id first among equals.
  public let best: [Entry]

  /// - Precondition: `token` is an index of `logits`.
  /// - Complexity: O(n * alternatives).
  public init(_ logits: Span<Float>, of token: Int, alternatives: Int) {
    var best: [Entry] = []
    best.reserveCapacity(alternatives + 1)
    var highest = -Float.infinity
    for index in 0..<logits.count where logits[index] > highest { highest = logits[index] }
    var sum = 0.0
    for index in 0..<logits.count { sum += Double(exponential(logits[index] - highest)) }
    let total = Float(log(sum)) + highest
    let logprob = { (logit: Float) in logit.isNaN ? -Float.infinity : min(0, logit - total) }
    for index in 0..<logits.count where alternatives > 0 {
      let logit = logits[index]
      // The entries hold logits until all are known.
      guard best.count < alternatives || logit > best[best.count - 1].logprob, !logit.isNaN else { continue }
      let place = best.firstIndex { $0.logprob < logit } ?? best.count
      best.insert(Entry(token: index, logprob: logit), at: place)
      if best.count > alternatives { best.removeLast() }
    }
    self.chosen = Entry(token: token, logprob: logprob(logits[token]))
    self.best = best.map { Entry(token: $0.token, logprob: logprob($0.logprob)) }
  }
}
