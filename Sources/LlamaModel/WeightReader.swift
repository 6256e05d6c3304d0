internal import ModelFiles
internal import Tensors

/// Takes tensors from a source by name and shape, and knows in the end which were left.
struct WeightReader {
  let source: WeightSource
  private var used: Set<String> = []

  init(source: WeightSource) { self.source = source }

  /// The rows of a matrix, as one or several matrices one above the other.
  mutating func matrix(_ name: String, rows: Int, columns: Int) throws(LlamaModelError) -> [Matrix] {
    guard let matrix = try self.optionalMatrix(name, rows: rows, columns: columns) else {
      throw self.error(.missingTensor, name, "The tensor is missing; convert or download the model again.")
    }
    return matrix
  }

  /// `nil` where the source has no such tensor.
  mutating func optionalMatrix(_ name: String, rows: Int, columns: Int) throws(LlamaModelError) -> [Matrix]? {
    guard let tensor = self.source.tensor(named: name) else { return nil }
    guard tensor.dimensions == [columns, rows] else { throw self.shapeError(tensor, [columns, rows]) }
    self.used.insert(name)
    return try self.wrap(tensor)
  }

  /// A vector stored as plain numbers, in f32.
  mutating func vector(_ name: String, count: Int) throws(LlamaModelError) -> FloatBuffer {
    guard let vector = try self.optionalVector(name, count: count) else {
      throw self.error(.missingTensor, name, "The tensor is missing; convert or download the model again.")
    }
    return vector
  }

  mutating func optionalVector(_ name: String, count: Int) throws(LlamaModelError) -> FloatBuffer? {
    guard let tensor = self.source.tensor(named: name) else { return nil }
    guard tensor.dimensions == [count] else { throw self.shapeError(tensor, [count]) }
    guard [.f32, .f16, .bf16].contains(tensor.type), let vector = try self.wrap(tensor).first else {
      throw self.error(
        .unsupportedTensorType, name, "A vector must be stored as F32, F16 or BF16, not as \(tensor.type.name).")
    }
    self.used.insert(name)
    return FloatBuffer(vector)
  }

  /// The biases of query, key and value as one vector; `nil` where there are none.
  mutating func biases(_ prefix: String, query: Int, keyValue: Int) throws(LlamaModelError) -> FloatBuffer? {
    let names = ["attn_q", "attn_k", "attn_v"].map { prefix + $0 + ".bias" }
    guard names.contains(where: { self.source.tensor(named: $0) != nil }) else { return nil }
    let parts = [
      try self.vector(names[0], count: query), try self.vector(names[1], count: keyValue),
      try self.vector(names[2], count: keyValue),
    ]
    return FloatBuffer(parts.flatMap { $0.array(0..<$0.count) })
  }

  mutating func ropeFactors(pairs: Int) throws(LlamaModelError) -> [Float] {
    let name = "rope_freqs.weight"
    guard self.source.tensor(named: name) != nil else { return [] }
    let factors = try self.vector(name, count: pairs).array(0..<pairs)
    guard factors.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw self.error(.invalidHyperparameter, name, "A frequency factor is not a positive number; convert the model again.")
    }
    return factors
  }

  func projection(_ name: String, _ parts: [Matrix]) throws(LlamaModelError) -> Projection {
    do {
      return try Projection(parts)
    } catch {
      throw self.error(.tensorShape, name, error.message)
    }
  }

  func refuseUnused() throws(LlamaModelError) {
    guard let left = self.source.tensors.first(where: { !self.used.contains($0.name) }) else { return }
    throw self.error(
      .unsupportedFeature, left.storedName,
      "This tensor belongs to a feature that is not supported; the model cannot be run without it.")
  }

  func wrap(_ tensor: StoredTensor) throws(LlamaModelError) -> [Matrix] {
    let pieces: [StoredTensor.Piece]
    do {
      pieces = try tensor.stacked()
    } catch {
      throw LlamaModelError(error)
    }
    var matrices: [Matrix] = []
    for piece in pieces {
      do {
        matrices.append(
          try Matrix(
            type: ElementType(tensor.type), rows: piece.rows, columns: tensor.columns, bytes: piece.bytes, owner: piece.file))
      } catch {
        throw self.error(.tensorShape, tensor.storedName, error.message)
      }
    }
    return matrices
  }

  private func shapeError(_ tensor: StoredTensor, _ wanted: [Int]) -> LlamaModelError {
    self.error(
      .tensorShape, tensor.storedName,
      "The shape is \(tensor.dimensions), innermost first; the model's sizes ask for \(wanted).")
  }

  private func error(_ code: LlamaModelError.Code, _ name: String, _ message: String) -> LlamaModelError {
    LlamaModelError(code, path: self.source.path, field: name, message)
  }
}

extension ElementType {
  init(_ type: TensorType) {
    self =
      switch type {
      case .f32: .f32
      case .f16: .f16
      case .bf16: .bf16
      case .q4_0: .q4_0
      case .q4_1: .q4_1
      case .q5_0: .q5_0
      case .q5_1: .q5_1
      case .q8_0: .q8_0
      case .q2_K: .q2_K
      case .q3_K: .q3_K
      case .q4_K: .q4_K
      case .q5_K: .q5_K
      case .q6_K: .q6_K
      case .iq4_NL: .iq4_NL
      }
  }
}
