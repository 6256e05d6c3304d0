/// One pass over one text: scanner, matcher and decoders, fed scalar by scalar.
///
/// Its state is a function of the scalars fed, however they were cut into strings.
struct TextScan: Sendable {
  private let rules: CompiledRules
  private var scanner = WordScanner()
  private var matcher: RuleMatcher
  private var runs = EncodedRuns()
  private let depth: Int
  private var decodedTransforms: TextTransforms = []
  private var decodedHits: [RuleMatcher.FoundRule] = []
  private var isDecodedFlagged = false
  /// Bytes fed.
  private(set) var position = 0

  /// How deep encodings are taken off one another.
  static let depthLimit = 2

  init(_ rules: CompiledRules, modes: [RuleMode], depth: Int = 0) {
    self.rules = rules
    self.matcher = RuleMatcher(rules, modes: modes)
    self.depth = depth
  }

  /// Whether a rule in mode enforce has matched.
  var isFlagged: Bool { self.matcher.isFlagged || self.isDecodedFlagged }

  /// The disguises met so far.
  var transforms: TextTransforms { self.scanner.transforms.union(self.matcher.transforms).union(self.decodedTransforms) }

  /// The first match of each rule, in the order decided; of the text itself before those of its encoded runs.
  var hits: [RuleMatcher.FoundRule] {
    guard !self.decodedHits.isEmpty else { return self.matcher.hits }
    let own = Set(self.matcher.hits.map(\.rule))
    return self.matcher.hits + self.decodedHits.filter { !own.contains($0.rule) }
  }

  @inline(__always)
  mutating func feed(_ scalar: Unicode.Scalar) {
    let offset = self.position
    if offset >= self.matcher.deadline { self.matcher.reach(offset) }
    let width = UTF8.width(scalar)
    self.scanner.scan(scalar, at: offset, width: width, into: &self.matcher)
    if self.runs.scan(scalar, at: offset) { self.assessDecoded() }
    self.position = offset + width
  }

  mutating func finish() {
    self.scanner.finish(into: &self.matcher)
    if self.runs.finish() { self.assessDecoded() }
    self.matcher.finish()
  }

  private mutating func assessDecoded() {
    let runs = self.runs.takeDecoded()
    guard self.depth < Self.depthLimit else { return }
    for run in runs {
      var scan = TextScan(self.rules, modes: self.matcher.modes, depth: self.depth + 1)
      for scalar in run.text.unicodeScalars { scan.feed(scalar) }
      scan.finish()
      self.decodedTransforms.formUnion(run.transform.union(scan.transforms))
      self.isDecodedFlagged = self.isDecodedFlagged || scan.isFlagged
      for hit in scan.hits where !self.decodedHits.contains(where: { $0.rule == hit.rule }) {
        self.decodedHits.append(RuleMatcher.FoundRule(rule: hit.rule, offset: run.offset, end: run.offset + run.length))
      }
    }
  }

  /// The byte offset up to which the text cannot be part of a match of an enforced rule, whatever follows.
  var clearOffset: Int {
    let offset = self.matcher.clearOffset(self.scanner, at: self.position)
    return min(offset, self.runs.heldOffset ?? .max)
  }

  /// The byte offset before which nothing belongs to an enforced match that was found in the text itself.
  var matchedOffset: Int {
    self.matcher.hits.lazy.filter { self.matcher.modes[$0.rule] == .enforce }.map(\.offset).min() ?? .max
  }
}
