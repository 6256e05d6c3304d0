/// What a ``WordScanner`` reports, in the order of the text.
protocol WordSink {
  /// A letter of the word in progress: as it is written, in lower case, and with look-alikes read as Latin.
  mutating func letter(_ value: UInt32, folded: UInt32)
  /// The letters since the last word are a word.
  mutating func word(_ word: ScannedWord)
  /// The last `words` words may also be read as the one word `hash`: digits and signs stand for letters.
  mutating func reading(_ hash: WordHash, words: Int)
  /// The words since the last token, at least one or a lone sign, are a token.
  mutating func token(_ token: ScannedToken)
}

/// A token of a text: words with nothing but signs that may stand for letters between them.
struct ScannedToken {
  /// Whether it holds a letter, and a digit or sign that may stand for one.
  var isDisguised: Bool
  /// Read as one word up to its last letter or digit, and the beginning of that word.
  var hash: WordHash
  var prefix: WordHash
}

/// A word of a text: its letters by hash, its place in bytes.
struct ScannedWord {
  var hash: WordHash
  /// The hash of its first ``WordScanner/prefixLetters`` letters: a word in most of its inflections.
  var prefix: WordHash
  var start: Int
  var end: Int
  /// The letter, where the word is a single one of an alphabet; 0 otherwise.
  var single: UInt32
  /// Whether look-alikes were read as Latin.
  var isFolded: Bool
}

/// Cuts a text into normalised words, one scalar at a time, in constant memory.
///
/// A word is a run of letters and digits after folding; a token is a run that may also hold signs which stand for letters
/// (`m@ke`). Every variant's hash grows with the scalar, so nothing is buffered and nothing is looked at twice.
struct WordScanner: Sendable {
  private let classes = ScalarClasses.shared
  private(set) var transforms: TextTransforms = []

  private(set) var written = WordHash.empty
  /// Letters in the word in progress; 0 between words.
  private(set) var length = 0
  private(set) var wordStart = 0
  private var wordEnd = 0
  private var hasLatin = false
  private var hasLookalike = false
  private var hasDigit = false
  private var lastLetter: UInt32 = 0

  /// Whether the token in progress is one word of plain letters so far: then every reading of it is the word as written, and only
  /// that hash grows.
  private var isPlain = true
  private var foldedHash = WordHash.empty
  private var leetHash = WordHash.empty
  private var leetOneHash = WordHash.empty
  private var leetTrimmedHash = WordHash.empty
  private var leetOneTrimmedHash = WordHash.empty

  var folded: WordHash { self.isPlain ? self.written : self.foldedHash }
  /// The token in progress read with signs and digits as letters; `one` reads 1 and | as l instead of i.
  var leet: WordHash { self.isPlain ? self.written : self.leetHash }
  var leetOne: WordHash { self.isPlain ? self.written : self.leetOneHash }
  /// The same up to the last letter or digit, without signs that may be mere punctuation.
  var leetTrimmed: WordHash { self.isPlain ? self.written : self.leetTrimmedHash }
  var leetOneTrimmed: WordHash { self.isPlain ? self.written : self.leetOneTrimmedHash }
  private(set) var tokenLength = 0
  private var writtenPrefix = WordHash.empty
  private var foldedPrefix = WordHash.empty
  private var leetPrefix = WordHash.empty
  /// Letters of the token up to the last letter or digit.
  private var trimmedLength = 0
  private(set) var tokenStart = 0
  /// Words of the token in progress that are complete.
  private(set) var tokenWords = 0
  private var tokenHasLetter = false
  private var tokenHasDisguise = false

  static let prefixLetters = 5
  /// Longest token that is read with signs as letters, in words.
  static let tokenWordLimit = 24

  @inline(__always)
  mutating func scan(_ scalar: Unicode.Scalar, at offset: Int, width: Int, into sink: inout some WordSink) {
    let entry = self.classes[scalar]
    if entry.hasTransform { self.transforms.formUnion(entry.transforms) }
    switch entry.kind {
    case ScalarClass.Kind.plain.rawValue: self.latin(entry.payload, offset, offset + width, &sink)
    case ScalarClass.Kind.separator.rawValue: self.separate(&sink)
    case ScalarClass.Kind.ignorable.rawValue: break
    default: self.scanRare(entry, scalar, offset, offset + width, &sink)
    }
  }

  /// Whether a byte is an ASCII character that ends a word and the token, whatever comes.
  @inline(__always)
  func isPlainSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (byte < 0x80 && self.classes[Unicode.Scalar(byte)].raw == 0)
  }

  private mutating func scanRare(
    _ entry: ScalarClass, _ scalar: Unicode.Scalar, _ start: Int, _ end: Int, _ sink: inout some WordSink
  ) {
    switch entry.kind {
    case ScalarClass.Kind.sign.rawValue: self.sign(entry.payload, start, &sink)
    case ScalarClass.Kind.pair.rawValue:
      let (first, second) = ScalarClass.pairs[Int(entry.payload) % ScalarClass.pairs.count]
      self.latin(first, start, end, &sink)
      self.latin(second, start, end, &sink)
    case ScalarClass.Kind.lookalike.rawValue:
      self.letter(Lookalikes.lowercase(scalar), folded: UInt32(entry.payload), start, end, &sink)
      self.hasLookalike = true
    case ScalarClass.Kind.letter.rawValue:
      let value = Lookalikes.lowercase(scalar)
      self.letter(value, folded: value, start, end, &sink)
    default:
      self.separate(&sink)
      self.letter(scalar.value, folded: scalar.value, start, end, &sink)
      self.lastLetter = 0
      self.separate(&sink)
    }
  }

  @inline(__always)
  private mutating func latin(_ byte: UInt8, _ start: Int, _ end: Int, _ sink: inout some WordSink) {
    guard byte > UInt8(ascii: "9") else { return self.digit(byte, start, end, &sink) }
    guard self.isPlain, self.tokenWords == 0 else {
      self.letter(UInt32(byte), folded: UInt32(byte), start, end, &sink)
      self.hasLatin = true
      return
    }
    if self.length == 0 {
      self.beginWord(at: start)
      self.tokenStart = start
    }
    self.written.append(UInt32(byte))
    self.length += 1
    self.tokenLength = self.length
    self.wordEnd = end
    self.lastLetter = UInt32(byte)
    self.hasLatin = true
    self.tokenHasLetter = true
    if self.length <= Self.prefixLetters { self.writtenPrefix = self.written }
    sink.letter(UInt32(byte), folded: UInt32(byte))
  }

  /// Gives each reading of the token a hash of its own, from what they have had in common.
  private mutating func part() {
    guard self.isPlain else { return }
    self.isPlain = false
    let common = self.tokenLength > 0 ? self.written : .empty
    let prefix = self.tokenLength > 0 ? self.writtenPrefix : .empty
    self.foldedHash = common
    self.leetHash = common
    self.leetOneHash = common
    self.leetTrimmedHash = common
    self.leetOneTrimmedHash = common
    self.foldedPrefix = prefix
    self.leetPrefix = prefix
    self.trimmedLength = self.tokenLength
  }

  @inline(__always)
  private mutating func letter(_ value: UInt32, folded: UInt32, _ start: Int, _ end: Int, _ sink: inout some WordSink) {
    self.grow(value, folded: folded, leet: folded, one: folded, start, end)
    self.tokenHasLetter = true
    sink.letter(value, folded: folded)
  }

  private mutating func digit(_ byte: UInt8, _ start: Int, _ end: Int, _ sink: inout some WordSink) {
    let leet = UInt32(Self.leetDigits[Int(byte &- UInt8(ascii: "0")) % Self.leetDigits.count])
    let one = byte == UInt8(ascii: "1") ? UInt32(UInt8(ascii: "l")) : leet
    self.grow(UInt32(byte), folded: UInt32(byte), leet: leet, one: one, start, end)
    self.tokenHasDisguise = true
    self.hasDigit = true
    sink.letter(UInt32(byte), folded: UInt32(byte))
  }

  /// 0 to 9 as letters; 1 is also read as l.
  private static let leetDigits = Array("oizeasgtbg".utf8)

  @inline(__always)
  private mutating func grow(_ value: UInt32, folded: UInt32, leet: UInt32, one: UInt32, _ start: Int, _ end: Int) {
    self.part()
    if self.length == 0 { self.beginWord(at: start) }
    if self.tokenLength == 0 { self.tokenStart = start }
    self.length += 1
    self.tokenLength += 1
    self.wordEnd = end
    self.lastLetter = folded
    self.written.append(value)
    self.foldedHash.append(folded)
    self.leetHash.append(leet)
    self.leetOneHash.append(one)
    self.leetTrimmedHash = self.leetHash
    self.leetOneTrimmedHash = self.leetOneHash
    self.trimmedLength = self.tokenLength
    if self.length <= Self.prefixLetters {
      self.writtenPrefix = self.written
      self.foldedPrefix = self.foldedHash
    }
    if self.tokenLength <= Self.prefixLetters { self.leetPrefix = self.leetHash }
  }

  @inline(__always)
  private mutating func beginWord(at start: Int) {
    self.wordStart = start
    self.written = .empty
    self.foldedHash = .empty
    self.hasLatin = false
    self.hasLookalike = false
    self.hasDigit = false
  }

  private mutating func sign(_ byte: UInt8, _ start: Int, _ sink: inout some WordSink) {
    self.part()
    self.endWord(&sink)
    if self.tokenLength == 0 { self.tokenStart = start }
    self.tokenLength += 1
    self.tokenHasDisguise = true
    self.leetHash.append(UInt32(byte))
    self.leetOneHash.append(UInt32(byte == UInt8(ascii: "i") ? UInt8(ascii: "l") : byte))
    if self.tokenLength <= Self.prefixLetters { self.leetPrefix = self.leetHash }
  }

  @inline(__always)
  private mutating func separate(_ sink: inout some WordSink) {
    if self.length > 0 { self.endWord(&sink) }
    if self.tokenLength > 0 { self.endToken(&sink) }
  }

  /// Ends the word and the token in progress, as the end of the text does.
  mutating func finish(into sink: inout some WordSink) { self.separate(&sink) }

  @inline(__always)
  private mutating func endWord(_ sink: inout some WordSink) {
    guard self.length > 0 else { return }
    let isFolded = self.hasLatin && self.hasLookalike
    if isFolded { self.transforms.formUnion(.homoglyphs) }
    let isSingle = self.length == 1 && !self.hasDigit
    self.length = 0
    self.tokenWords += 1
    sink.word(
      ScannedWord(
        hash: isFolded ? self.foldedHash : self.written, prefix: isFolded ? self.foldedPrefix : self.writtenPrefix,
        start: self.wordStart, end: self.wordEnd,
        single: isSingle ? self.lastLetter : 0, isFolded: isFolded))
  }

  @inline(__always)
  private mutating func endToken(_ sink: inout some WordSink) {
    let isDisguised = self.tokenHasLetter && self.tokenHasDisguise && (1...Self.tokenWordLimit).contains(self.tokenWords)
    // "70" may be "to", but a number among words is no word: only the rules, which know what they look for, read it so.
    let isShortNumber = self.hasOnlyDigits && self.tokenLength == 2
    if isDisguised || isShortNumber { self.readToken(&sink) }
    sink.token(
      ScannedToken(
        isDisguised: isDisguised, hash: self.leetTrimmed,
        prefix: self.trimmedLength <= Self.prefixLetters ? self.leetTrimmed : self.leetPrefix))
    self.tokenLength = 0
    self.tokenWords = 0
    self.tokenHasLetter = false
    self.tokenHasDisguise = false
    self.isPlain = true
  }

  private var hasOnlyDigits: Bool { self.tokenHasDisguise && !self.tokenHasLetter && self.tokenWords == 1 }

  private mutating func readToken(_ sink: inout some WordSink) {
    sink.reading(self.leetTrimmed, words: self.tokenWords)
    if self.leetOneTrimmed != self.leetTrimmed { sink.reading(self.leetOneTrimmed, words: self.tokenWords) }
    if self.leet != self.leetTrimmed { sink.reading(self.leet, words: self.tokenWords) }
  }
}
