internal import ModelFiles
public import Tensors

/// The memory that running a model takes, by what it is for; known before a weight is touched.
public struct MemoryNeed: Sendable, Equatable {
  /// Weights in mapped files, or as large as they are once they are packed, where that is more: the first run copies them out of the
  /// files into memory, where decoding reads all of them for every token.
  public let mappedBytes: Int
  /// Weights that several files hold side by side and that are copied together.
  public let copiedBytes: Int
  /// Keys and values of all sequences at full length.
  public let cacheBytes: Int
  /// Activations of one step and its logits.
  public let workBytes: Int

  public var total: Int { self.mappedBytes + self.copiedBytes + self.cacheBytes + self.workBytes }

  /// - Parameters:
  ///   - contextLength: positions of one sequence; `nil` takes the model's own.
  ///   - rows: tokens of one step.
  ///   - kvType: how keys and values are stored.
  ///   - cacheBytes: what they may take; `nil` for what all sequences need.
  /// - Throws: ``LlamaModelError`` where the sizes are not those of a model.
  public init(
    of source: WeightSource, contextLength: Int? = nil, sequences: Int = 1, rows: Int = 128, kvType: KVType = .f32,
    cacheBytes: Int? = nil
  ) throws(LlamaModelError) {
    let parameters = try Hyperparameters(MetadataReader(metadata: source.metadata, path: source.path))
    let shape = KVShape(
      layers: parameters.layerCount, heads: parameters.keyValueHeadCount, headDimension: parameters.headDimension,
      type: kvType)
    let vocabulary = source.tensor(named: "token_embd.weight")?.rows ?? 0
    self.copiedBytes = source.copiedByteCount
    let matrices = source.tensors.filter { $0.rows > 1 }
    let packed = matrices.reduce(0) { $0 + ElementType($1.type).packedBytes(rows: $1.rows, columns: $1.columns) }
    self.mappedBytes = max(source.fileByteCount - self.copiedBytes, packed)
    let positions = min(max(1, contextLength ?? parameters.contextLength), parameters.contextLength)
    // A need beyond all numbers is beyond all limits.
    let (cache, overflow) = (shape.blocks(positions: positions) * shape.blockBytes).multipliedReportingOverflow(
      by: max(1, sequences))
    self.cacheBytes = min(cacheBytes ?? (overflow ? .max : cache), .max / 4)
    let width = 4 * parameters.embeddingLength + 2 * parameters.feedForwardLength + parameters.queryLength
    self.workBytes = 4 * (min(rows, 4_096) * (width + 2 * parameters.keyValueLength) + min(sequences, 4_096) * vocabulary)
  }
}
