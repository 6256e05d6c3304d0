/// What the distinct features of a stretch of text weigh together, in constant memory.
///
/// A feature counts once as long as no other has taken its place in the table of those seen last; the training script drops repeats
/// by the same table.
struct FeatureSum: Sendable {
  private var seen: [UInt32]
  private(set) var sum = 0
  private(set) var count = 0

  static let slots = 2048

  init() { self.seen = Array(repeating: .max, count: Self.slots) }

  /// Forgets everything, keeping its memory.
  mutating func reset() {
    for slot in self.seen.indices { self.seen[slot] = .max }
    self.sum = 0
    self.count = 0
  }

  /// Adds a feature slot's weight; false if it was there.
  @inline(__always)
  mutating func add(_ index: UInt32, weight: Int8) -> Bool {
    let slot = Int(index) & (Self.slots - 1)
    guard self.seen[slot] != index else { return false }
    self.seen[slot] = index
    self.sum += Int(weight)
    self.count += 1
    return true
  }
}

/// Turns the words of one text into features and weighs them, as a whole and in stretches that overlap by half, so that a long
/// harmless text does not drown a short forbidden one.
///
/// A feature is a word, its beginning, two beginnings in a row, two with one between, or two words as they stand; words that say how
/// something is asked make none of their own. A disguised token is read as the word it stands for, single letters as the word
/// they spell.
struct FeatureScan: Sendable {
  let classifier: LinearClassifier
  private var whole = FeatureSum()
  private var stretches = [FeatureSum(), FeatureSum()]
  private var wordCount = 0
  private var bestStretch = Int.min
  /// Mixed hashes of distinct features, for the heads; the first of them.
  private(set) var kept: [UInt64] = []

  private var tokenWords: [ScannedWord] = []
  private var spelled: [ScannedWord] = []
  private var spelledCount = 0
  private var spelledHash = WordHash.empty
  private var spelledPrefix = WordHash.empty
  private var spelledEnd = 0

  private var before: (hash: UInt64, isFrame: Bool)?
  private var first: UInt64?
  private var second: UInt64?

  static let keptLimit = 4096
  /// Fewest single letters in a row, one byte apart, that are read as a word.
  static let spelledRun = 3

  init(_ classifier: LinearClassifier) {
    self.classifier = classifier
    self.kept.reserveCapacity(Self.keptLimit)
    self.tokenWords.reserveCapacity(WordScanner.tokenWordLimit + 1)
    self.spelled.reserveCapacity(Self.spelledRun)
  }

  /// Ready for another text, with the memory of the last.
  mutating func reset() {
    if self.whole.count > 0 { self.whole.reset() }
    self.wordCount = 0
    self.bestStretch = .min
    self.kept.removeAll(keepingCapacity: true)
    self.tokenWords.removeAll(keepingCapacity: true)
    self.spelled.removeAll(keepingCapacity: true)
    self.spelledCount = 0
    self.before = nil
    self.first = nil
    self.second = nil
  }

  @inline(__always)
  mutating func word(_ word: ScannedWord) {
    self.tokenWords.append(word)
    // A token of more words is not read as one.
    if self.tokenWords.count > WordScanner.tokenWordLimit { self.flushToken() }
  }

  @inline(__always)
  mutating func token(_ token: ScannedToken) {
    guard token.isDisguised, let first = self.tokenWords.first, let last = self.tokenWords.last else { return self.flushToken() }
    let isSame = self.tokenWords.count == 1 && token.hash == last.hash
    self.tokenWords.removeAll(keepingCapacity: true)
    self.unspelled(
      ScannedWord(
        hash: token.hash, prefix: token.prefix, start: first.start, end: last.end, single: isSame ? last.single : 0, isFolded: false))
  }

  @inline(__always)
  private mutating func flushToken() {
    for index in self.tokenWords.indices { self.unspelled(self.tokenWords[index]) }
    self.tokenWords.removeAll(keepingCapacity: true)
  }

  /// Ends the text: what was waiting for more is taken as it is.
  mutating func finish() {
    self.flushToken()
    self.flushSpelled()
  }

  @inline(__always)
  private mutating func unspelled(_ word: ScannedWord) {
    if self.spelledCount > 0, word.single == 0 || word.start - self.spelledEnd != 1 { self.flushSpelled() }
    guard word.single != 0 else { return self.weigh(word.hash.value, word.prefix.value) }
    if self.spelledCount == 0 { self.spelledHash = .empty }
    self.spelledHash.append(word.single)
    self.spelledCount += 1
    if self.spelledCount <= WordScanner.prefixLetters { self.spelledPrefix = self.spelledHash }
    if self.spelledCount < Self.spelledRun { self.spelled.append(word) }
    self.spelledEnd = word.end
  }

  private mutating func flushSpelled() {
    if self.spelledCount >= Self.spelledRun {
      self.weigh(self.spelledHash.value, self.spelledPrefix.value)
    } else {
      for index in self.spelled.indices { self.weigh(self.spelled[index].hash.value, self.spelled[index].prefix.value) }
    }
    self.spelled.removeAll(keepingCapacity: true)
    self.spelledCount = 0
  }
}

// Features.
extension FeatureScan {
  private static let pair: UInt64 = 0x9E37_79B9_7F4A_7C15

  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    var value = value
    value ^= value >> 29
    value &*= 0xBF58_476D_1CE4_E5B9
    return value ^ (value >> 32)
  }

  @inline(__always)
  private mutating func weigh(_ hash: UInt64, _ prefix: UInt64) {
    let half = self.classifier.stretchWords / 2
    if self.wordCount >= half, self.wordCount % half == 0 { self.turnStretch() }
    let isFrame = self.classifier.frameWords[hash] != 0
    if let before = self.before, !(isFrame && before.isFrame) { self.add(Self.mix(before.hash &* Self.pair &+ hash &+ 5)) }
    if !isFrame {
      self.add(Self.mix(hash &+ 1))
      self.add(Self.mix(prefix &+ 2))
      if let first = self.first { self.add(Self.mix(first &* Self.pair &+ prefix &+ 3)) }
      if let second = self.second { self.add(Self.mix(second &* Self.pair &+ prefix &+ 4)) }
      self.second = self.first
      self.first = prefix
    }
    self.before = (hash, isFrame)
    self.wordCount += 1
  }

  @inline(__always)
  private mutating func add(_ feature: UInt64) {
    let index = UInt32(truncatingIfNeeded: feature) & UInt32(truncatingIfNeeded: self.classifier.weights.count - 1)
    let weight = self.classifier.weights[Int(index)]
    if self.whole.add(index, weight: weight), self.kept.count < Self.keptLimit { self.kept.append(feature) }
    let half = self.classifier.stretchWords / 2
    guard self.wordCount >= half else { return }
    _ = self.stretches[0].add(index, weight: weight)
    if self.wordCount >= 2 * half { _ = self.stretches[1].add(index, weight: weight) }
  }

  /// At each half stretch one ends and another begins; the first is the text itself up to there.
  private mutating func turnStretch() {
    let half = self.classifier.stretchWords / 2
    let turn = self.wordCount / half
    if turn == 2 { self.note(self.whole) }
    if turn > 2 { self.note(self.stretches[turn % 2 == 1 ? 0 : 1]) }
    self.stretches[turn % 2 == 1 ? 0 : 1].reset()
  }

  private mutating func note(_ stretch: FeatureSum) { self.bestStretch = max(self.bestStretch, self.logit(of: stretch)) }

  private func logit(of sum: FeatureSum) -> Int {
    LinearClassifier.logit(sum: sum.sum, count: sum.count, step: self.classifier.step, bias: self.classifier.bias)
  }

  /// Features of the text so far, each once.
  var count: Int { self.whole.count }

  /// The logit of the text so far in thousandths: of the whole, or of its worst stretch less the bar.
  var logit: Int {
    let half = self.classifier.stretchWords / 2
    var stretch = self.bestStretch
    if self.wordCount > half { stretch = max(stretch, self.logit(of: self.stretches[0])) }
    if self.wordCount > 2 * half { stretch = max(stretch, self.logit(of: self.stretches[1])) }
    let whole = self.logit(of: self.whole)
    return stretch == .min ? whole : max(whole, stretch - self.classifier.stretchBar)
  }

  /// What each head says of the text so far, in millionths.
  var headScores: [Int] { self.classifier.headScores(self.kept, count: min(self.whole.count, Self.keptLimit)) }
}
