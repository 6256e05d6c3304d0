/// SentencePiece byte-pair encoding as Llama and Llama 2 use it.
///
/// Text is not normalised; each space becomes U+2581, one is put before the text where the model wants it, and the
/// best-scoring neighbours are merged until none form a piece (the leftmost among equals). A character that is no piece
/// becomes its bytes. Control and byte pieces are never recognised in text; user-defined ones are, whole and before any merging, unless
/// they look like a tag (``MarkerPieces``). A byte that is not part of a
/// valid UTF-8 character becomes its byte piece, so that decoding gives back any input, but for a U+2581, which turns space.
///
/// Reference: `sentencepiece`, `bpe_model.cc`.
public struct SentencePieceTokenizer: Tokenizer {
  /// Longer runs without a space are cut, so that offsets fit 32 bits; no caller should accept such a text at all.
  static let longestSegment = 1 << 30

  public let beginOfSequence: Int32?
  public let endOfSequence: Int32?
  /// Whether the model's authors begin every sequence with ``beginOfSequence``: what to pass for `addBOS`.
  public let addsBOS: Bool
  /// Whether a space is put before every text that is not empty.
  public let addsSpacePrefix: Bool
  private let vocabulary: SentencePieceVocabulary
  private let ends: Set<Int32>

  /// Checks and arranges a vocabulary; O(total bytes of the pieces).
  ///
  /// - Parameters:
  ///   - pieces: the pieces by token id; where two read the same, the lower id is used.
  ///   - scores: a higher score merges earlier.
  ///   - types: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  /// - Throws: where counts differ, an id is outside the vocabulary, a type or byte piece is malformed, or some text
  ///   would have no tokens.
  public init(
    pieces: [String], scores: [Float], types: [Int32], bos: Int32?, eos: Int32?, unk: Int32?,
    addBOS: Bool = true, addSpacePrefix: Bool = true
  ) throws(TokenizerError) {
    let source = VocabularySource(
      pieces: pieces, types: types, merging: .scores(scores), bos: bos, eos: eos, unknown: unk, addsBOS: addBOS,
      addsSpacePrefix: addSpacePrefix)
    try source.checkTokens()
    try self.init(source, scores: scores)
  }

  init(_ source: VocabularySource, scores: [Float]) throws(TokenizerError) {
    self.vocabulary = try SentencePieceVocabulary(
      pieces: source.pieces, scores: scores, types: source.types, unk: source.unknown)
    self.beginOfSequence = source.bos
    self.endOfSequence = source.eos
    self.addsBOS = source.addsBOS && source.bos != nil
    self.addsSpacePrefix = source.addsSpacePrefix
    self.ends = source.allEnds
  }

  public var vocabularySize: Int { self.vocabulary.count }
  public var longestPiece: Int { self.vocabulary.longestSurface }

  /// The ids of a text: O(n log n) time, and memory linear in its longest run without a space.
  public func encode(_ text: [UInt8], addBOS: Bool) -> [Int32] {
    var tokens: [Int32] = []
    if addBOS, let begin = self.beginOfSequence { tokens.append(begin) }
    self.encode(text, withSpace: self.addsSpacePrefix, into: &tokens)
    return tokens
  }

  public func encodeContinuation(_ text: [UInt8]) -> [Int32] {
    var tokens: [Int32] = []
    self.encode(text, withSpace: false, into: &tokens)
    return tokens
  }

  private func encode(_ text: [UInt8], withSpace: Bool, into tokens: inout [Int32]) {
    guard !text.isEmpty else { return }
    var merger = SegmentMerger(self.vocabulary)
    if withSpace { merger.append(0x20) }
    for byte in text {
      if self.ends(merger, before: byte) { merger.finish(into: &tokens) }
      merger.append(byte)
    }
    merger.finish(into: &tokens)
  }

  public func appendBytes(of token: Int32, to bytes: inout [UInt8]) {
    self.vocabulary.appendSurface(of: token, to: &bytes)
  }

  public func isEndOfText(_ token: Int32) -> Bool { self.ends.contains(token) }

  public func markerToken(_ name: String) -> Int32? { self.vocabulary.markers.id(named: name) }

  /// Whether no merge can join what has been gathered with what begins at `byte`.
  private func ends(_ segment: borrowing SegmentMerger, before byte: UInt8) -> Bool {
    if byte == 0x20 { return self.vocabulary.splitsAtSpaces && !segment.isEmpty && !segment.endsWithSpace }
    return segment.count >= SentencePieceTokenizer.longestSegment && byte & 0xC0 != 0x80
  }
}
