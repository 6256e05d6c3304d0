/// A vocabulary as its file says it, whatever the file: what a tokenizer is made from.
public struct VocabularySource: Sendable {
  public enum Merging: Sendable {
    /// SentencePiece: neighbours merge by the score of the piece that they form; one score a piece, higher merges earlier.
    case scores([Float])
    case pairs(PairMerging)
  }

  /// Merging by a list of pairs, the first of which merges first.
  public struct PairMerging: Sendable {
    public enum Alphabet: Sendable, Equatable {
      /// Bytes, which the pieces write in GPT-2's printable alphabet.
      case bytes
      /// Characters, spaces being U+2581.
      case characters
    }

    public struct Merge: Sendable, Equatable {
      public var left: String
      public var right: String

      public init(_ left: String, _ right: String) {
        self.left = left
        self.right = right
      }
    }

    public var merges: [Merge]
    public var alphabet: Alphabet
    /// Only for bytes.
    public var preTokenizer: PreTokenizer
    /// A word that is a piece is taken whole, even where merges would not lead to it (Llama 3).
    public var prefersWholeWords: Bool
    /// The text is brought to Unicode's NFC first (Qwen2).
    public var composes: Bool
    /// What a pair makes says when it merges, lower ids first, and not the pair's place in the list (lists of ranks).
    public var ranksByResult: Bool

    public init(
      merges: [Merge], alphabet: Alphabet = .bytes, preTokenizer: PreTokenizer = .gpt2, prefersWholeWords: Bool = false,
      composes: Bool = false, ranksByResult: Bool = false
    ) {
      self.merges = merges
      self.alphabet = alphabet
      self.preTokenizer = preTokenizer
      self.prefersWholeWords = prefersWholeWords
      self.composes = composes
      self.ranksByResult = ranksByResult
    }
  }

  /// By token id.
  public var pieces: [String]
  /// By token id: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  public var types: [Int32]
  public var merging: Merging
  public var bos: Int32?
  public var eos: Int32?
  public var unknown: Int32?
  /// Tokens besides `eos` that end generation, as far as the files name them.
  public var otherEnds: [Int32] = []
  public var addsBOS: Bool
  /// Whether a space is put before every text; only for vocabularies with U+2581.
  public var addsSpacePrefix: Bool
  public var chatTemplate: String?

  public init(
    pieces: [String], types: [Int32], merging: Merging, bos: Int32?, eos: Int32?, unknown: Int32?, addsBOS: Bool,
    addsSpacePrefix: Bool
  ) {
    self.pieces = pieces
    self.types = types
    self.merging = merging
    self.bos = bos
    self.eos = eos
    self.unknown = unknown
    self.addsBOS = addsBOS
    self.addsSpacePrefix = addsSpacePrefix
  }

  /// Control tokens that end a turn in every chat format that has them; files often name only one of them.
  private static let knownEnds: Set<String> = [
    "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|im_end|>", "<|endoftext|>",
  ]

  var allEnds: Set<Int32> {
    var ends = Set(self.otherEnds)
    if let eos = self.eos { ends.insert(eos) }
    for (index, piece) in self.pieces.enumerated()
    where index < self.types.count && self.types[index] == 3 && Self.knownEnds.contains(piece) {
      ends.insert(Int32(index))
    }
    return ends
  }

  /// Adds unused pieces up to a size: a model's output may have more rows than its vocabulary has pieces.
  public mutating func pad(to size: Int) {
    let missing = size - self.pieces.count
    guard missing > 0 else { return }
    self.pieces += [String](repeating: "", count: missing)
    self.types += [Int32](repeating: 5, count: missing)
    if case .scores(let scores) = self.merging { self.merging = .scores(scores + [Float](repeating: 0, count: missing)) }
  }

  /// That every named token is one.
  func checkTokens() throws(TokenizerError) {
    let ids = [("bos", self.bos), ("eos", self.eos), ("unk", self.unknown)] + self.otherEnds.map { ("end of text", $0) }
    for (field, id) in ids {
      guard let id else { continue }
      guard id >= 0, Int(id) < self.pieces.count else {
        throw TokenizerError(field: field, message: "Token \(id) is outside the vocabulary of \(self.pieces.count).")
      }
    }
  }

  /// Checks and arranges the vocabulary; O(total bytes of the pieces).
  ///
  /// - Throws: ``TokenizerError`` naming the piece, score, merge or id at fault.
  public func makeTokenizer() throws(TokenizerError) -> any Tokenizer {
    try self.checkTokens()
    switch self.merging {
    case .scores(let scores): return try SentencePieceTokenizer(self, scores: scores)
    case .pairs(let merging): return try BytePairTokenizer(self, merging)
    }
  }
}
