public import GovernanceTypes

/// The linear tier: what the words of a text weigh, as trained weights say. One immutable value, shared by all scans.
///
/// A text's logit is the sum of the weights of its distinct features over the root of their number, plus a bias; a map of knots makes
/// it the share of violations among texts with that logit, where violations and harmless texts are equally frequent. All sums are of
/// integers and every rounding is stated, so the result equals that of the training script bit for bit.
///
/// Weights, format and figures: `Policies/classifier/README.md`.
public final class LinearClassifier: Sendable {
  /// SHA-256 of the file: names these very weights in every record.
  public let digest: Digest
  /// The term file whose uses the heads are named by.
  public let policy: TermFileID
  /// The uses that the heads tell apart, in the order of the file.
  public let heads: [Head]
  /// From this score on a text is over the threshold, in millionths.
  public let threshold: Int

  public struct Head: Sendable {
    /// Nil for attempts to get round the rules, which are no use of their own.
    public let use: ProhibitedUseID?
    let step: Double
    let bias: Double
  }

  struct Knot: Sendable {
    /// In thousandths of a logit.
    var logit: Int
    /// In millionths.
    var score: Int
  }

  /// Signed bytes, one for each feature slot.
  let weights: [Int8]
  /// One lane for each head, for each slot of the heads; every value fits a signed byte.
  let headWeights: [SIMD32<Int16>]
  let step: Double
  let bias: Double
  /// By how much, in thousandths of a logit, a stretch of a long text counts less than a whole one.
  let stretchBar: Int
  /// Words of a stretch; the next one begins after half of it.
  let stretchWords: Int
  /// Words that say how something is asked.
  let frameWords: HashTable
  let knots: [Knot]
  let headKnots: [Knot]

  init(_ fields: WeightsFile, digest: Digest) {
    self.digest = digest
    self.policy = TermFileID(fields.policy)
    self.heads = fields.heads
    self.threshold = fields.threshold
    self.weights = fields.weights
    self.headWeights = fields.headWeights
    self.step = fields.step
    self.bias = fields.bias
    self.stretchBar = fields.stretchBar
    self.stretchWords = fields.stretchWords
    self.frameWords = HashTable(fields.frameWords.map { (key: $0, value: 1) })
    self.knots = fields.knots
    self.headKnots = fields.headKnots
  }

  /// Thousandths of a logit of `count` features whose weights add up to `sum`.
  static func logit(sum: Int, count: Int, step: Double, bias: Double) -> Int {
    let mean = count == 0 ? 0 : step * Double(sum) / Double(count).squareRoot()
    return Int(((mean + bias) * 1000 + 0.5).rounded(.down))
  }

  /// Integer interpolation between knots, rounded down. O(log knots).
  static func score(_ logit: Int, _ knots: [Knot]) -> Int {
    guard let first = knots.first, let last = knots.last, logit > first.logit else { return knots.first?.score ?? 0 }
    guard logit < last.logit else { return last.score }
    var low = 0
    var high = knots.count - 1
    while high - low > 1 {
      let middle = (low + high) / 2
      if knots[middle].logit < logit { low = middle } else { high = middle }
    }
    let (from, to) = (knots[low], knots[high])
    return from.score + (to.score - from.score) * (logit - from.logit) / (to.logit - from.logit)
  }

  /// The score of a logit, in millionths.
  public func score(ofLogit logit: Int) -> Int { Self.score(logit, self.knots) }

  /// What each head says of a text with these features, in millionths: which use it is, if it is one.
  func headScores(_ features: some Sequence<UInt64>, count: Int) -> [Int] {
    var totals = [Int](repeating: 0, count: self.heads.count)
    var sums = SIMD32<Int16>()
    var summed = 0
    func carry() {
      for index in totals.indices { totals[index] += Int(sums[index]) }
      sums = SIMD32<Int16>()
      summed = 0
    }
    for feature in features {
      sums &+= self.headWeights[Int(truncatingIfNeeded: feature) & (self.headWeights.count - 1)]
      summed += 1
      // So many signed bytes fit into 16 bits.
      if summed == 256 { carry() }
    }
    carry()
    return self.heads.indices.map { index in
      let head = self.heads[index]
      return Self.score(Self.logit(sum: totals[index], count: count, step: head.step, bias: head.bias), self.headKnots)
    }
  }
}
