internal import Glibc

/// Cuts a text into the word pieces of a vocabulary: the longest that fits first, pieces within a word marked by `##`.
///
/// Words are cut at white space and around punctuation; ideographs are words by themselves; control characters vanish. As the tokenizer of
/// the BERT checkpoints does it.
struct WordPiece: Sendable {
  private let ids: [String: Int32]
  private let places: Int
  private let isUncased: Bool
  private let decompose: @Sendable (String) -> String
  private let unknown: Int32
  private let first: Int32
  private let last: Int32

  /// Letters of a word beyond which it is unknown.
  static let longestWord = 100

  init(
    _ vocabulary: [UInt8], _ sizes: EncoderConfiguration, decompose: @escaping @Sendable (String) -> String
  ) throws(TextEncoderError) {
    guard let text = String(validating: vocabulary, as: UTF8.self) else {
      throw TextEncoderError("vocab.txt", "is not UTF-8")
    }
    var ids: [String: Int32] = [:]
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty ?? false { lines.removeLast() }
    guard lines.count <= sizes.vocabulary else {
      throw TextEncoderError("vocab.txt", "has \(lines.count) pieces; the configuration says \(sizes.vocabulary)")
    }
    for (index, line) in lines.enumerated() { ids[String(line.last == "\r" ? line.dropLast() : line)] = Int32(index) }
    guard let unknown = ids["[UNK]"], let first = ids["[CLS]"], let last = ids["[SEP]"] else {
      throw TextEncoderError("vocab.txt", "lacks one of [UNK], [CLS], [SEP]")
    }
    self.ids = ids
    self.places = sizes.places
    self.isUncased = sizes.isUncased
    self.decompose = decompose
    (self.unknown, self.first, self.last) = (unknown, first, last)
  }

  /// The tokens of up to `most` stretches that follow each other and fill the places, the marks at both ends of each included.
  ///
  /// - Complexity: O(bytes read); what is beyond the last stretch is not read on.
  func stretches(_ text: String, most: Int) -> [[Int32]] {
    let room = self.places - 2
    let found = self.pieces(text, limit: most * room)
    guard found.count > room else { return [[self.first] + found + [self.last]] }
    return stride(from: 0, to: found.count, by: room).map { start in
      [self.first] + found[start..<min(start + room, found.count)] + [self.last]
    }
  }

  /// - Complexity: O(bytes); what is beyond the encoder's places is not read on.
  func tokens(_ text: String) -> [Int32] {
    [self.first] + self.pieces(text, limit: self.places - 2) + [self.last]
  }

  /// At most `limit` pieces, without marks.
  private func pieces(_ text: String, limit: Int) -> [Int32] {
    var tokens: [Int32] = []
    var word: [Unicode.Scalar] = []
    // No token is made of less than one scalar, and few of more than a word's length.
    let bounded = String(String.UnicodeScalarView(text.unicodeScalars.prefix((limit + 2) * Self.longestWord)))
    for scalar in (self.isUncased ? self.decompose(bounded.lowercased()) : bounded).unicodeScalars {
      guard tokens.count < limit else { break }
      switch Self.kind(scalar) {
      case .letter: word.append(scalar)
      case .space: self.end(&word, &tokens)
      case .alone:
        self.end(&word, &tokens)
        tokens.append(self.ids[String(Character(scalar))] ?? self.unknown)
      case .accent where self.isUncased, .nothing: continue
      case .accent: word.append(scalar)
      }
    }
    self.end(&word, &tokens)
    return Array(tokens.prefix(limit))
  }

  private func end(_ word: inout [Unicode.Scalar], _ tokens: inout [Int32]) {
    guard !word.isEmpty else { return }
    defer { word.removeAll(keepingCapacity: true) }
    guard word.count <= Self.longestWord else { return tokens.append(self.unknown) }
    var found: [Int32] = []
    var start = 0
    while start < word.count {
      var end = word.count
      var piece: Int32?
      while end > start, piece == nil {
        let text = String(String.UnicodeScalarView(word[start..<end]))
        piece = self.ids[start > 0 ? "##" + text : text]
        if piece == nil { end -= 1 }
      }
      guard let piece else { return tokens.append(self.unknown) }
      found.append(piece)
      start = end
    }
    tokens += found
  }

  private enum Kind { case letter, space, alone, accent, nothing }

  private static func kind(_ scalar: Unicode.Scalar) -> Kind {
    let value = scalar.value
    if value == 0 || value == 0xFFFD { return .nothing }
    if value == 0x20 || value == 0x09 || value == 0x0A || value == 0x0D { return .space }
    if Self.isIdeograph(value) { return .alone }
    switch value {
    case 33...47, 58...64, 91...96, 123...126: return .alone
    default: break
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .privateUse, .unassigned, .surrogate: return .nothing
    case .spaceSeparator: return .space
    case .nonspacingMark: return .accent
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation,
      .otherPunctuation:
      return .alone
    default: return .letter
    }
  }

  private static func isIdeograph(_ value: UInt32) -> Bool {
    switch value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F, 0x2B820...0x2CEAF,
      0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}

/// From the C library: the pooler's function.
func hyperbolicTangent(_ value: Float) -> Float { tanhf(value) }
