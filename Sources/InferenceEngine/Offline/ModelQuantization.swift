internal import LlamaModel
internal import ModelFiles
internal import Tensors

/// Writes a model of any layout as one GGUF file in other weight types, tensor after tensor.
///
/// Memory: a few megabytes, and one tensor where several files hold it side by side.
public struct ModelQuantization {
  public struct Progress: Sendable {
    /// Numbers stored so far, and of all tensors.
    public let done: Int
    public let total: Int
    /// The tensor in work, by GGUF's name.
    public let tensor: String
  }

  /// Numbers that pass at once.
  private static let piece = 4 << 20

  private let source: WeightSource
  private let model: LlamaModel
  private let recipe: QuantizationRecipe

  /// Opens and checks the model; a model that could not be run is not stored.
  ///
  /// - Throws: ``EngineError``.
  public init(model path: String, recipe: QuantizationRecipe) throws(EngineError) {
    do {
      self.source = try WeightSource(path: path)
      self.model = try LlamaModel(source: self.source)
    } catch {
      throw EngineError(error)
    }
    self.recipe = recipe
  }

  /// - Parameter output: no file yet.
  /// - Throws: `invalidModel` naming the tensor with a number that the type cannot hold, or why the file cannot be written; nothing
  ///   is left then.
  public func write(to output: String, threads: Int, progress: (Progress) -> Void = { _ in }) throws(EngineError) {
    do {
      let backend = try CPUBackend(threads: threads)
      let file = try OutputFile(path: output)
      let isTied = self.source.tensor(named: "output.weight") == nil
      let layers = self.model.hyperparameters.layerCount
      let plan = self.source.tensors.map { ($0, self.recipe.layout(of: $0, layers: layers, isTied: isTied)) }
      try file.write(
        GGUFEncoding.header(
          metadata: try self.source.storedMetadata(fileType: self.recipe.fileType),
          tensors: plan.map { GGUFEncoding.Tensor(name: $0.name, type: TensorType($1.type), dimensions: $0.dimensions) }))
      let total = plan.reduce(0) { $0 + $1.0.rows * $1.0.columns }
      var done = 0
      for (tensor, layout) in plan {
        progress(Progress(done: done, total: total, tensor: tensor.name))
        try self.write(tensor, layout, backend, file)
        done += tensor.rows * tensor.columns
        for mapped in self.source.files { mapped.forget() }
      }
      progress(Progress(done: done, total: total, tensor: ""))
      try file.finish()
    } catch let error as TensorError {
      throw EngineError(error)
    } catch let error as ModelFileError {
      throw EngineError(error)
    } catch let error as LlamaModelError {
      throw EngineError(error)
    } catch let error as EngineError {
      throw error
    } catch {
      throw EngineError(.machine, "\(error)")
    }
  }

  private func write(
    _ tensor: StoredTensor, _ layout: Quantiser, _ backend: CPUBackend, _ file: borrowing OutputFile
  ) throws {
    let table = try self.source.matrices(tensor)
    let order = self.source.storedRowOrder(of: tensor, self.model.hyperparameters)
    let step = max(1, Self.piece / tensor.columns)
    let buffer = FloatBuffer(count: min(step, tensor.rows) * tensor.columns)
    var written = 0
    for first in stride(from: 0, to: tensor.rows, by: step) {
      let rows = first..<min(first + step, tensor.rows)
      backend.embed(rows.map { Int32(order($0)) }, from: table, into: buffer)
      let bytes: [UInt8]
      do throws(TensorError) {
        bytes = try layout.bytes(buffer, count: rows.count * tensor.columns, backend.pool)
      } catch {
        throw EngineError(.invalidModel, "\(self.source.path): \(tensor.storedName), rows from \(first): \(error.message)")
      }
      try file.write(bytes)
      written += bytes.count
    }
    try file.write([UInt8](repeating: 0, count: GGUFEncoding.padding(after: written)))
  }
}
