internal import ModelFiles

/// The sizes and constants of a Llama, checked against one another.
public struct Hyperparameters: Sendable, Equatable {
  public let architecture: String
  /// Positions the model was made for.
  public let contextLength: Int
  public let embeddingLength: Int
  public let layerCount: Int
  public let feedForwardLength: Int
  /// Query heads, and the heads of keys and values that groups of them share.
  public let headCount: Int
  public let keyValueHeadCount: Int
  public let headDimension: Int
  /// Values of each head that are rotated; even.
  public let ropeDimensions: Int
  public let ropeBase: Double
  /// Positions are divided by it (linear scaling); 1 for none.
  public let ropeScale: Double
  public let epsilon: Float
  /// How many positions, its own included, a query looks back on; `nil` for all.
  public let slidingWindow: Int?
  /// The first layer whose queries have the window; those before look back on everything.
  public let firstWindowedLayer: Int

  var queryLength: Int { self.headCount * self.headDimension }
  var keyValueLength: Int { self.keyValueHeadCount * self.headDimension }

  /// - Throws: `unsupportedArchitecture`, `unsupportedFeature`, `invalidFile`, `invalidHyperparameter`, each naming the key.
  init(_ reader: MetadataReader) throws(LlamaModelError) {
    let architecture = try reader.string("general.architecture")
    guard Self.architectures.contains(architecture) else {
      throw LlamaModelError(
        .unsupportedArchitecture, path: reader.path, field: "general.architecture",
        "The architecture is \"\(architecture)\"; \(Self.architectures.joined(separator: " and ")) can be run.")
    }
    self.architecture = architecture
    let reader = reader.scoped(to: architecture)
    try Self.refuseUnsupported(reader)
    self.contextLength = try reader.integer("context_length", 1...1 << 20)
    self.embeddingLength = try reader.integer("embedding_length", 2...1 << 16)
    self.layerCount = try reader.integer("block_count", 1...1024)
    self.feedForwardLength = try reader.integer("feed_forward_length", 1...1 << 20)
    let heads = try reader.integer("attention.head_count", 1...1024)
    self.headCount = heads
    self.keyValueHeadCount = try reader.integer("attention.head_count_kv", 1...1024, ifAbsent: heads)
    guard heads.isMultiple(of: self.keyValueHeadCount) else {
      throw reader.invalid(
        "attention.head_count_kv",
        "\(heads) query heads cannot share \(self.keyValueHeadCount) key and value heads evenly.")
    }
    self.headDimension = try Self.headDimension(reader, embedding: self.embeddingLength, heads: heads)
    self.ropeDimensions = try reader.integer(
      "rope.dimension_count", 2...self.headDimension, ifAbsent: self.headDimension)
    guard self.ropeDimensions.isMultiple(of: 2) else {
      throw reader.invalid("rope.dimension_count", "\(self.ropeDimensions) is odd; values are rotated in pairs.")
    }
    self.ropeBase = try reader.number("rope.freq_base", 1...1e12, ifAbsent: 10_000)
    self.ropeScale = try Self.ropeScale(reader)
    self.epsilon = Float(try reader.number("attention.layer_norm_rms_epsilon", 1e-12...0.1))
    let window = try reader.integer("attention.sliding_window", 0...Int(UInt32.max), ifAbsent: 0)
    self.slidingWindow = window == 0 ? nil : window
    self.firstWindowedLayer = try reader.integer(Self.firstWindowedKey, 0...self.layerCount, ifAbsent: 0)
  }

  /// A key of ours: GGUF has none for a window in the later layers alone.
  static let firstWindowedKey = "attention.sliding_window_first_layer"

  /// Those whose layers are computed here; Mistral and Llama Guard files call themselves "llama".
  static let architectures = ["llama", "qwen2"]

  private static func headDimension(
    _ reader: MetadataReader, embedding: Int, heads: Int
  ) throws(LlamaModelError) -> Int {
    let key = "attention.key_length"
    let stored = try reader.integer(key, 2...1024, ifAbsent: max(2, min(embedding / heads, 1024)))
    guard reader.has(key) || stored * heads == embedding else {
      throw reader.invalid(
        "attention.head_count", "\(heads) heads do not divide the embedding length \(embedding) into 2...1024 values each.")
    }
    guard stored.isMultiple(of: 2) else { throw reader.invalid(key, "A head of \(stored) values cannot be rotated in pairs.") }
    let values = try reader.integer("attention.value_length", 1...1 << 16, ifAbsent: stored)
    guard values == stored else {
      throw reader.unsupported("attention.value_length", "Values of \(values) beside keys of \(stored) are not supported.")
    }
    return stored
  }

  private static func ropeScale(_ reader: MetadataReader) throws(LlamaModelError) -> Double {
    let older = try reader.number("rope.scale_linear", 1...1024, ifAbsent: 1)
    let kind = try reader.string("rope.scaling.type", ifAbsent: "none")
    switch kind {
    case "none": return older
    case "linear": return try reader.number("rope.scaling.factor", 1...1024)
    default:
      throw reader.unsupported("rope.scaling.type", "Scaling \"\(kind)\" is not supported; \"linear\" and \"none\" are.")
    }
  }

  private static func refuseUnsupported(_ reader: MetadataReader) throws(LlamaModelError) {
    let experts = try reader.integer("expert_count", 0...1 << 20, ifAbsent: 0)
    guard experts == 0 else {
      throw reader.unsupported("expert_count", "A mixture of \(experts) experts is not supported.")
    }
  }
}
