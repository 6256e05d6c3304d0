public import GovernanceTypes

/// A text as the rules read it: folded words, each with its place in the original.
///
/// Disguises that are only further readings of a word (leetspeak, spelt letters, encoded runs) are not part of it.
public struct NormalisedText: Sendable, Hashable {
  public struct Word: Sendable, Hashable {
    public var text: String
    /// The place in the original text, in bytes of its UTF-8.
    public var offset: Int
    public var length: Int
  }

  public let words: [Word]
  /// The disguises taken off.
  public let transforms: TextTransforms

  /// O(bytes) time and memory.
  public init(_ text: String) {
    var scanner = WordScanner()
    var collector = WordCollector()
    var offset = 0
    for scalar in text.unicodeScalars {
      let width = UTF8.width(scalar)
      scanner.scan(scalar, at: offset, width: width, into: &collector)
      offset += width
    }
    scanner.finish(into: &collector)
    self.words = collector.words
    self.transforms = scanner.transforms
  }

  /// The words, separated by single spaces.
  public var text: String { self.words.map(\.text).joined(separator: " ") }

  /// A keyed digest of ``text``: matches a record with a text that is shown again, and tells nothing without the key.
  public func commitment(key: [UInt8], by keyedDigest: KeyedDigestFunction) -> Digest {
    keyedDigest(key, Array(self.text.utf8))
  }
}

private struct WordCollector: WordSink {
  private(set) var words: [NormalisedText.Word] = []
  private var written = String.UnicodeScalarView()
  private var folded = String.UnicodeScalarView()

  mutating func letter(_ value: UInt32, folded: UInt32) {
    if let scalar = Unicode.Scalar(value) { self.written.append(scalar) }
    if let scalar = Unicode.Scalar(folded) { self.folded.append(scalar) }
  }

  mutating func word(_ word: ScannedWord) {
    let text = String(word.isFolded ? self.folded : self.written)
    self.words.append(NormalisedText.Word(text: text, offset: word.start, length: word.end - word.start))
    self.written.removeAll(keepingCapacity: true)
    self.folded.removeAll(keepingCapacity: true)
  }

  mutating func reading(_ hash: WordHash, words: Int) {}
  mutating func token(_ token: ScannedToken) {}
}

extension UTF8 {
  /// Bytes of a scalar in UTF-8.
  @inline(__always)
  static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case ..<0x80: 1
    case ..<0x800: 2
    case ..<0x10000: 3
    default: 4
    }
  }
}
