// Sampling: one position's logits to one token, repeatable from a seed on any machine.
// It holds the sampler, the cuts and penalties, its random numbers and exponential, and log-probabilities.
// It must never know a vocabulary, a model, a thread or where the logits come from.

/// Chooses a token from logits; a value, so that each sequence has its own and a copy replays the same choices.
///
/// The same logits and seed give the same token on every machine. One number is drawn for each call that is not greedy.
/// Logits that are NaN count as minus infinity; where nothing is above minus infinity, token 0 is chosen; where a logit is plus
/// infinity, the first such token is. After the first call with a vocabulary of one size no memory is allocated.
///
/// Order: bias, penalties, the mask of a wanted form; then temperature, min-p, top-k and top-p of what is left.
public struct Sampler: Sendable {
  private let inverseTemperature: Float
  private let isGreedy: Bool
  private let topK: Int
  private let topP: Double
  private let minP: Float
  private var adjustment: LogitAdjustment
  private var random: RandomStream
  /// By token: exp((logit - best) / temperature).
  private var weights: [Float] = []
  private var selection = Selection()

  /// - Parameters:
  ///   - temperature: 0, below or NaN is greedy: the best logit, the lowest id among equals.
  ///   - topK: keeps this many of the best; 0 or below keeps all.
  ///   - topP: then keeps the fewest of the best whose share of the rest's probability reaches this; 1, above or NaN keeps all,
  ///     0 or below only the best.
  ///   - minP: first drops tokens less likely than this share of the likeliest; 0, below or NaN drops none, 1 or above all but
  ///     the likeliest.
  public init(
    temperature: Double, topK: Int, topP: Double, seed: UInt64, minP: Double = 0, adjustment: LogitAdjustment = LogitAdjustment()
  ) {
    self.isGreedy = !(temperature > 0)
    // Bounded, so that a difference of 0 stays 0 at the smallest temperatures.
    self.inverseTemperature = Float(min(1 / temperature, Double(Float.greatestFiniteMagnitude)))
    self.topK = topK
    self.topP = topP
    self.minP = minP > 0 ? Float(min(minP, 1)) : 0
    self.adjustment = adjustment
    self.random = RandomStream(seed: seed)
  }

  /// Takes note of tokens that the sequence already has; penalties look at them.
  public mutating func observe(prompt tokens: some Sequence<Int32>) { self.adjustment.observe(prompt: tokens) }
  public mutating func observe(_ token: Int32) { self.adjustment.observe(token) }

  /// The chosen token: an index into `logits`, 0 where they are empty.
  ///
  /// - Parameter allowed: one bit a token; those whose bit is 0 or missing are never chosen. Where none is left, token 0 is returned.
  /// - Complexity: O(n) for any distribution and any setting.
  public mutating func sample(_ logits: Span<Float>, allowed: [UInt64]? = nil) -> Int {
    guard self.adjustment.isNeeded || allowed != nil else { return self.choose(logits) }
    var scores = self.adjustment.takeScores()
    self.adjustment.apply(logits, allowed, to: &scores)
    let choice = self.choose(scores.span)
    self.adjustment.giveBack(scores)
    return choice
  }

  private mutating func choose(_ logits: Span<Float>) -> Int {
    let best = Sampler.best(logits)
    guard !self.isGreedy else { return best.index }
    let draw = self.random.nextUnit()
    guard best.logit.isFinite else { return best.index }
    self.weigh(logits, best: best.logit)
    self.selection.begin(weights: self.weights)
    if self.topK > 0, self.topK < logits.count {
      self.selection.keep(.tokens(self.topK), logits, self.weights)
    }
    if self.topP < 1 {
      self.selection.keep(.share(self.topP), logits, self.weights)
    }
    return self.selection.token(at: draw, logits, self.weights) ?? best.index
  }

  /// The largest logit and its lowest index.
  private static func best(_ logits: Span<Float>) -> (index: Int, logit: Float) {
    var best = (index: 0, logit: -Float.infinity)
    for index in logits.indices where logits[index] > best.logit {
      best = (index, logits[index])
    }
    return best
  }

  private mutating func weigh(_ logits: Span<Float>, best: Float) {
    let count = logits.count
    if self.weights.count != count { self.weights = [Float](repeating: 0, count: count) }
    for index in 0..<count {
      let weight = exponential((logits[index] - best) * self.inverseTemperature)
      self.weights[index] = weight < self.minP ? 0 : weight
    }
  }
}
