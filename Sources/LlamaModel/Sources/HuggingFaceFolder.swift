internal import Documents
internal import ModelFiles
internal import Tensors

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
    var entries = shape.entries
    try self.addVocabulary(rows: try self.config.integer("vocab_size", 1...1 << 20), to: &entries)
    try self.addTokenIDs(to: &entries)
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
      .huggingFace, path: self.path, metadata: entries.metadata(path: self.path), tensors: tensors, rotaryOrder: .halves,
      files: folder.files.map(\.file))
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

  private func addVocabulary(rows: Int, to entries: inout SourceEntries) throws(ModelFileError) {
    let (pieces, json) = (self.path + "/tokenizer.model", self.path + "/tokenizer.json")
    var vocabulary: VocabularyFile
    if FileName.exists(pieces) {
      vocabulary = try SentencePieceFile.vocabulary(path: pieces)
      try self.addAddedTokens(to: &vocabulary)
    } else if FileName.exists(json) {
      vocabulary = try TokenizerJSON.vocabulary(path: json)
    } else {
      throw ModelFileError(
        .cannotOpen, path: self.path, field: "tokenizer",
        message: "The folder has neither tokenizer.model nor tokenizer.json; download the model again.")
    }
    try entries.set(vocabulary, rows: rows, path: self.path)
    let settings = self.path + "/tokenizer_config.json"
    guard FileName.exists(settings) else {
      if let adds = vocabulary.addsBegin { entries.set("tokenizer.ggml.add_bos_token", .bool(adds)) }
      return
    }
    let file = try ConfigurationFile(path: settings)
    // A file that says nothing of it speaks for the library's class of SentencePiece tokenizers, which add it.
    let adds = try file.flag("add_bos_token", ifAbsent: vocabulary.addsBegin ?? (vocabulary.kind == .scores))
    entries.set("tokenizer.ggml.add_bos_token", .bool(adds))
    if let template = file.document["chat_template"].flatMap(Self.template) {
      entries.set("tokenizer.chat_template", .string(template))
    }
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
  private func addAddedTokens(to vocabulary: inout VocabularyFile) throws(ModelFileError) {
    let path = self.path + "/added_tokens.json"
    guard FileName.exists(path) else { return }
    let file = try ConfigurationFile(path: path)
    for (name, id) in try file.integers(0...1 << 20).sorted(by: { $0.value < $1.value }) where id >= vocabulary.pieces.count {
      guard id == vocabulary.pieces.count else {
        throw file.error(.invalidValue, name, "The id \(id) leaves a gap after \(vocabulary.pieces.count) tokens.")
      }
      vocabulary.pieces.append(name)
      vocabulary.scores.append(0)
      vocabulary.types.append(3)
    }
  }

  /// Begin and end as the configuration has them; where it names several ends, the first and the last.
  private func addTokenIDs(to entries: inout SourceEntries) throws(ModelFileError) {
    var files = [self.config]
    let generation = self.path + "/generation_config.json"
    if FileName.exists(generation) { files.append(try ConfigurationFile(path: generation)) }
    for file in files {
      if let begin = try file.tokens("bos_token_id").first { entries.set(token: "bos", begin) }
      let ends = try file.tokens("eos_token_id")
      if let first = ends.first { entries.set(token: "eos", first) }
      if ends.count > 1, let last = ends.last { entries.set(token: "eot", last) }
      if let padding = try file.tokens("pad_token_id").first { entries.set(token: "padding", padding) }
    }
  }
}
