import Testing

@testable import Sampling

@Suite("Biases, penalties and masks")
struct AdjustmentTests {
  static func greedy(_ adjustment: LogitAdjustment, _ logits: [Float], seen: [Int32] = [], prompt: [Int32] = []) -> Int {
    var sampler = Sampler(temperature: 0, topK: 0, topP: 1, seed: 1, adjustment: adjustment)
    sampler.observe(prompt: prompt)
    for token in seen { sampler.observe(token) }
    return sampler.sample(logits.span)
  }

  @Test("a bias is added; one for a token that is not there changes nothing")
  func bias() {
    #expect(Self.greedy(LogitAdjustment(biases: [1: 2.5]), [2, 0, 1]) == 1)
    #expect(Self.greedy(LogitAdjustment(biases: [0: -100]), [2, 0, 1]) == 2)
    #expect(Self.greedy(LogitAdjustment(biases: [-1: 9, 7: 9]), [2, 0, 1]) == 0)
  }

  @Test("presence counts once, frequency each time, both for the completion alone")
  func penalties() {
    #expect(Self.greedy(LogitAdjustment(presence: 1.5), [2, 1], seen: [0]) == 1)
    #expect(Self.greedy(LogitAdjustment(presence: 0.9), [2, 1], seen: [0, 0, 0]) == 0)
    #expect(Self.greedy(LogitAdjustment(frequency: 0.4), [2, 1], seen: [0, 0]) == 0)
    #expect(Self.greedy(LogitAdjustment(frequency: 0.4), [2, 1], seen: [0, 0, 0]) == 1)
    #expect(Self.greedy(LogitAdjustment(presence: 2, frequency: 2), [2, 1], prompt: [0, 0, 0]) == 0)
    #expect(Self.greedy(LogitAdjustment(presence: -2), [2, 1], seen: [1]) == 1)
  }

  @Test("repetition divides what is positive and multiplies what is negative, the prompt included")
  func repetition() {
    #expect(Self.greedy(LogitAdjustment(repetition: 2.5), [2, 1], prompt: [0]) == 1)
    #expect(Self.greedy(LogitAdjustment(repetition: 1.5), [2, 1], prompt: [0]) == 0)
    #expect(Self.greedy(LogitAdjustment(repetition: 3), [-1, -2], seen: [0]) == 1)
  }

  @Test("only allowed tokens are drawn, at any temperature")
  func masks() {
    let logits = (0..<130).map { Float($0 % 7) }
    var sampler = Sampler(temperature: 1, topK: 0, topP: 1, seed: 4)
    let allowed: [UInt64] = [1 << 5, 1 << 63, 0]
    var drawn: Set<Int> = []
    for _ in 0..<200 { drawn.insert(sampler.sample(logits.span, allowed: allowed)) }
    #expect(drawn == [5, 127])
    var greedy = Sampler(temperature: 0, topK: 0, topP: 1, seed: 4)
    #expect(greedy.sample(logits.span, allowed: allowed) == 5)
    // A mask that is too short allows nothing beyond it.
    #expect(greedy.sample(logits.span, allowed: [1 << 2]) == 2)
  }

  @Test("an adjustment that changes nothing draws what no adjustment draws")
  func neutral() {
    let logits = (0..<50).map { Float(($0 * 37) % 11) / 3 }
    var plain = Sampler(temperature: 0.8, topK: 20, topP: 0.9, seed: 6)
    var adjusted = Sampler(
      temperature: 0.8, topK: 20, topP: 0.9, seed: 6, adjustment: LogitAdjustment(presence: .leastNonzeroMagnitude))
    for _ in 0..<100 {
      let (a, b) = (plain.sample(logits.span), adjusted.sample(logits.span, allowed: [.max]))
      adjusted.observe(Int32(b))
      #expect(a == b)
    }
  }

  @Test("min-p keeps what is at least that share of the likeliest", arguments: [(0.0, 4), (0.2, 3), (0.5, 2), (1.0, 1), (7, 1)])
  func minP(share: Double, kept: Int) {
    // Shares of the likeliest: 1, 0.6, 0.3, 0.1.
    let logits: [Float] = [0, -0.510_83, -1.203_97, -2.302_59]
    var sampler = Sampler(temperature: 1, topK: 0, topP: 1, seed: 2, minP: share)
    var drawn: Set<Int> = []
    for _ in 0..<2000 { drawn.insert(sampler.sample(logits.span)) }
    #expect(drawn == Set(0..<kept))
  }
}

@Suite("Log-probabilities")
struct LogprobsTests {
  @Test("they are the logarithms of the softmax, the best first")
  func softmax() {
    let logits: [Float] = [1, 3, -2, 3, 0.5]
    let sum = logits.reduce(0.0) { $0 + Double(exponential($1 - 3)) }
    let result = Logprobs(logits.span, of: 2, alternatives: 3)
    #expect(result.best.map(\.token) == [1, 3, 0])
    for entry in result.best + [result.chosen] {
      let share = Double(exponential(logits[entry.token] - 3)) / sum
      #expect(abs(Double(exponential(entry.logprob)) - share) < 1e-6)
    }
    #expect(Logprobs(logits.span, of: 0, alternatives: 0).best.isEmpty)
    #expect(Logprobs(logits.span, of: 0, alternatives: 20).best.count == 5)
  }

  @Test("a single possible token has 0, what is no number has minus infinity")
  func extremes() {
    let logits: [Float] = [.nan, 5, -.infinity]
    let result = Logprobs(logits.span, of: 1, alternatives: 3)
    #expect(result.chosen.logprob == 0)
    #expect(result.best.map(\.token) == [1, 2])
    #expect(Logprobs(logits.span, of: 0, alternatives: 0).chosen.logprob == -.infinity)
  }
}
