internal import ModelFiles
public import Tokenization

/// The tokenizer that a model file carries.
public struct LlamaVocabulary: Sendable {
  public let tokenizer: SentencePieceTokenizer
  /// Bytes of the longest piece: a text of `n` bytes has at least `n / longestPiece` tokens.
  public let longestPiece: Int

  public var size: Int { self.tokenizer.vocabularySize }

  /// - Throws: `unsupportedTokenizer` for another model than `llama`, `invalidFile`, `invalidVocabulary`.
  init(_ reader: MetadataReader) throws(LlamaModelError) {
    let kind = try reader.string("tokenizer.ggml.model")
    guard kind == "llama" else {
      throw LlamaModelError(
        .unsupportedTokenizer, path: reader.path, field: "tokenizer.ggml.model",
        "The tokenizer is \"\(kind)\"; only \"llama\" (SentencePiece) can be used.")
    }
    guard !(try reader.flag("tokenizer.ggml.add_eos_token", ifAbsent: false)) else {
      throw reader.unsupported("tokenizer.ggml.add_eos_token", "Ending every prompt with a token is not supported.")
    }
    let pieces: [String], scores: [Float], types: [Int32]
    do {
      pieces = try reader.metadata.requireStringArray("tokenizer.ggml.tokens")
      scores = try reader.metadata.requireFloatArray("tokenizer.ggml.scores")
      types = try reader.metadata.requireIntArray("tokenizer.ggml.token_type")
    } catch {
      throw LlamaModelError(error)
    }
    do {
      self.tokenizer = try SentencePieceTokenizer(
        pieces: pieces, scores: scores, types: types, bos: try Self.token("bos", reader, ifAbsent: 1),
        eos: try Self.token("eos", reader, ifAbsent: 2), unk: try Self.token("unknown", reader, ifAbsent: 0),
        addBOS: try reader.flag("tokenizer.ggml.add_bos_token", ifAbsent: true),
        addSpacePrefix: try reader.flag("tokenizer.ggml.add_space_prefix", ifAbsent: true))
    } catch let error as TokenizerError {
      throw LlamaModelError(.invalidVocabulary, path: reader.path, field: error.field, error.message)
    } catch let error as LlamaModelError {
      throw error
    } catch {
      throw LlamaModelError(.invalidVocabulary, path: reader.path, field: "tokenizer.ggml", "\(error)")
    }
    self.longestPiece = pieces.reduce(1) { max($0, $1.utf8.count) }
  }

  /// Llama's own ids stand in for keys that are absent, as in llama.cpp.
  private static func token(_ name: String, _ reader: MetadataReader, ifAbsent: Int) throws(LlamaModelError) -> Int32 {
    Int32(try reader.integer("tokenizer.ggml.\(name)_token_id", 0...Int(Int32.max), ifAbsent: ifAbsent))
  }
}
