internal import Glibc
internal import ModelFiles

/// Keys and values in the words of GGUF, collected from other files.
struct SourceEntries {
  private(set) var entries: [(key: String, value: GGUFValue)] = []
  let architecture: String

  init(architecture: String, name: String) {
    self.architecture = architecture
    self.set("general.architecture", .string(architecture))
    self.set("general.name", .string(name))
  }

  mutating func set(_ key: String, _ value: GGUFValue) { self.entries.append((key, value)) }

  /// A key of the architecture. - Precondition: the number was checked to fit.
  mutating func set(model key: String, _ value: Int) { self.set(self.architecture + "." + key, .uint64(UInt64(max(0, value)))) }
  mutating func set(model key: String, _ value: Double) { self.set(self.architecture + "." + key, .float64(value)) }

  /// The vocabulary, filled up with control tokens to the rows of the embedding, or cut down to them: a model can neither read nor
  /// write a token that has no row.
  mutating func set(_ vocabulary: VocabularyFile, rows: Int?, path: String) throws(ModelFileError) {
    var file = vocabulary
    if let rows, rows > file.pieces.count {
      guard rows <= 1 << 20 else {
        throw ModelFileError(
          .limitExceeded, path: path, field: "vocab_size", message: "\(rows) tokens are more than any model has.")
      }
      let missing = file.pieces.count..<rows
      file.pieces += missing.map { "[pad\($0)]" }
      file.types += missing.map { _ in 3 }
      if !file.scores.isEmpty { file.scores += missing.map { _ in 0 } }
    }
    if let rows, rows < file.pieces.count { file.cut(to: rows) }
    switch file.kind {
    case .scores:
      self.set("tokenizer.ggml.model", .string("llama"))
      self.set("tokenizer.ggml.pre", .string("default"))
      self.set("tokenizer.ggml.scores", .array(.float32(file.scores)))
      self.set("tokenizer.ggml.add_space_prefix", .bool(file.addsSpacePrefix))
    case .merges(let rule):
      self.set("tokenizer.ggml.model", .string("gpt2"))
      self.set("tokenizer.ggml.pre", .string(rule))
      self.set("tokenizer.ggml.merges", .array(.string(file.merges)))
    }
    self.set("tokenizer.ggml.tokens", .array(.string(file.pieces)))
    self.set("tokenizer.ggml.token_type", .array(.int32(file.types)))
    if let id = file.unknown { self.set(token: "unknown", id) }
    if let id = file.begin { self.set(token: "bos", id) }
    if let id = file.end { self.set(token: "eos", id) }
  }

  mutating func set(token name: String, _ id: Int) {
    self.set("tokenizer.ggml.\(name)_token_id", .uint32(UInt32(clamping: id)))
  }

  func metadata(path: String) -> GGUFMetadata { GGUFMetadata(path: path, entries: self.entries) }
}

extension VocabularyFile {
  fileprivate mutating func cut(to rows: Int) {
    let known = Set(self.pieces.prefix(rows))
    self.pieces.removeLast(self.pieces.count - rows)
    self.types.removeLast(self.types.count - rows)
    if !self.scores.isEmpty { self.scores.removeLast(self.scores.count - rows) }
    self.merges.removeAll { merge in !known.contains(String(merge.filter { $0 != " " })) }
  }
}

/// The frequency factors of Llama 3.1 and later as the tensor in which GGUF keeps them.
///
/// Source: `transformers`, `modeling_rope_utils.py`, `_compute_llama3_parameters`.
struct LongContextScaling: Sendable, Equatable {
  let factor: Double
  let lowFrequencyFactor: Double
  let highFrequencyFactor: Double
  let originalContext: Int

  func factors(base: Double, dimensions: Int) -> [Float] {
    let original = Double(self.originalContext)
    return (0..<dimensions / 2).map { pair in
      let length = 2 * Double.pi * pow(base, 2 * Double(pair) / Double(dimensions))
      if length < original / self.highFrequencyFactor { return 1 }
      if length > original / self.lowFrequencyFactor { return Float(self.factor) }
      let smooth =
        (original / length - self.lowFrequencyFactor) / (self.highFrequencyFactor - self.lowFrequencyFactor)
      return Float(1 / ((1 - smooth) / self.factor + smooth))
    }
  }

  func tensor(base: Double, dimensions: Int) throws(ModelFileError) -> StoredTensor {
    let name = "rope_freqs.weight"
    let bytes = self.factors(base: base, dimensions: dimensions).flatMap { factor in
      withUnsafeBytes(of: factor.bitPattern.littleEndian) { Array($0) }
    }
    let file = try MappedFile(bytes: bytes, name: name)
    return StoredTensor(
      name: name, storedName: name, type: .f32, dimensions: [dimensions / 2],
      pieces: [StoredTensor.Piece(file: file, byteOffset: 0, byteCount: bytes.count, rows: 1)])
  }
}
