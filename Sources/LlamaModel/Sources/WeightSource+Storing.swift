public import ModelFiles
public import Tensors
internal import Tokenization

extension WeightSource {
  /// Matrices one above the other that hold a tensor's rows; O(bytes) where they have to be copied together, else O(1).
  ///
  /// - Throws: `tensorShape`, `invalidFile`.
  public func matrices(_ tensor: StoredTensor) throws(LlamaModelError) -> [Matrix] {
    try WeightReader(source: self).wrap(tensor)
  }

  /// Which row of a tensor stands in which place of a GGUF file: converters put the rows of query and key in pairs for the
  /// architecture "llama", and leave all others as they are.
  public func storedRowOrder(of tensor: StoredTensor, _ parameters: Hyperparameters) -> (Int) -> Int {
    let isRotated = [".attn_q.", ".attn_k."].contains { tensor.name.contains($0) }
    guard isRotated, parameters.architecture == "llama", self.rotaryOrder == .halves else { return { $0 } }
    let (head, rotated) = (parameters.headDimension, parameters.ropeDimensions)
    return { row in
      let (start, place) = (row / head * head, row % head)
      return place < rotated ? start + place % 2 * (rotated / 2) + place / 2 : row
    }
  }

  /// The keys of a GGUF file with this model, in one piece.
  ///
  /// - Throws: `unsupportedTokenizer` where GGUF has no form for the vocabulary.
  public func storedMetadata(fileType: UInt32) throws(LlamaModelError) -> GGUFMetadata {
    let replaced = ["general.file_type", "general.quantization_version", "general.alignment"]
    var entries = self.metadata.keys.compactMap { key -> (key: String, value: GGUFValue)? in
      guard !replaced.contains(key), !key.hasPrefix("split.") else { return nil }
      return self.metadata[key].map { (key, $0) }
    }
    entries.append(("general.file_type", .uint32(fileType)))
    entries.append(("general.quantization_version", .uint32(2)))
    if let vocabulary = self.vocabulary { entries += try self.entries(of: vocabulary) }
    return GGUFMetadata(path: self.path, entries: entries)
  }

  private func entries(of vocabulary: VocabularySource) throws(LlamaModelError) -> [(key: String, value: GGUFValue)] {
    var entries: [(key: String, value: GGUFValue)] = []
    switch vocabulary.merging {
    case .scores(let scores):
      entries.append(("tokenizer.ggml.model", .string("llama")))
      entries.append(("tokenizer.ggml.pre", .string("default")))
      entries.append(("tokenizer.ggml.scores", .array(.float32(scores))))
      entries.append(("tokenizer.ggml.add_space_prefix", .bool(vocabulary.addsSpacePrefix)))
    case .pairs(let merging):
      guard merging.alphabet == .bytes else {
        throw LlamaModelError(
          .unsupportedTokenizer, path: self.path, field: "tokenizer.json",
          "GGUF has no form for pairs of characters; put the model's tokenizer.model into the folder.")
      }
      entries.append(("tokenizer.ggml.model", .string("gpt2")))
      entries.append(("tokenizer.ggml.pre", .string(merging.preTokenizer.rawValue)))
      entries.append(("tokenizer.ggml.merges", .array(.string(merging.merges.map { $0.left + " " + $0.right }))))
    }
    // Some readers take two pieces of one name for a fault.
    let pieces = vocabulary.pieces.enumerated().map { $1.isEmpty ? "[PAD\($0)]" : $1 }
    entries.append(("tokenizer.ggml.tokens", .array(.string(pieces))))
    entries.append(("tokenizer.ggml.token_type", .array(.int32(vocabulary.types))))
    let ids = [
      ("bos", vocabulary.bos), ("eos", vocabulary.eos), ("unknown", vocabulary.unknown), ("eot", vocabulary.otherEnds.first),
    ]
    for (name, id) in ids {
      if let id, id >= 0 { entries.append(("tokenizer.ggml.\(name)_token_id", .uint32(UInt32(id)))) }
    }
    entries.append(("tokenizer.ggml.add_bos_token", .bool(vocabulary.addsBOS)))
    if let template = vocabulary.chatTemplate { entries.append(("tokenizer.chat_template", .string(template))) }
    return entries
  }
}

extension TensorType {
  public init(_ type: ElementType) {
    self = Self.allCases.first { $0.name == type.rawValue } ?? .f32
  }
}
