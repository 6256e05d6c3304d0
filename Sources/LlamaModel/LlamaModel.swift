// LlamaModel: a Llama-family model as sizes, weights and vocabulary from a model file, and its forward pass over many sequences.
// It holds the checks that make a file safe to run and the order of operations in a layer; the arithmetic is Tensors'.
// It must never know a request, a queue, a customer, a license or a wire format.

public import ModelFiles
public import Tensors

/// A model that is ready to run. Its weights stay in the mapped file until the first forward pass packs them into memory.
///
/// Immutable after loading but for that. Not `Sendable`, as its matrices point into memory: whoever loads it works with it.
public final class LlamaModel {
  struct Layer {
    var attentionNorm: FloatBuffer
    /// Rows: queries, then keys, then values.
    var queryKeyValue: Projection
    /// Added to them.
    var bias: FloatBuffer?
    var attentionOutput: Projection
    var feedForwardNorm: FloatBuffer
    /// Rows: gate, then up.
    var gateUp: Projection
    var down: Projection
  }

  public let hyperparameters: Hyperparameters
  public let vocabulary: LlamaVocabulary
  public let description: ModelDescription
  /// One table, in pieces one above the other.
  let embedding: [Matrix]
  let layers: [Layer]
  let outputNorm: FloatBuffer
  let output: Projection
  /// What each rotation frequency is divided by besides `ropeScale` (`rope_freqs.weight`); empty for none.
  let ropeFactors: [Float]
  let rotaryOrder: RotaryOrder
  private let files: [MappedFile]

  public convenience init(file: GGUFFile) throws(LlamaModelError) { try self.init(source: WeightSource(file)) }

  /// Loads what the source promises; O(metadata + tensors), as weights are only mapped, but for those that several files hold side
  /// by side: they are copied together.
  ///
  /// - Throws: ``LlamaModelError`` naming the key or tensor that is missing, mis-shaped or not supported. A tensor that this
  ///   model has no use for is refused as well: leaving it out would compute something else.
  public init(source: WeightSource) throws(LlamaModelError) {
    let reader = MetadataReader(metadata: source.metadata, path: source.path)
    let parameters = try Hyperparameters(reader)
    let vocabulary =
      if let stored = source.vocabulary { try LlamaVocabulary(stored, path: source.path) } else { try LlamaVocabulary(reader) }
    var weights = WeightReader(source: source)
    let embedding = try weights.matrix("token_embd.weight", rows: vocabulary.size, columns: parameters.embeddingLength)
    var layers: [Layer] = []
    for index in 0..<parameters.layerCount { layers.append(try Layer(index, parameters, &weights)) }
    self.outputNorm = try weights.vector("output_norm.weight", count: parameters.embeddingLength)
    let output = try weights.optionalMatrix("output.weight", rows: vocabulary.size, columns: parameters.embeddingLength)
    self.output = try weights.projection("output.weight", output ?? embedding)
    self.ropeFactors = try weights.ropeFactors(pairs: parameters.ropeDimensions / 2)
    try weights.refuseUnused()
    self.hyperparameters = parameters
    self.vocabulary = vocabulary
    self.embedding = embedding
    self.layers = layers
    self.rotaryOrder = source.rotaryOrder
    self.files = source.files
    self.description = ModelDescription(source: source, parameters: parameters, vocabularySize: vocabulary.size)
  }

  /// Packs all weights with all threads of the backend, layer after layer; O(bytes). After each the system may drop what it has read of
  /// the files, so that memory holds the weights once. Later calls do nothing.
  func pack(_ backend: CPUBackend) {
    for group in self.projections where !group.allSatisfy(\.isPacked) {
      for projection in group { backend.pack(projection) }
      for file in self.files { file.forget() }
    }
  }

  /// All weights that a token meets, layer after layer and the output last.
  var projections: [[Projection]] {
    self.layers.map { [$0.queryKeyValue, $0.attentionOutput, $0.gateUp, $0.down] } + [[self.output]]
  }

  /// The shape of its keys and values.
  public func cacheShape(_ type: KVType = .f32) -> KVShape {
    KVShape(
      layers: self.hyperparameters.layerCount, heads: self.hyperparameters.keyValueHeadCount,
      headDimension: self.hyperparameters.headDimension, type: type)
  }
}

extension LlamaModel.Layer {
  fileprivate init(_ index: Int, _ parameters: Hyperparameters, _ weights: inout WeightReader) throws(LlamaModelError) {
    let prefix = "blk.\(index)."
    let (width, hidden) = (parameters.embeddingLength, parameters.feedForwardLength)
    let (query, keyValue) = (parameters.queryLength, parameters.keyValueLength)
    self.attentionNorm = try weights.vector(prefix + "attn_norm.weight", count: width)
    self.queryKeyValue = try weights.projection(
      prefix + "attn_q.weight",
      try weights.matrix(prefix + "attn_q.weight", rows: query, columns: width)
        + weights.matrix(prefix + "attn_k.weight", rows: keyValue, columns: width)
        + weights.matrix(prefix + "attn_v.weight", rows: keyValue, columns: width))
    self.bias = try weights.biases(prefix, query: query, keyValue: keyValue)
    self.attentionOutput = try weights.projection(
      prefix + "attn_output.weight", try weights.matrix(prefix + "attn_output.weight", rows: width, columns: query))
    self.feedForwardNorm = try weights.vector(prefix + "ffn_norm.weight", count: width)
    self.gateUp = try weights.projection(
      prefix + "ffn_gate.weight",
      try weights.matrix(prefix + "ffn_gate.weight", rows: hidden, columns: width)
        + weights.matrix(prefix + "ffn_up.weight", rows: hidden, columns: width))
    self.down = try weights.projection(
      prefix + "ffn_down.weight", try weights.matrix(prefix + "ffn_down.weight", rows: width, columns: hidden))
  }
}
