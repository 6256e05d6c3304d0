internal import ModelFiles
public import Tokenization

/// The tokenizer that a model comes with.
public struct LlamaVocabulary: Sendable {
  public let tokenizer: any Tokenizer
  /// The chat template in the file's own template language; nil where it has none.
  public let chatTemplate: String?

  public var size: Int { self.tokenizer.vocabularySize }

  /// - Parameter path: the file, for errors.
  /// - Throws: `invalidVocabulary` naming the piece, merge or id at fault.
  init(_ source: VocabularySource, path: String) throws(LlamaModelError) {
    do {
      self.tokenizer = try source.makeTokenizer()
    } catch {
      throw LlamaModelError(.invalidVocabulary, path: path, field: error.field, error.message)
    }
    self.chatTemplate = source.chatTemplate
  }

  /// - Throws: `unsupportedTokenizer` for another model than `llama` and `gpt2`, `invalidFile`, `invalidVocabulary`.
  init(_ reader: MetadataReader) throws(LlamaModelError) {
    guard !(try reader.flag("tokenizer.ggml.add_eos_token", ifAbsent: false)) else {
      throw reader.unsupported("tokenizer.ggml.add_eos_token", "Ending every prompt with a token is not supported.")
    }
    let kind = try reader.string("tokenizer.ggml.model")
    let vocabulary = GGUFVocabulary(reader: reader)
    switch kind {
    case "llama": try self.init(try vocabulary.sentencePiece(), path: reader.path)
    case "gpt2": try self.init(try vocabulary.byteLevel(), path: reader.path)
    default:
      throw LlamaModelError(
        .unsupportedTokenizer, path: reader.path, field: "tokenizer.ggml.model",
        "The tokenizer is \"\(kind)\"; only \"llama\" (SentencePiece) and \"gpt2\" (byte-level) can be used.")
    }
  }
}

/// The keys `tokenizer.*` of a GGUF file.
private struct GGUFVocabulary {
  let reader: MetadataReader

  /// Llama's own ids stand in for keys that are absent, as in llama.cpp.
  func sentencePiece() throws(LlamaModelError) -> VocabularySource {
    let scores: [Float]
    do {
      scores = try self.reader.metadata.requireFloatArray("tokenizer.ggml.scores")
    } catch {
      throw LlamaModelError(error)
    }
    return try self.source(.scores(scores), standard: (bos: 1, eos: 2, unknown: 0), addsBOS: true, addsSpacePrefix: true)
  }

  func byteLevel() throws(LlamaModelError) -> VocabularySource {
    let name = try self.reader.string("tokenizer.ggml.pre", ifAbsent: "gpt-2")
    guard let cutting = PreTokenizer(ggufName: name) else {
      throw LlamaModelError(
        .unsupportedTokenizer, path: self.reader.path, field: "tokenizer.ggml.pre",
        "The pre-tokenizer is \"\(name)\"; only \(PreTokenizer.allCases.map(\.rawValue).joined(separator: ", ")) can be used.")
    }
    let lines: [String]
    do {
      lines = try self.reader.metadata.requireStringArray("tokenizer.ggml.merges")
    } catch {
      throw LlamaModelError(error)
    }
    var merges: [VocabularySource.PairMerging.Merge] = []
    merges.reserveCapacity(lines.count)
    for (index, line) in lines.enumerated() {
      let parts = line.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw LlamaModelError(
          .invalidVocabulary, path: self.reader.path, field: "tokenizer.ggml.merges[\(index)]",
          "Two pieces with a space between them belong here.")
      }
      merges.append(VocabularySource.PairMerging.Merge("\(Substring(parts[0]))", "\(Substring(parts[1]))"))
    }
    let merging = VocabularySource.PairMerging(
      merges: merges, preTokenizer: cutting, prefersWholeWords: cutting == .llama3, composes: cutting == .qwen2)
    return try self.source(.pairs(merging), standard: (nil, nil, nil), addsBOS: cutting == .llama3, addsSpacePrefix: false)
  }

  private func source(
    _ merging: VocabularySource.Merging, standard: (bos: Int?, eos: Int?, unknown: Int?), addsBOS: Bool, addsSpacePrefix: Bool
  ) throws(LlamaModelError) -> VocabularySource {
    let pieces: [String], types: [Int32]
    do {
      pieces = try self.reader.metadata.requireStringArray("tokenizer.ggml.tokens")
      types = try self.reader.metadata.requireIntArray("tokenizer.ggml.token_type")
    } catch {
      throw LlamaModelError(error)
    }
    var source = VocabularySource(
      pieces: pieces, types: types, merging: merging, bos: try self.token("bos", ifAbsent: standard.bos),
      eos: try self.token("eos", ifAbsent: standard.eos), unknown: try self.token("unknown", ifAbsent: standard.unknown),
      addsBOS: try self.reader.flag("tokenizer.ggml.add_bos_token", ifAbsent: addsBOS),
      addsSpacePrefix: try self.reader.flag("tokenizer.ggml.add_space_prefix", ifAbsent: addsSpacePrefix))
    for name in ["eot", "eom"] {
      if let end = try self.token(name, ifAbsent: nil) { source.otherEnds.append(end) }
    }
    source.chatTemplate = self.reader.metadata.string("tokenizer.chat_template")
    return source
  }

  private func token(_ name: String, ifAbsent: Int?) throws(LlamaModelError) -> Int32? {
    let key = "tokenizer.ggml.\(name)_token_id"
    guard ifAbsent != nil || self.reader.metadata.unsigned(key) != nil else { return nil }
    return Int32(try self.reader.integer(key, 0...Int(Int32.max), ifAbsent: ifAbsent))
  }
}
