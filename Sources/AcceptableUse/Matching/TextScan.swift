/// One pass over one text: scanner, matcher, classifier and decoders, fed scalar by scalar.
///
/// Its state is a function of the scalars fed, however they were cut into strings. After ``reset()`` it takes another text with the
/// memory of the last.
struct TextScan: Sendable {
  let rules: CompiledRules
  private var scanner = WordScanner()
  private var sink: ScanSink
  private var runs = EncodedRuns()
  private let depth: Int
  /// From which score of the classifier on it is asked which use a text is, in millionths.
  private let threshold: Int
  private var decodedTransforms: TextTransforms = []
  private var decodedHits: [RuleMatcher.FoundRule] = []
  private var isDecodedFlagged = false
  private var decodedFinding: ClassifierFinding?
  /// Bytes fed.
  private(set) var position = 0

  /// How deep encodings are taken off one another.
  static let depthLimit = 2

  init(
    _ rules: CompiledRules, modes: [RuleMode], classifier: LinearClassifier? = nil, threshold: Int = 0, depth: Int = 0
  ) {
    self.rules = rules
    self.threshold = threshold
    self.sink = ScanSink(matcher: RuleMatcher(rules, modes: modes), features: classifier.map(FeatureScan.init))
    self.depth = depth
  }

  mutating func reset() {
    self.scanner = WordScanner()
    self.sink.matcher.reset()
    self.sink.features?.reset()
    self.runs.reset()
    self.decodedTransforms = []
    self.decodedHits.removeAll(keepingCapacity: true)
    self.isDecodedFlagged = false
    self.decodedFinding = nil
    self.position = 0
  }

  /// The classifier that reads along.
  var classifier: LinearClassifier? { self.sink.features?.classifier }

  /// Words complete so far.
  var words: Int { self.sink.matcher.wordCount }

  /// Whether a rule in mode enforce has matched.
  var isFlagged: Bool { self.sink.matcher.isFlagged || self.isDecodedFlagged }

  /// The disguises met so far.
  var transforms: TextTransforms {
    self.scanner.transforms.union(self.sink.matcher.transforms).union(self.decodedTransforms)
  }

  /// The first match of each rule, in the order decided; of the text itself before those of its encoded runs.
  var hits: [RuleMatcher.FoundRule] {
    guard !self.decodedHits.isEmpty else { return self.sink.matcher.hits }
    let own = Set(self.sink.matcher.hits.map(\.rule))
    return self.sink.matcher.hits + self.decodedHits.filter { !own.contains($0.rule) }
  }

  /// What the classifier says of the text so far, or of an encoded run in it if that is worse; nil without one.
  var finding: ClassifierFinding? {
    guard let features = self.sink.features else { return nil }
    let own = ClassifierFinding(features, threshold: self.threshold)
    guard let decoded = self.decodedFinding, decoded.logit > own.logit else { return own }
    return decoded
  }

  @inline(__always)
  mutating func feed(_ scalar: Unicode.Scalar) {
    let offset = self.position
    if offset >= self.sink.matcher.deadline { self.sink.matcher.reach(offset) }
    let width = UTF8.width(scalar)
    self.scanner.scan(scalar, at: offset, width: width, into: &self.sink)
    if self.runs.scan(scalar, at: offset) { self.assessDecoded() }
    self.position = offset + width
  }

  mutating func finish() {
    self.scanner.finish(into: &self.sink)
    if self.runs.finish() { self.assessDecoded() }
    self.sink.matcher.finish()
    self.sink.features?.finish()
  }

  private mutating func assessDecoded() {
    let runs = self.runs.takeDecoded()
    guard self.depth < Self.depthLimit else { return }
    for run in runs {
      var scan = TextScan(
        self.rules, modes: self.sink.matcher.modes, classifier: self.sink.features?.classifier, threshold: self.threshold,
        depth: self.depth + 1)
      scan.feed(run.text)
      scan.finish()
      self.decodedTransforms.formUnion(run.transform.union(scan.transforms))
      self.isDecodedFlagged = self.isDecodedFlagged || scan.isFlagged
      for hit in scan.hits where !self.decodedHits.contains(where: { $0.rule == hit.rule }) {
        self.decodedHits.append(RuleMatcher.FoundRule(rule: hit.rule, offset: run.offset, end: run.offset + run.length))
      }
      guard let finding = scan.finding, finding.logit > self.decodedFinding?.logit ?? .min else { continue }
      self.decodedFinding = finding
    }
  }

  /// The byte offset up to which the text cannot be part of a match of an enforced rule, whatever follows.
  var clearOffset: Int {
    let offset = self.sink.matcher.clearOffset(self.scanner, at: self.position)
    return min(offset, self.runs.heldOffset ?? .max)
  }

  /// The byte offset before which nothing belongs to an enforced match that was found in the text itself.
  var matchedOffset: Int {
    self.sink.matcher.hits.lazy.filter { self.sink.matcher.modes[$0.rule] == .enforce }.map(\.offset).min() ?? .max
  }
}

// Whole strings.
extension TextScan {
  /// Feeds every scalar of a text; plain words, which most are, whole. The state afterwards is that of feeding scalar by scalar.
  mutating func feed(_ text: String) {
    let bytes = text.utf8.span
    var index = 0
    while index < bytes.count {
      let next = self.feedWord(bytes, from: index)
      if next > index {
        index = next
      } else {
        let (scalar, width) = Self.scalar(bytes, at: index)
        self.feed(scalar)
        index += width
      }
    }
  }

  /// Takes a word of ASCII letters and the separator behind it, where no token is in progress. Returns the index of the first byte
  /// not taken: `from` where something else stands there.
  @inline(__always)
  private mutating func feedWord(_ bytes: Span<UInt8>, from: Int) -> Int {
    guard self.scanner.tokenLength == 0 else { return from }
    var hash = WordHash.empty
    var prefix = WordHash.empty
    var end = from
    var letter: UInt8 = 0
    while end < bytes.count {
      let lower = bytes[end] | 0x20
      guard lower &- UInt8(ascii: "a") < 26 else { break }
      letter = lower
      hash.append(UInt32(lower))
      end += 1
      if end - from <= WordScanner.prefixLetters { prefix = hash }
    }
    guard end > from, end < bytes.count, self.scanner.isPlainSeparator(bytes[end]) else { return from }
    let start = self.position
    let stop = start + end - from
    if stop >= self.sink.matcher.deadline { self.sink.matcher.reach(stop) }
    self.sink.word(
      ScannedWord(
        hash: hash, prefix: prefix, start: start, end: stop, single: end - from == 1 ? UInt32(letter) : 0, isFolded: false))
    self.sink.token(ScannedToken(isDisguised: false, hash: hash, prefix: prefix))
    if !self.runs.isUntouched(byWordOf: end - from, before: bytes[end]) { self.feedRuns(bytes, from: from, through: end) }
    self.position = stop + 1
    return end + 1
  }

  private mutating func feedRuns(_ bytes: Span<UInt8>, from: Int, through end: Int) {
    for index in from...end where self.runs.scan(Unicode.Scalar(bytes[index]), at: self.position + index - from) {
      self.assessDecoded()
    }
  }

  /// The scalar at `index` of a string's bytes, which are valid UTF-8, and how many bytes it has.
  private static func scalar(_ bytes: Span<UInt8>, at index: Int) -> (Unicode.Scalar, Int) {
    let first = bytes[index]
    guard first >= 0x80 else { return (Unicode.Scalar(first), 1) }
    let width = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    var value = UInt32(first) & (0xFF >> UInt32(width + 1))
    for next in 1..<width { value = value << 6 | UInt32(bytes[index + next] & 0x3F) }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", width)
  }
}

/// Both readers of a text's words.
private struct ScanSink: WordSink, Sendable {
  var matcher: RuleMatcher
  var features: FeatureScan?

  @inline(__always)
  mutating func letter(_ value: UInt32, folded: UInt32) {}

  @inline(__always)
  mutating func word(_ word: ScannedWord) {
    self.matcher.word(word)
    self.features?.word(word)
  }

  @inline(__always)
  mutating func reading(_ hash: WordHash, words: Int) { self.matcher.reading(hash, words: words) }

  @inline(__always)
  mutating func token(_ token: ScannedToken) { self.features?.token(token) }
}
