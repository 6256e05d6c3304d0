import Sampling
import Testing

extension Sampler {
  mutating func sample(_ logits: [Float]) -> Int { self.sample(logits.span) }
}

/// How often each token was drawn.
private func counts(_ sampler: Sampler, _ logits: [Float], draws: Int) -> [Int] {
  var sampler = sampler
  var counts = [Int](repeating: 0, count: logits.count)
  for _ in 0..<draws { counts[sampler.sample(logits)] += 1 }
  return counts
}

/// The logits of given probabilities.
private let quarter: [Float] = [0.5, 0.25, 0.125, 0.125].map { Float(_log2($0)) * 0.693_147_18 }

/// Base-2 logarithm of a power of two.
private func _log2(_ value: Double) -> Double { Double(value.exponent) }

@Suite("Greedy sampling")
struct GreedySamplingTests {
  @Test(
    "takes the best logit, the lowest index among equals",
    arguments: [
      ([1, 3, 2], 1), ([2, 2, 2], 0), ([1, 5, 5], 1), ([-3, -1, -2], 1), ([0], 0), ([], 0),
      ([.nan, 1, .nan, 2], 3), ([.nan, .nan], 0), ([-.infinity, -.infinity], 0), ([-.infinity, -9, .nan], 1),
      ([1, .infinity, .infinity], 1), ([-0.0, 0.0], 0),
    ] as [([Float], Int)])
  func best(logits: [Float], token: Int) {
    for temperature in [0, -1, -Double.infinity, .nan] {
      var sampler = Sampler(temperature: temperature, topK: 0, topP: 1, seed: 1)
      #expect(sampler.sample(logits) == token)
    }
    // With probability all on one token, or none anywhere, drawing gives the same.
    var one = Sampler(temperature: 1, topK: 1, topP: 1, seed: 1)
    #expect(one.sample(logits) == token)
    var nucleus = Sampler(temperature: 1, topK: 0, topP: 0, seed: 1)
    #expect(nucleus.sample(logits) == token)
  }
}

@Suite("Random sampling")
struct RandomSamplingTests {
  @Test("the same seed gives the same tokens on any machine, another seed others")
  func seeds() {
    let logits = (0..<1_000).map { Float($0 % 37) * 0.1 }
    func draw(_ seed: UInt64) -> [Int] {
      var sampler = Sampler(temperature: 0.9, topK: 50, topP: 0.95, seed: seed)
      return (0..<6).map { _ in sampler.sample(logits) }
    }
    #expect(draw(42) == Self.golden)
    #expect(draw(42) != draw(43))
  }
  static let golden = [331, 924, 443, 73, 627, 73]

  @Test("a copy replays the same choices")
  func copies() {
    let logits = (0..<100).map { Float($0) * 0.01 }
    var sampler = Sampler(temperature: 1, topK: 0, topP: 1, seed: 9)
    _ = sampler.sample(logits)
    var copy = sampler
    #expect((0..<20).map { _ in sampler.sample(logits) } == (0..<20).map { _ in copy.sample(logits) })
  }

  @Test("frequencies are the softmax's", arguments: [UInt64(1), 2, 3])
  func frequencies(seed: UInt64) {
    let draws = 10_000
    let seen = counts(Sampler(temperature: 1, topK: 0, topP: 1, seed: seed), quarter, draws: draws)
    for (count, probability) in zip(seen, [0.5, 0.25, 0.125, 0.125]) {
      // Five standard deviations of a binomial count.
      let deviation = (Double(draws) * probability * (1 - probability)).squareRoot()
      #expect(abs(Double(count) - Double(draws) * probability) < 5 * deviation, "seed \(seed): \(seen)")
    }
  }

  @Test("temperature 0.5 squares the odds, an infinite one levels them")
  func temperatures() {
    let cold = counts(Sampler(temperature: 0.5, topK: 0, topP: 1, seed: 4), quarter, draws: 10_000)
    // 0.25, 0.0625, 0.015625 twice, of 0.34375 in all.
    #expect(abs(Double(cold[0]) / 10_000 - 0.25 / 0.34375) < 0.024)
    let hot = counts(Sampler(temperature: .infinity, topK: 0, topP: 1, seed: 4), quarter + [-.infinity, .nan], draws: 10_000)
    for count in hot.prefix(4) { #expect(abs(Double(count) / 10_000 - 0.25) < 0.022) }
    #expect(hot.suffix(2) == [0, 0])
    let tiny = counts(Sampler(temperature: 1e-300, topK: 0, topP: 1, seed: 4), quarter, draws: 100)
    #expect(tiny == [100, 0, 0, 0])
  }

  @Test(
    "top-k and top-p keep the best tokens, lower ids first among equals",
    arguments: [
      (0, 1.0, [true, true, true, true]), (-1, 2.0, [true, true, true, true]), (9, .nan, [true, true, true, true]),
      (1, 1.0, [true, false, false, false]), (3, 1.0, [true, true, true, false]), (4, 1.0, [true, true, true, true]),
      (0, 0.4, [true, false, false, false]), (0, 0.51, [true, true, false, false]),
      (0, 0.8, [true, true, true, false]), (0, 0.9, [true, true, true, true]), (0, -1, [true, false, false, false]),
      // Of the two that top-k leaves, the first has two thirds.
      (2, 0.6, [true, false, false, false]), (2, 0.7, [true, true, false, false]),
    ] as [(Int, Double, [Bool])])
  func cuts(topK: Int, topP: Double, kept: [Bool]) {
    let seen = counts(Sampler(temperature: 1, topK: topK, topP: topP, seed: 6), quarter, draws: 400)
    #expect(seen.map { $0 > 0 } == kept)
  }

  @Test("a sampler may meet vocabularies of changing size")
  func sizes() {
    var sampler = Sampler(temperature: 1, topK: 3, topP: 0.9, seed: 1)
    for count in [1, 100, 7, 8, 9, 4_097, 0, 3] {
      let token = sampler.sample([Float](repeating: 1, count: count))
      #expect(token >= 0 && token < max(1, min(count, 3)))
    }
  }
}

@Suite("Sampling against its definition")
struct SamplingPropertyTests {
  /// The tokens that top-k and then top-p keep, by sorting.
  private static func kept(_ logits: [Float], _ temperature: Double, _ topK: Int, _ topP: Double) -> Set<Int> {
    let order = logits.indices.filter { logits[$0] > -.infinity }.sorted {
      logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1
    }
    let candidates = topK > 0 ? Array(order.prefix(topK)) : order
    guard topP < 1, let best = candidates.first else { return Set(candidates) }
    let weights = candidates.map { exponential(Double(logits[$0] - logits[best]) / temperature) }
    let target = topP * weights.reduce(0, +)
    var sum = 0.0
    var kept = Set<Int>()
    for (token, weight) in zip(candidates, weights) {
      kept.insert(token)
      sum += weight
      if sum >= target { break }
    }
    return kept
  }

  /// By its series, for a number that is not positive: a way of its own to the value.
  private static func exponential(_ x: Double) -> Double {
    let reduced = x / 1_024
    var term = 1.0
    var sum = 1.0
    for n in 1...12 {
      term *= reduced / Double(n)
      sum += term
    }
    return (0..<10).reduce(sum) { value, _ in value * value }
  }

  @Test("random logits, ties and settings: only tokens that are kept, and all of them", arguments: (1...12).map { UInt64($0) })
  func keptSets(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<20 {
      let count = Int.random(in: 1...40, using: &random)
      let isCoarse = Bool.random(using: &random)
      let logits = (0..<count).map { _ -> Float in
        let value = Float.random(in: -3...3, using: &random)
        return isCoarse ? value.rounded() : value
      }
      let temperature = Double.random(in: 0.5...2, using: &random)
      let topK = Int.random(in: 0...count, using: &random)
      // In steps that no coarse sum of weights meets exactly.
      let topP = Bool.random(using: &random) ? 1 : Double.random(in: 0.05...0.99, using: &random)
      let sampler = Sampler(temperature: temperature, topK: topK, topP: topP, seed: seed)
      let seen = counts(sampler, logits, draws: 300)
      let drawn = Set(seen.indices.filter { seen[$0] > 0 })
      let kept = Self.kept(logits, temperature, topK, topP)
      #expect(drawn.isSubset(of: kept), "seed \(seed)")
      let best = logits.max() ?? 0
      let likely = kept.filter { Self.exponential(Double(logits[$0] - best) / temperature) * 300 > 30 * Double(kept.count) }
      #expect(likely.isSubset(of: drawn), "seed \(seed)")
    }
  }

  @Test("any bit patterns as logits give a valid token", arguments: (1...6).map { UInt64($0) })
  func anyBits(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<1_000 {
      let count = Int.random(in: 1...40, using: &random)
      let logits = (0..<count).map { _ in Float(bitPattern: UInt32.random(in: 0 ... .max, using: &random)) }
      let temperature = Double(bitPattern: random.next())
      let topP = Double(bitPattern: random.next())
      let topK = Int.random(in: -1...50, using: &random)
      var sampler = Sampler(temperature: temperature, topK: topK, topP: topP, seed: seed)
      let token = sampler.sample(logits)
      #expect(logits.indices.contains(token), "seed \(seed)")
      #expect(!logits[token].isNaN || logits.allSatisfy { $0.isNaN || $0 == -.infinity }, "seed \(seed)")
    }
  }
}
