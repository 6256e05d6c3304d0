/// Byte-pair encoding by ranked merges: byte-level as in GPT-2, Llama 3 and Qwen2, or over characters as in `tokenizer.json` files
/// made from SentencePiece vocabularies.
///
/// Byte-level: the text is cut into words (``PreTokenizer``), each word begins as its bytes. Over characters: each space becomes
/// U+2581, the whole text is one word and begins as its characters; one that is no piece becomes its bytes. Then pairs merge by rank.
/// Control tokens are never recognised in text, user-defined ones where they do not look like a tag (``MarkerPieces``). Bytes that are
/// no UTF-8 are kept, so that decoding gives back any input; only a vocabulary that composes (Unicode's NFC) does not.
///
/// Reference: the `tokenizers` library, `models/bpe`.
public struct BytePairTokenizer: Tokenizer {
  /// Longer words are cut, so that indices fit 32 bits; no caller should accept such a text at all.
  static let longestWord = 1 << 30

  public let beginOfSequence: Int32?
  public let endOfSequence: Int32?
  public let addsBOS: Bool
  private let vocabulary: BytePairVocabulary
  private let ends: Set<Int32>
  public let addsSpacePrefix: Bool

  /// Checks and arranges a vocabulary; O(total bytes of pieces and merges).
  ///
  /// - Throws: naming the piece or merge that is malformed, or where some text would have no tokens.
  init(_ source: VocabularySource, _ merging: VocabularySource.PairMerging) throws(TokenizerError) {
    self.vocabulary = try BytePairVocabulary(source, merging)
    self.beginOfSequence = source.bos
    self.endOfSequence = source.eos
    self.addsBOS = source.addsBOS && source.bos != nil
    self.ends = source.allEnds
    self.addsSpacePrefix = source.addsSpacePrefix && merging.alphabet != .bytes
  }

  public var vocabularySize: Int { self.vocabulary.kinds.count }
  /// Composing joins up to three bytes into one or more, so that a piece may stand for more of the text than it has bytes.
  public var longestPiece: Int { self.vocabulary.longestPiece * (self.vocabulary.composes ? 3 : 1) }

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

  public func appendBytes(of token: Int32, to bytes: inout [UInt8]) {
    self.vocabulary.appendSurface(of: token, to: &bytes)
  }

  public func isEndOfText(_ token: Int32) -> Bool { self.ends.contains(token) }

  public func markerToken(_ name: String) -> Int32? { self.vocabulary.markers.id(named: name) }

  /// Cuts the text at user-defined tokens and encodes what is between. O(n log n).
  private func encode(_ text: [UInt8], withSpace: Bool, into tokens: inout [Int32]) {
    guard !text.isEmpty else { return }
    var merger = PairMerger(self.vocabulary.pairs)
    let markers = self.vocabulary.markers
    guard !markers.recognisesNothing else {
      return self.encode(plain: text, withSpace: withSpace, &merger, into: &tokens)
    }
    var (start, offset) = (0, 0)
    while offset < text.count {
      guard let (id, length) = markers.match(text, at: offset) else {
        offset += 1
        continue
      }
      if start < offset {
        self.encode(plain: Array(text[start..<offset]), withSpace: withSpace && start == 0, &merger, into: &tokens)
      }
      tokens.append(id)
      offset += length
      start = offset
    }
    if start < text.count {
      self.encode(plain: Array(text[start...]), withSpace: withSpace && start == 0, &merger, into: &tokens)
    }
  }

  private func encode(plain text: [UInt8], withSpace: Bool, _ merger: inout PairMerger, into tokens: inout [Int32]) {
    switch self.vocabulary.alphabet {
    case .bytes:
      let text = self.vocabulary.composes ? UTF8Scan.composed(text) : text
      self.vocabulary.preTokenizer.words(of: text) { word in
        if self.vocabulary.prefersWholeWords, let id = self.vocabulary.table.id(of: text, word.lowerBound, word.count) {
          tokens.append(id)
          return
        }
        for start in stride(from: word.lowerBound, to: word.upperBound, by: Self.longestWord) {
          for byte in text[start..<min(word.upperBound, start + Self.longestWord)] {
            merger.append(self.vocabulary.byteTokens[Int(byte)])
          }
          merger.finish(into: &tokens)
        }
      }
    case .characters:
      self.encodeCharacters(withSpace ? [0x20] + text : text, &merger, into: &tokens)
    }
  }

  private func encodeCharacters(_ text: [UInt8], _ merger: inout PairMerger, into tokens: inout [Int32]) {
    var (offset, count) = (0, 0)
    while offset < text.count {
      let length = UTF8Scan.characterLength(text, at: offset)
      if count >= Self.longestWord {
        merger.finish(into: &tokens)
        count = 0
      }
      if text[offset] == 0x20 {
        self.vocabulary.appendSymbols(SentencePieceVocabulary.spaceMark[...], to: &merger)
      } else {
        self.vocabulary.appendSymbols(text[offset..<offset + length], to: &merger)
      }
      count += length
      offset += length
    }
    merger.finish(into: &tokens)
  }
}
