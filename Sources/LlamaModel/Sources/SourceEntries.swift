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

  /// A key of the architecture, in the types that other readers of GGUF insist on; the numbers were checked to fit.
  mutating func set(model key: String, _ value: Int) { self.set(self.architecture + "." + key, .uint32(UInt32(clamping: value))) }
  mutating func set(model key: String, _ value: Double) { self.set(self.architecture + "." + key, .float32(Float(value))) }

  func metadata(path: String) -> GGUFMetadata { GGUFMetadata(path: path, entries: self.entries) }
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
