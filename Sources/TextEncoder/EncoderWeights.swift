internal import ModelFiles
internal import Tensors

/// The weights of an encoder, as its layers use them.
struct EncoderWeights {
  struct Dense {
    var weight: Projection
    var bias: FloatBuffer
  }

  struct Norm {
    var weight: FloatBuffer
    var bias: FloatBuffer
  }

  struct Layer {
    /// Query, key and value side by side.
    var attention: Dense
    var output: Dense
    var attentionNorm: Norm
    var up: Dense
    var down: Dense
    var outputNorm: Norm
  }

  /// A small matrix for one row.
  struct Head {
    var weight: [Float]
    var bias: [Float]

    func applied(to input: [Float]) -> [Float] {
      self.bias.indices.map { row in
        let start = row * input.count
        return input.indices.reduce(self.bias[row]) { $0 + self.weight[start + $1] * input[$1] }
      }
    }
  }

  let words: Matrix
  let places: Matrix
  /// What the first segment adds to every token.
  let firstSegment: FloatBuffer
  let norm: Norm
  let layers: [Layer]
  let pooler: Head
  let classifier: Head

  init(
    _ file: SafetensorsFile, _ sizes: EncoderConfiguration, _ precision: EncoderPrecision, _ backend: CPUBackend
  ) throws(TextEncoderError) {
    let reader = CheckpointReader(file, precision, backend)
    self.words = try reader.matrix("embeddings.word_embeddings.weight", sizes.vocabulary, sizes.width)
    self.places = try reader.matrix("embeddings.position_embeddings.weight", sizes.places, sizes.width)
    let segments = FloatBuffer(try reader.matrix("embeddings.token_type_embeddings.weight", sizes.segments, sizes.width))
    self.firstSegment = FloatBuffer(segments.array(0..<sizes.width))
    self.norm = try reader.norm("embeddings.LayerNorm", sizes.width)
    self.layers = try (0..<sizes.layers).map { (index) throws(TextEncoderError) in
      let name = "encoder.layer.\(index)"
      let parts = ["query", "key", "value"].map { "\(name).attention.self.\($0)" }
      return Layer(
        attention: try reader.dense(parts, sizes.width, sizes.width),
        output: try reader.dense(["\(name).attention.output.dense"], sizes.width, sizes.width),
        attentionNorm: try reader.norm("\(name).attention.output.LayerNorm", sizes.width),
        up: try reader.dense(["\(name).intermediate.dense"], sizes.innerWidth, sizes.width),
        down: try reader.dense(["\(name).output.dense"], sizes.width, sizes.innerWidth),
        outputNorm: try reader.norm("\(name).output.LayerNorm", sizes.width))
    }
    self.pooler = try reader.head("pooler.dense", sizes.width, sizes.width)
    self.classifier = try reader.head("classifier", sizes.labels.count, sizes.width)
  }
}

/// Finds tensors by name, with or without the prefix that a model for a task puts before them.
private struct CheckpointReader {
  let file: SafetensorsFile
  let precision: EncoderPrecision
  let backend: CPUBackend
  private let tensors: [String: TensorInfo]

  init(_ file: SafetensorsFile, _ precision: EncoderPrecision, _ backend: CPUBackend) {
    self.file = file
    self.precision = precision
    self.backend = backend
    self.tensors = Dictionary(file.tensors.map { ($0.name, $0) }) { first, _ in first }
  }

  /// - Throws: where the tensor is not there or has another shape.
  func matrix(_ name: String, _ rows: Int, _ columns: Int) throws(TextEncoderError) -> Matrix {
    guard let tensor = self.tensors[name] ?? self.tensors["bert." + name] else {
      throw TextEncoderError(name, "is not in \(self.file.file.path); the checkpoint is of another form")
    }
    let type: ElementType
    switch tensor.type {
    case .f32: type = .f32
    case .f16: type = .f16
    case .bf16: type = .bf16
    default: throw TextEncoderError(name, "has a type that is not supported; save it as F32, F16 or BF16")
    }
    guard tensor.rows == rows, tensor.columns == columns else {
      throw TextEncoderError(name, "is \(tensor.rows) × \(tensor.columns); the configuration asks for \(rows) × \(columns)")
    }
    let bytes = UnsafeRawBufferPointer(
      rebasing: self.file.file.bytes[tensor.byteOffset..<tensor.byteOffset + tensor.byteCount])
    return try self.wrapped(name, type, rows, columns, bytes, self.file.file)
  }

  private func wrapped(
    _ name: String, _ type: ElementType, _ rows: Int, _ columns: Int, _ bytes: UnsafeRawBufferPointer, _ owner: MappedFile
  ) throws(TextEncoderError) -> Matrix {
    do throws(TensorError) {
      return try Matrix(type: type, rows: rows, columns: columns, bytes: bytes, owner: owner)
    } catch {
      throw TextEncoderError(name, "\(error)")
    }
  }

  private func vector(_ name: String, _ count: Int) throws(TextEncoderError) -> FloatBuffer {
    FloatBuffer(try self.matrix(name, 1, count))
  }

  func norm(_ name: String, _ width: Int) throws(TextEncoderError) -> EncoderWeights.Norm {
    EncoderWeights.Norm(weight: try self.vector(name + ".weight", width), bias: try self.vector(name + ".bias", width))
  }

  /// Matrices of the same input side by side, with their biases.
  func dense(_ names: [String], _ rows: Int, _ columns: Int) throws(TextEncoderError) -> EncoderWeights.Dense {
    var (parts, biases): ([Matrix], [Float]) = ([], [])
    for name in names {
      parts.append(try self.prepared(name + ".weight", rows, columns))
      biases += try self.vector(name + ".bias", rows).array(0..<rows)
    }
    do throws(TensorError) {
      return EncoderWeights.Dense(weight: try Projection(parts), bias: FloatBuffer(biases))
    } catch {
      throw TextEncoderError(names[0], "\(error)")
    }
  }

  private func prepared(_ name: String, _ rows: Int, _ columns: Int) throws(TextEncoderError) -> Matrix {
    let matrix = try self.matrix(name, rows, columns)
    // A row that is no whole number of blocks stays as it is.
    guard self.precision == .rounded, columns.isMultiple(of: ElementType.q8_0.blockElements) else { return matrix }
    do {
      let bytes = try Quantiser.q8_0.bytes(FloatBuffer(matrix), count: rows * columns, self.backend.pool)
      let owner = try MappedFile(bytes: bytes, name: name)
      return try self.wrapped(name, .q8_0, rows, columns, owner.bytes, owner)
    } catch let error as TextEncoderError {
      throw error
    } catch {
      throw TextEncoderError(name, "\(error)")
    }
  }

  func head(_ name: String, _ rows: Int, _ columns: Int) throws(TextEncoderError) -> EncoderWeights.Head {
    let weight = FloatBuffer(try self.matrix(name + ".weight", rows, columns))
    return EncoderWeights.Head(
      weight: weight.array(0..<rows * columns), bias: try self.vector(name + ".bias", rows).array(0..<rows))
  }
}
