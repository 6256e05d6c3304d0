package import ModelFiles

/// The sizes and constants of `params.json` as GGUF's keys.
package struct MetaShape {
  let entries: SourceEntries
  let width: Int
  let headDimension: Int
  let ropeBase: Double
  let scaling: LongContextScaling?

  package init(_ parameters: ConfigurationFile) throws(ModelFileError) {
    var entries = SourceEntries(architecture: "llama", name: parameters.folderName)
    let width = try parameters.integer("dim", 2...1 << 16)
    let heads = try parameters.integer("n_heads", 1...1_024)
    let head = max(2, width / heads)
    let base = try parameters.number("rope_theta", ifAbsent: 10_000)
    let isScaled = try parameters.flag("use_scaled_rope", ifAbsent: false)
    entries.set(model: "embedding_length", width)
    entries.set(model: "attention.head_count", heads)
    entries.set(model: "attention.head_count_kv", try parameters.integer("n_kv_heads", 1...1_024, ifAbsent: heads))
    entries.set(model: "block_count", try parameters.integer("n_layers", 1...1_024))
    entries.set(model: "feed_forward_length", try Self.feedForwardLength(parameters, width: width))
    entries.set(model: "rope.dimension_count", head)
    entries.set(model: "rope.freq_base", base)
    entries.set(model: "attention.layer_norm_rms_epsilon", try parameters.number("norm_eps"))
    // The folder does not say for how many positions the model was made; each generation has its own rotation.
    entries.set(model: "context_length", isScaled ? 131_072 : base > 10_000 ? 8_192 : 4_096)
    self.entries = entries
    self.width = width
    self.headDimension = head
    self.ropeBase = base
    self.scaling =
      isScaled ? LongContextScaling(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8_192) : nil
  }

  /// Two thirds of four widths, times the model's multiplier, rounded up to a multiple. Source: `llama/model.py`, `FeedForward`.
  private static func feedForwardLength(
    _ parameters: ConfigurationFile, width: Int
  ) throws(ModelFileError) -> Int {
    let multiple = try parameters.integer("multiple_of", 1...1 << 20)
    let multiplier = try parameters.number("ffn_dim_multiplier", ifAbsent: 1)
    guard multiplier > 0, multiplier <= 64 else {
      throw parameters.error(.invalidValue, "ffn_dim_multiplier", "\(multiplier) is not above 0 and at most 64.")
    }
    let length = Int(multiplier * Double(8 * width / 3))
    return (length + multiple - 1) / multiple * multiple
  }
}
