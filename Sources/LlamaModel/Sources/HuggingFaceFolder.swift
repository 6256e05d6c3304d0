internal import Documents
internal import ModelFiles
internal import Tensors
internal import Tokenization

/// A Hugging Face folder: `config.json`, safetensors, a tokenizer, and `generation_config.json` where there is one.
struct HuggingFaceFolder {
  let path: String
  private let config: ConfigurationFile

  init(path: String) throws(ModelFileError) {
    self.path = path
    self.config = try ConfigurationFile(path: path + "/config.json")
  }

  func source() throws(ModelFileError) -> WeightSource {
    let shape = try HuggingFaceShape(self.config)
    var vocabulary = try self.vocabulary()
    vocabulary.fit(rows: try self.config.integer("vocab_size", 1...1 << 20))
    try self.addTokenIDs(to: &vocabulary)
    let folder = try SafetensorsDirectory(path: self.path)
    var tensors: [StoredTensor] = []
    for file in folder.files {
      for tensor in file.tensors where !Self.isDerived(tensor.name) {
        tensors.append(StoredTensor(tensor, name: Self.canonical(tensor.name), in: file.file))
      }
    }
    if try self.config.flag("tie_word_embeddings", ifAbsent: shape.isTiedByDefault) {
      // A copy that some converters write; the model reads the embedding.
      tensors.removeAll { $0.name == "output.weight" }
    } else if !tensors.contains(where: { $0.name == "output.weight" }) {
      throw self.config.error(
        .truncated, "tie_word_embeddings", "The matrices are not tied and no file has lm_head.weight; download the model again.")
    }
    if let scaling = shape.scaling {
      tensors.append(try scaling.tensor(base: shape.ropeBase, dimensions: shape.headDimension))
    }
    return WeightSource(
      .huggingFace, path: self.path, metadata: shape.entries.metadata(path: self.path), vocabulary: vocabulary,
      tensors: tensors, rotaryOrder: .halves, files: folder.files.map(\.file))
  }

  /// Numbers that follow from the configuration; old files carry them along.
  private static func isDerived(_ name: String) -> Bool { name.hasSuffix(".rotary_emb.inv_freq") }

  private static let names = [
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
  ]

  /// GGUF's name of a tensor; a tensor of no known name keeps its own, and is refused by it.
  static func canonical(_ name: String) -> String {
    switch name {
    case "model.embed_tokens.weight": return "token_embd.weight"
    case "model.norm.weight": return "output_norm.weight"
    case "lm_head.weight": return "output.weight"
    default: break
    }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 5, parts[0] == "model", parts[1] == "layers", let last = parts.last,
      let part = Self.names[parts[3..<parts.count - 1].joined(separator: ".")]
    else { return name }
    return "blk.\(parts[2]).\(part).\(last)"
  }

  // MARK: Vocabulary

  private static let byteLimit = 64 << 20

  private func vocabulary() throws(ModelFileError) -> VocabularySource {
    let (model, json) = (self.path + "/tokenizer.model", self.path + "/tokenizer.json")
    let settings = self.path + "/tokenizer_config.json"
    if let bytes = try VocabularySource.bytes(path: model, limit: Self.byteLimit) {
      var vocabulary: VocabularySource
      do {
        vocabulary = try VocabularySource(sentencePieceModel: bytes)
      } catch {
        throw ModelFileError(error, path: model)
      }
      try self.addAddedTokens(to: &vocabulary)
      if FileName.exists(settings) { try self.addSettings(of: try ConfigurationFile(path: settings), to: &vocabulary) }
      return vocabulary
    }
    guard let bytes = try VocabularySource.bytes(path: json, limit: Self.byteLimit) else {
      throw ModelFileError(
        .cannotOpen, path: self.path, field: "tokenizer",
        message: "The folder has neither tokenizer.model nor tokenizer.json; download the model again.")
    }
    let config = try VocabularySource.bytes(path: settings, limit: Self.byteLimit)
    do {
      return try VocabularySource(tokenizerJSON: bytes, tokenizerConfig: config)
    } catch {
      throw ModelFileError(error, path: json)
    }
  }

  /// What `tokenizer_config.json` says beside a SentencePiece model.
  private func addSettings(of file: ConfigurationFile, to vocabulary: inout VocabularySource) throws(ModelFileError) {
    vocabulary.addsBOS = try file.flag("add_bos_token", ifAbsent: vocabulary.addsBOS)
    vocabulary.chatTemplate = file.document["chat_template"].flatMap(Self.template)
  }

  /// A template, or the default one of several.
  private static func template(_ stored: Document) -> String? {
    switch stored.content {
    case .string(let text): text
    case .list(let elements):
      elements.first { $0["name"].map { if case .string("default") = $0.content { true } else { false } } ?? false }
        .flatMap { $0["template"] }.flatMap(self.template)
    default: nil
    }
  }

  /// Tokens that were added beside a SentencePiece model: markers, never text.
  private func addAddedTokens(to vocabulary: inout VocabularySource) throws(ModelFileError) {
    let path = self.path + "/added_tokens.json"
    guard FileName.exists(path), case .scores(var scores) = vocabulary.merging else { return }
    let file = try ConfigurationFile(path: path)
    for (name, id) in try file.integers(0...1 << 20).sorted(by: { $0.value < $1.value }) where id >= vocabulary.pieces.count {
      guard id == vocabulary.pieces.count else {
        throw file.error(.invalidValue, name, "The id \(id) leaves a gap after \(vocabulary.pieces.count) tokens.")
      }
      vocabulary.pieces.append(name)
      vocabulary.types.append(3)
      scores.append(0)
    }
    vocabulary.merging = .scores(scores)
  }

  /// Begin and ends as the configuration has them; the later file, `generation_config.json`, counts.
  private func addTokenIDs(to vocabulary: inout VocabularySource) throws(ModelFileError) {
    var files = [self.config]
    let generation = self.path + "/generation_config.json"
    if FileName.exists(generation) { files.append(try ConfigurationFile(path: generation)) }
    for file in files {
      if let begin = try file.tokens("bos_token_id").first { vocabulary.bos = Int32(begin) }
      let ends = try file.tokens("eos_token_id").map { Int32($0) }
      guard let first = ends.first else { continue }
      vocabulary.eos = first
      vocabulary.otherEnds = Array(ends.dropFirst())
    }
  }
}
