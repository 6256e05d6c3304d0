internal import ModelFiles
internal import Tensors
internal import Tokenization

/// A folder as Meta publishes it: `params.json`, `consolidated.00.pth` and on, one file for each model-parallel part, and
/// `tokenizer.model` in it or in the folder above.
struct MetaFolder {
  static let partLimit = 64

  let path: String
  private let parameters: ConfigurationFile

  init(path: String) throws(ModelFileError) {
    self.path = path
    self.parameters = try ConfigurationFile(path: path + "/params.json")
  }

  func source() throws(ModelFileError) -> WeightSource {
    let shape = try MetaShape(self.parameters)
    var vocabulary = try self.vocabulary(shape)
    let parts = try self.parts()
    if let rows = try self.rows(parts, width: shape.width) { vocabulary.fit(rows: rows) }
    var tensors = try MetaShards(parts, width: shape.width).tensors()
    if let scaling = shape.scaling {
      tensors.append(try scaling.tensor(base: shape.ropeBase, dimensions: shape.headDimension))
    }
    return WeightSource(
      .meta, path: self.path, metadata: shape.entries.metadata(path: self.path), vocabulary: vocabulary, tensors: tensors,
      rotaryOrder: .adjacent, files: parts.map(\.file))
  }

  /// Tokens, as stated; older files state -1 and leave it to the embedding.
  private func rows(_ parts: [TorchCheckpoint], width: Int) throws(ModelFileError) -> Int? {
    if let stated = try self.parameters.optionalInteger("vocab_size", -1...1 << 20), stated > 0 { return stated }
    guard let embedding = parts.first?.tensors.first(where: { $0.name == "tok_embeddings.weight" }) else { return nil }
    return embedding.columns == width ? embedding.rows * parts.count : embedding.rows
  }

  /// SentencePiece's file of the first two generations, or the third's list of ranks.
  private func vocabulary(_ shape: MetaShape) throws(ModelFileError) -> VocabularySource {
    for path in [self.path + "/tokenizer.model", self.path + "/../tokenizer.model"] {
      guard let bytes = try VocabularySource.bytes(path: path, limit: 64 << 20) else { continue }
      do {
        guard VocabularySource.isRankFile(bytes) else { return try VocabularySource(sentencePieceModel: bytes) }
        return try VocabularySource(rankFile: bytes, generation: shape.scaling == nil ? .llama3 : .llama3_1)
      } catch {
        throw ModelFileError(error, path: path)
      }
    }
    throw ModelFileError(
      .cannotOpen, path: self.path + "/tokenizer.model", message: "It is neither here nor in the folder above; copy it here.")
  }

  private func parts() throws(ModelFileError) -> [TorchCheckpoint] {
    var parts: [TorchCheckpoint] = []
    for number in 0..<Self.partLimit {
      let path = self.path + "/consolidated." + (number < 10 ? "0" : "") + "\(number).pth"
      guard number == 0 || FileName.exists(path) else { break }
      parts.append(try TorchCheckpoint(path: path))
    }
    return parts
  }
}

/// The parts of a checkpoint, put together tensor by tensor.
struct MetaShards {
  private let parts: [TorchCheckpoint]
  private let width: Int

  init(_ parts: [TorchCheckpoint], width: Int) {
    self.parts = parts
    self.width = width
  }

  private enum Split { case whole, rows, columns }

  private static let names: [String: (name: String, split: Split)] = [
    "attention.wq": ("attn_q", .rows), "attention.wk": ("attn_k", .rows), "attention.wv": ("attn_v", .rows),
    "attention.wo": ("attn_output", .columns), "feed_forward.w1": ("ffn_gate", .rows), "feed_forward.w2": ("ffn_down", .columns),
    "feed_forward.w3": ("ffn_up", .rows), "attention_norm": ("attn_norm", .whole), "ffn_norm": ("ffn_norm", .whole),
  ]

  func tensors() throws(ModelFileError) -> [StoredTensor] {
    guard let first = self.parts.first else { return [] }
    let maps = self.parts.map { Dictionary($0.tensors.map { ($0.name, $0) }) { first, _ in first } }
    var tensors: [StoredTensor] = []
    // rope.freqs follows from the parameters.
    for tensor in first.tensors where tensor.name != "rope.freqs" {
      var pieces: [TensorInfo] = []
      for (part, map) in zip(self.parts, maps) {
        guard let piece = map[tensor.name], piece.type == tensor.type, piece.dimensions == tensor.dimensions else {
          throw ModelFileError(
            .truncated, path: part.file.path, field: tensor.name,
            message: "This part lacks the tensor, or has it in another shape than the first part; download it again.")
        }
        pieces.append(piece)
      }
      tensors.append(try self.join(pieces))
    }
    for (part, map) in zip(self.parts, maps).dropFirst() where map.count != maps[0].count {
      throw ModelFileError(
        .invalidValue, path: part.file.path, field: "tensors",
        message: "The part has \(map.count) tensors and the first \(maps[0].count); all parts must be of one model.")
    }
    return tensors
  }

  private func join(_ pieces: [TensorInfo]) throws(ModelFileError) -> StoredTensor {
    let stored = pieces[0]
    let (name, split) = self.place(stored)
    let files = self.parts.map(\.file)
    let whole = zip(pieces, files).map { tensor, file in
      StoredTensor.Piece(file: file, byteOffset: tensor.byteOffset, byteCount: tensor.byteCount, rows: tensor.rows)
    }
    var dimensions = stored.dimensions
    switch split {
    case .whole:
      guard whole.allSatisfy({ $0.bytes.elementsEqual(whole[0].bytes) }) else {
        throw ModelFileError(
          .invalidValue, path: files[0].path, field: stored.name, message: "The parts do not agree on this tensor.")
      }
      return StoredTensor(
        name: name, storedName: stored.name, type: stored.type, dimensions: dimensions, pieces: [whole[0]])
    case .rows: dimensions[dimensions.count - 1] *= pieces.count
    case .columns: dimensions[0] *= pieces.count
    }
    return StoredTensor(
      name: name, storedName: stored.name, type: stored.type, dimensions: dimensions, pieces: whole,
      seam: split == .rows ? .rows : .columns)
  }

  /// GGUF's name and how the tensor is split; a tensor of no known name keeps its own, and is refused by it.
  private func place(_ tensor: TensorInfo) -> (String, Split) {
    guard tensor.dimensions.count == 2 || tensor.name.hasSuffix("norm.weight") else { return (tensor.name, .whole) }
    switch tensor.name {
    // The first generation splits the embedding by columns, the third by rows.
    case "tok_embeddings.weight": return ("token_embd.weight", tensor.columns == self.width ? .rows : .columns)
    case "norm.weight": return ("output_norm.weight", .whole)
    case "output.weight": return ("output.weight", .rows)
    default: break
    }
    let parts = tensor.name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[0] == "layers", parts.last == "weight",
      let (name, split) = Self.names[parts[2..<parts.count - 1].joined(separator: ".")]
    else { return (tensor.name, .whole) }
    return ("blk.\(parts[1]).\(name).weight", split)
  }
}
