internal import ModelFiles
internal import Tensors

/// Takes tensors from a file by name and shape, and knows in the end which were left.
struct WeightReader {
  let file: GGUFFile
  private var used: Set<String> = []

  init(file: GGUFFile) { self.file = file }

  mutating func matrix(_ name: String, rows: Int, columns: Int) throws(LlamaModelError) -> Matrix {
    guard let matrix = try self.optionalMatrix(name, rows: rows, columns: columns) else {
      throw self.error(.missingTensor, name, "The tensor is missing; convert the model again.")
    }
    return matrix
  }

  /// `nil` where the file has no such tensor.
  mutating func optionalMatrix(_ name: String, rows: Int, columns: Int) throws(LlamaModelError) -> Matrix? {
    guard let tensor = self.file.tensor(named: name) else { return nil }
    guard tensor.dimensions == [columns, rows] else { throw self.shapeError(tensor, "[\(columns), \(rows)]") }
    guard let type = ElementType(tensor.type) else {
      let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw self.error(
        .unsupportedTensorType, name, "Type \(tensor.type.name) is not supported here; requantise the model to one of \(known).")
    }
    self.used.insert(name)
    return try self.wrap(tensor, type, rows: rows)
  }

  /// A vector stored as F32.
  mutating func vector(_ name: String, count: Int) throws(LlamaModelError) -> FloatBuffer {
    guard let tensor = self.file.tensor(named: name) else {
      throw self.error(.missingTensor, name, "The tensor is missing; convert the model again.")
    }
    guard tensor.dimensions == [count] else { throw self.shapeError(tensor, "[\(count)]") }
    guard tensor.type == .f32 else {
      throw self.error(.unsupportedTensorType, name, "A vector must be stored as F32, not as \(tensor.type.name).")
    }
    self.used.insert(name)
    return FloatBuffer(try self.wrap(tensor, .f32, rows: 1))
  }

  mutating func ropeFactors(pairs: Int) throws(LlamaModelError) -> [Float] {
    let name = "rope_freqs.weight"
    guard self.file.tensor(named: name) != nil else { return [] }
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
    guard let left = self.file.tensors.first(where: { !self.used.contains($0.name) }) else { return }
    throw self.error(
      .unsupportedFeature, left.name,
      "This tensor belongs to a feature that is not supported; the model cannot be run without it.")
  }

  private func wrap(_ tensor: TensorInfo, _ type: ElementType, rows: Int) throws(LlamaModelError) -> Matrix {
    do {
      return try Matrix(
        type: type, rows: rows, columns: tensor.columns, bytes: self.file.bytes(of: tensor), owner: self.file.file)
    } catch {
      throw self.error(.tensorShape, tensor.name, error.message)
    }
  }

  private func shapeError(_ tensor: TensorInfo, _ wanted: String) -> LlamaModelError {
    self.error(
      .tensorShape, tensor.name, "The shape is \(tensor.dimensions), innermost first; the metadata asks for \(wanted).")
  }

  private func error(_ code: LlamaModelError.Code, _ name: String, _ message: String) -> LlamaModelError {
    LlamaModelError(code, path: self.file.file.path, field: name, message)
  }
}

extension ElementType {
  init?(_ type: TensorType) {
    switch type {
    case .f32: self = .f32
    case .f16: self = .f16
    case .q8_0: self = .q8_0
    case .q4_0: self = .q4_0
    case .q6_K: self = .q6_K
    default: return nil
    }
  }
}
