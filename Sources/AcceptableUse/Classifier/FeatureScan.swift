/// Turns the words of one text into features and weighs them, as a whole and in stretches that overlap by half, so that a long
/// harmless text does not drown a short forbidden one.
///
/// A feature is a word, its beginning, two beginnings in a row, two with one between, or two words as they stand; words that say how
/// something is asked make none of their own. A disguised token is read as the word it stands for, single letters as the word
/// they spell.
struct FeatureScan: Sendable {
  let classifier: LinearClassifier
  private var sums: FeatureSums
  private let half: Int
  private var wordCount = 0
  private var bestStretch = Int.min

  /// The words of the token in progress: the first, then the others if there are any.
  private var tokenCount = 0
  private var tokenFirst = ScannedWord.none
  private var tokenRest: [ScannedWord] = []
  private var spelled: (ScannedWord, ScannedWord) = (.none, .none)
  private var spelledCount = 0
  private var spelledHash = WordHash.empty
  private var spelledPrefix = WordHash.empty
  private var spelledEnd = 0

  private var before: UInt64 = 0
  private var isBeforeFrame = true
  private var first: UInt64 = 0
  private var second: UInt64 = 0
  /// Words so far that are none of the frame, counted to two.
  private var contentCount = 0

  /// Fewest single letters in a row, one byte apart, that are read as a word.
  static let spelledRun = 3

  init(_ classifier: LinearClassifier) {
    self.classifier = classifier
    self.half = classifier.stretchWords / 2
    self.sums = FeatureSums(classifier.weights, stretchWords: classifier.stretchWords)
    self.tokenRest.reserveCapacity(WordScanner.tokenWordLimit)
  }

  /// Ready for another text, with the memory of the last.
  mutating func reset() {
    self.sums.reset()
    self.wordCount = 0
    self.bestStretch = .min
    self.tokenCount = 0
    self.tokenRest.removeAll(keepingCapacity: true)
    self.spelledCount = 0
    self.isBeforeFrame = true
    self.contentCount = 0
  }

  @inline(__always)
  mutating func word(_ word: ScannedWord) {
    if self.tokenCount == 0 { self.tokenFirst = word } else { self.tokenRest.append(word) }
    self.tokenCount += 1
    // A token of more words is not read as one.
    if self.tokenCount > WordScanner.tokenWordLimit { self.flushToken() }
  }

  @inline(__always)
  mutating func token(_ token: ScannedToken) {
    guard token.isDisguised, self.tokenCount > 0 else { return self.flushToken() }
    let last = self.tokenRest.last ?? self.tokenFirst
    let isSame = self.tokenCount == 1 && token.hash == last.hash
    let start = self.tokenFirst.start
    self.tokenCount = 0
    if !self.tokenRest.isEmpty { self.tokenRest.removeAll(keepingCapacity: true) }
    self.unspelled(
      ScannedWord(
        hash: token.hash, prefix: token.prefix, start: start, end: last.end, single: isSame ? last.single : 0, isFolded: false))
  }

  @inline(__always)
  private mutating func flushToken() {
    guard self.tokenCount > 0 else { return }
    self.tokenCount = 0
    self.unspelled(self.tokenFirst)
    guard !self.tokenRest.isEmpty else { return }
    for index in self.tokenRest.indices { self.unspelled(self.tokenRest[index]) }
    self.tokenRest.removeAll(keepingCapacity: true)
  }

  /// Ends the text: what was waiting for more is taken as it is.
  mutating func finish() {
    self.flushToken()
    self.flushSpelled()
  }

  @inline(__always)
  private mutating func unspelled(_ word: ScannedWord) {
    if self.spelledCount > 0, word.single == 0 || word.start - self.spelledEnd != 1 { self.flushSpelled() }
    if word.single == 0 { self.weigh(word.hash.value, word.prefix.value) } else { self.spell(word) }
  }

  private mutating func spell(_ word: ScannedWord) {
    if self.spelledCount == 0 { self.spelledHash = .empty }
    self.spelledHash.append(word.single)
    self.spelledCount += 1
    if self.spelledCount <= WordScanner.prefixLetters { self.spelledPrefix = self.spelledHash }
    if self.spelledCount == 1 { self.spelled.0 = word }
    if self.spelledCount == 2 { self.spelled.1 = word }
    self.spelledEnd = word.end
  }

  private mutating func flushSpelled() {
    let count = self.spelledCount
    self.spelledCount = 0
    if count >= Self.spelledRun { return self.weigh(self.spelledHash.value, self.spelledPrefix.value) }
    if count > 0 { self.weigh(self.spelled.0.hash.value, self.spelled.0.prefix.value) }
    if count > 1 { self.weigh(self.spelled.1.hash.value, self.spelled.1.prefix.value) }
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

  private mutating func weigh(_ hash: UInt64, _ prefix: UInt64) {
    if self.wordCount == self.sums.nextTurn { self.turnStretch() }
    let isFrame = self.classifier.frameWords[hash] != 0
    if self.wordCount > 0, !(isFrame && self.isBeforeFrame) {
      self.sums.add(Self.mix(self.before &* Self.pair &+ hash &+ 5))
    }
    if !isFrame {
      self.sums.add(Self.mix(hash &+ 1))
      self.sums.add(Self.mix(prefix &+ 2))
      if self.contentCount > 0 { self.sums.add(Self.mix(self.first &* Self.pair &+ prefix &+ 3)) }
      if self.contentCount > 1 { self.sums.add(Self.mix(self.second &* Self.pair &+ prefix &+ 4)) }
      self.second = self.first
      self.first = prefix
      self.contentCount = min(self.contentCount + 1, 2)
    }
    self.before = hash
    self.isBeforeFrame = isFrame
    self.wordCount += 1
  }

  /// At each half stretch one ends and another begins; the first is the text itself up to there.
  private mutating func turnStretch() {
    let turn = self.wordCount / self.half
    if turn == 2 { self.note(self.sums.whole) }
    if turn > 2 { self.note(self.sums.stretch(turn)) }
    self.sums.beginStretch(turn)
    self.sums.nextTurn = self.wordCount + self.half
  }

  private mutating func note(_ sum: FeatureSums.Sum) { self.bestStretch = max(self.bestStretch, self.logit(of: sum)) }

  private func logit(of sum: FeatureSums.Sum) -> Int {
    LinearClassifier.logit(sum: sum.weight, count: sum.count, step: self.classifier.step, bias: self.classifier.bias)
  }

  /// The logit of the text so far in thousandths: of the whole, or of its worst stretch less the bar.
  var logit: Int {
    var stretch = self.bestStretch
    if self.wordCount > self.half { stretch = max(stretch, self.logit(of: self.sums.stretch(1))) }
    if self.wordCount > 2 * self.half { stretch = max(stretch, self.logit(of: self.sums.stretch(2))) }
    let whole = self.logit(of: self.sums.whole)
    return stretch == .min ? whole : max(whole, stretch - self.classifier.stretchBar)
  }

  /// What each head says of the text so far, in millionths.
  var headScores: [Int] {
    self.classifier.headScores(self.sums.kept, count: min(self.sums.whole.count, FeatureSums.keptLimit))
  }
}

extension ScannedWord {
  static let none = ScannedWord(hash: .empty, prefix: .empty, start: 0, end: 0, single: 0, isFolded: false)
}
