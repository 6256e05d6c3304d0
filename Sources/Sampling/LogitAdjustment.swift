/// What changes logits before a token is drawn: biases by token, penalties for tokens that were there before, and a mask.
public struct LogitAdjustment: Sendable {
  private let repetition: Float
  private let presence: Float
  private let frequency: Float
  /// Tokens and what is added to their logits, by token.
  private let biases: [(token: Int, bias: Float)]
  /// The tokens seen, each once, and by token what was seen of it.
  private var seen: [Int32] = []
  private var sightings: [Int32: Sighting] = [:]
  private var scores: [Float] = []

  private struct Sighting {
    /// Times in the completion alone.
    var completion: Float = 0
  }

  /// - Parameters:
  ///   - repetition: divides positive logits of tokens seen in prompt or completion and multiplies negative ones; 1 changes nothing.
  ///   - presence: taken once from the logits of tokens seen in the completion.
  ///   - frequency: taken from them once for each time.
  ///   - biases: added first; ids outside the vocabulary change nothing.
  public init(repetition: Float = 1, presence: Float = 0, frequency: Float = 0, biases: [Int32: Float] = [:]) {
    self.repetition = repetition
    self.presence = presence
    self.frequency = frequency
    self.biases = biases.sorted { $0.key < $1.key }.map { (Int($0.key), $0.value) }
  }

  private var looksBack: Bool { self.repetition != 1 || self.presence != 0 || self.frequency != 0 }
  var isNeeded: Bool { self.looksBack || !self.biases.isEmpty }

  mutating func observe(prompt tokens: some Sequence<Int32>) {
    guard self.repetition != 1 else { return }
    for token in tokens { self.note(token, 0) }
  }

  mutating func observe(_ token: Int32) {
    if self.looksBack { self.note(token, 1) }
  }

  private mutating func note(_ token: Int32, _ times: Float) {
    if self.sightings[token] == nil { self.seen.append(token) }
    self.sightings[token, default: Sighting()].completion += times
  }

  /// The buffer is lent out, so that it is not copied.
  mutating func takeScores() -> [Float] {
    var scores: [Float] = []
    swap(&scores, &self.scores)
    return scores
  }

  mutating func giveBack(_ scores: consuming [Float]) { self.scores = scores }

  /// Copies the logits to `scores` and changes them there. O(n).
  func apply(_ logits: Span<Float>, _ allowed: [UInt64]?, to scores: inout [Float]) {
    if scores.count != logits.count { scores = [Float](repeating: 0, count: logits.count) }
    for index in 0..<logits.count { scores[index] = logits[index] }
    for (token, bias) in self.biases where scores.indices.contains(token) { scores[token] += bias }
    for token in self.seen {
      let index = Int(token)
      guard scores.indices.contains(index), let times = self.sightings[token]?.completion else { continue }
      var score = scores[index]
      score = score > 0 ? score / self.repetition : score * self.repetition
      if times > 0 { score -= self.presence + self.frequency * times }
      scores[index] = score
    }
    if let allowed { Self.mask(&scores, allowed) }
  }

  private static func mask(_ scores: inout [Float], _ allowed: [UInt64]) {
    for start in stride(from: 0, to: scores.count, by: 64) {
      let word = start / 64 < allowed.count ? allowed[start / 64] : 0
      guard word != .max else { continue }
      for offset in 0..<min(64, scores.count - start) where word >> UInt64(offset) & 1 == 0 {
        scores[start + offset] = -.infinity
      }
    }
  }
}
