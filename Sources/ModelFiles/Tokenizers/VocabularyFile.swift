/// A tokenizer as plain lists, from whichever file it was read; what they mean is for the tokenizer to say.
public struct VocabularyFile: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    /// Pieces merged by score; the file's own ids of unknown, begin and end.
    case scores
    /// Bytes merged by rank, after the text was cut by the named rule (GGUF's `tokenizer.ggml.pre`).
    case merges(rule: String)
  }

  public var kind: Kind
  /// By token id.
  public var pieces: [String]
  /// As many as pieces for ``Kind/scores``, else none.
  public var scores: [Float] = []
  /// SentencePiece's kinds: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  public var types: [Int32]
  /// Pairs divided by a space, best first; for ``Kind/merges(rule:)``.
  public var merges: [String] = []
  public var unknown: Int?
  public var begin: Int?
  public var end: Int?
  public var addsSpacePrefix = true
  /// Whether the file itself says that a sequence begins with a token; `nil` where it does not speak of it.
  public var addsBegin: Bool?

  /// Real vocabularies have up to some 260,000 pieces.
  static let pieceLimit = 1 << 20
  static let mergeLimit = 1 << 20
}
