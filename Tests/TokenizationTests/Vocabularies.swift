import ModelFiles
import Testing
import Tokenization

/// Vocabularies for tests: small ones made here, and Llama 2's own.
enum Vocabularies {
  /// `<unk>`, `<s>`, `</s>`, the 256 bytes from id 3, then the given pieces from id 259 with scores 0, -1, -2 and so on.
  static func small(
    _ pieces: [String], types: [String: Int32] = [:], scores: [String: Float] = [:], addSpacePrefix: Bool = true
  ) throws -> SentencePieceTokenizer {
    let hex = Array("0123456789ABCDEF")
    let bytes = (0..<256).map { "<0x\(hex[$0 / 16])\(hex[$0 % 16])>" }
    let all = ["<unk>", "<s>", "</s>"] + bytes + pieces
    let order = pieces.enumerated().map { scores[$1] ?? -Float($0) }
    return try SentencePieceTokenizer(
      pieces: all, scores: [Float](repeating: 0, count: 259) + order,
      types: [2, 3, 3] + [Int32](repeating: 6, count: 256) + pieces.map { types[$0] ?? 1 },
      bos: 1, eos: 2, unk: 0, addSpacePrefix: addSpacePrefix)
  }

  /// Llama 2's vocabulary from the shared data.
  static func llama2() throws -> SentencePieceTokenizer {
    let metadata = try GGUFFile(path: SharedData.path("tokenizer/ggml-vocab-llama-spm.gguf")).metadata
    return try SentencePieceTokenizer(
      pieces: metadata.requireStringArray("tokenizer.ggml.tokens"),
      scores: metadata.requireFloatArray("tokenizer.ggml.scores"),
      types: metadata.requireIntArray("tokenizer.ggml.token_type"),
      bos: Int32(metadata.requireUnsigned("tokenizer.ggml.bos_token_id")),
      eos: Int32(metadata.requireUnsigned("tokenizer.ggml.eos_token_id")),
      unk: Int32(metadata.requireUnsigned("tokenizer.ggml.unknown_token_id", ifAbsent: 0)))
  }
}

extension Vocabularies {
  /// Llama 3's vocabulary from the shared data, cut into words by any of the expressions; the one that composes is Qwen2's.
  static func byteLevel(pre: String) throws -> any Tokenizer {
    let metadata = try GGUFFile(path: SharedData.path("tokenizer/ggml-vocab-llama-bpe.gguf")).metadata
    let merges = try metadata.requireStringArray("tokenizer.ggml.merges").map { merge in
      let parts = merge.split(separator: " ")
      return VocabularySource.PairMerging.Merge(String(parts[0]), String(parts[1]))
    }
    let kind = try #require(PreTokenizer(ggufName: pre))
    let merging = VocabularySource.PairMerging(
      merges: merges, preTokenizer: kind, prefersWholeWords: kind == .llama3, composes: kind == .qwen2)
    return try VocabularySource(
      pieces: metadata.requireStringArray("tokenizer.ggml.tokens"), types: metadata.requireIntArray("tokenizer.ggml.token_type"),
      merging: .pairs(merging), bos: Int32(metadata.requireUnsigned("tokenizer.ggml.bos_token_id")),
      eos: Int32(metadata.requireUnsigned("tokenizer.ggml.eos_token_id")), unknown: nil, addsBOS: true, addsSpacePrefix: false
    ).makeTokenizer()
  }
}
