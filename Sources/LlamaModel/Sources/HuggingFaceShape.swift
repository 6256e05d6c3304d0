internal import Documents
package import ModelFiles

/// The sizes and constants of `config.json` as GGUF's keys. What would make another model of it is refused by name.
package struct HuggingFaceShape {
  let entries: SourceEntries
  let scaling: LongContextScaling?
  let ropeBase: Double
  let headDimension: Int
  let isTiedByDefault = false

  package init(_ config: ConfigurationFile) throws(ModelFileError) {
    let kind = try config.string("model_type")
    guard let architecture = ["llama": "llama", "mistral": "llama", "qwen2": "qwen2"][kind] else {
      throw config.error(
        .unsupportedVersion, "model_type", "The model is a \"\(kind)\"; llama, mistral and qwen2 can be read.")
    }
    let activation = try config.string("hidden_act", ifAbsent: "silu")
    guard activation == "silu" else {
      throw config.error(.unsupportedVersion, "hidden_act", "The activation \"\(activation)\" is not supported; silu is.")
    }
    var entries = SourceEntries(architecture: architecture, name: config.folderName)
    let width = try config.integer("hidden_size", 2...1 << 16)
    let heads = try config.integer("num_attention_heads", 1...1_024)
    let head = try config.integer("head_dim", 2...1_024, ifAbsent: max(2, min(width / heads, 1_024)))
    entries.set(model: "embedding_length", width)
    entries.set(model: "attention.head_count", heads)
    entries.set(
      model: "attention.head_count_kv",
      try config.integer("num_key_value_heads", 1...1_024, ifAbsent: kind == "mistral" ? 8 : heads))
    if config.document["head_dim"] != nil {
      entries.set(model: "attention.key_length", head)
      entries.set(model: "attention.value_length", head)
    }
    entries.set(model: "rope.dimension_count", head)
    entries.set(model: "block_count", try config.integer("num_hidden_layers", 1...1_024))
    entries.set(model: "feed_forward_length", try config.integer("intermediate_size", 1...1 << 20))
    entries.set(model: "context_length", try config.integer("max_position_embeddings", 1...1 << 24, ifAbsent: 2_048))
    entries.set(model: "attention.layer_norm_rms_epsilon", try config.number("rms_norm_eps", ifAbsent: 1e-6))
    self.ropeBase = try config.number("rope_theta", ifAbsent: 10_000)
    entries.set(model: "rope.freq_base", self.ropeBase)
    if let (window, first) = try Self.window(kind, config) {
      entries.set(model: "attention.sliding_window", window)
      if first > 0 { entries.set(model: Hyperparameters.firstWindowedKey, first) }
    }
    self.scaling = try Self.scaling(config, &entries)
    self.headDimension = head
    self.entries = entries
  }

  /// The window, and the first layer that has it; `nil` where no layer has one.
  private static func window(_ kind: String, _ config: ConfigurationFile) throws(ModelFileError) -> (length: Int, first: Int)? {
    switch kind {
    case "mistral": return try config.optionalInteger("sliding_window", 1...1 << 24).map { ($0, 0) }
    case "qwen2":
      guard try config.flag("use_sliding_window", ifAbsent: false) else { return nil }
      let layers = try config.integer("num_hidden_layers", 1...1_024)
      // The defaults are those of `transformers`.
      let first = try config.integer("max_window_layers", 0...1_024, ifAbsent: 28)
      let length =
        try config.optionalInteger("sliding_window", 1...1 << 24) ?? (config.document["sliding_window"] == nil ? 4_096 : nil)
      guard first < layers, let length else { return nil }
      return (length, first)
    default: return nil
    }
  }

  /// Linear scaling becomes keys, that of Llama 3.1 a tensor.
  private static func scaling(
    _ config: ConfigurationFile, _ entries: inout SourceEntries
  ) throws(ModelFileError) -> LongContextScaling? {
    guard let scaling = try config.object("rope_scaling") else { return nil }
    let kind = try scaling.string("rope_type", ifAbsent: try scaling.string("type", ifAbsent: "default"))
    switch kind {
    case "default": return nil
    case "linear":
      entries.set("\(entries.architecture).rope.scaling.type", .string("linear"))
      entries.set(model: "rope.scaling.factor", try scaling.number("factor"))
      return nil
    case "llama3":
      let (low, high) = (try scaling.number("low_freq_factor"), try scaling.number("high_freq_factor"))
      let factor = try scaling.number("factor")
      guard factor >= 1, factor <= 1_024, low > 0, high > low, high <= 1_024 else {
        throw scaling.error(.invalidValue, "factor", "The factors \(factor), \(low), \(high) are not 1...1024 and rising.")
      }
      return LongContextScaling(
        factor: factor, lowFrequencyFactor: low, highFrequencyFactor: high,
        originalContext: try scaling.integer("original_max_position_embeddings", 1...1 << 24))
    default:
      throw scaling.error(
        .unsupportedVersion, "rope_type", "The scaling \"\(kind)\" is not supported; default, linear and llama3 are.")
    }
  }
}
