internal import Documents

/// The sizes of an encoder, by the `config.json` beside its weights.
public struct EncoderConfiguration: Sendable, Equatable {
  public let width: Int
  public let layers: Int
  public let heads: Int
  public let innerWidth: Int
  public let vocabulary: Int
  /// Most tokens of a text.
  public let places: Int
  public let segments: Int
  public let epsilon: Float
  /// The names of the labels, in order.
  public let labels: [String]
  /// Whether the tokenizer folds case and takes accents off.
  public let isUncased: Bool

  /// Members that say nothing about how the weights are used are left aside.
  init(_ document: Document) throws(TextEncoderError) {
    do throws(DocumentError) {
      var reader = try DocumentReader(document)
      let type = try reader.string("model_type")
      guard type == "bert" else { throw reader.failure("model_type", "is '\(type)'; encoders of type 'bert' are read") }
      let activation = try reader.optionalString("hidden_act") ?? "gelu"
      guard activation == "gelu" else { throw reader.failure("hidden_act", "is '\(activation)'; 'gelu' is supported") }
      let order = try reader.optionalString("position_embedding_type") ?? "absolute"
      guard order == "absolute" else { throw reader.failure("position_embedding_type", "is '\(order)'; 'absolute' is supported") }
      self.width = try reader.integer("hidden_size", in: 8...4096)
      self.layers = try reader.integer("num_hidden_layers", in: 1...64)
      self.heads = try reader.integer("num_attention_heads", in: 1...128)
      guard self.width.isMultiple(of: self.heads) else {
        throw reader.failure("num_attention_heads", "\(self.width) is not a multiple of \(self.heads)")
      }
      self.innerWidth = try reader.integer("intermediate_size", in: 8...65_536)
      self.vocabulary = try reader.integer("vocab_size", in: 8...1_000_000)
      self.places = try reader.integer("max_position_embeddings", in: 8...8192)
      self.segments = try reader.optionalInteger("type_vocab_size", in: 1...16) ?? 2
      var epsilon = Float(1e-12)
      if case .number(let text)? = reader.document("layer_norm_eps")?.content { epsilon = Float(text) ?? epsilon }
      guard epsilon > 0, epsilon < 1 else {
        throw reader.failure("layer_norm_eps", "is \(epsilon); a small positive number belongs here")
      }
      self.epsilon = epsilon
      self.isUncased = try reader.optionalBool("do_lower_case") ?? true
      self.labels = try Self.labels(&reader)
    } catch {
      throw TextEncoderError("config.json", error.description)
    }
  }

  private static func labels(_ reader: inout DocumentReader) throws(DocumentError) -> [String] {
    guard var entries = try reader.optionalReader("id2label") else { return ["LABEL_0", "LABEL_1"] }
    let count = entries.keys.count
    guard (1...256).contains(count) else { throw reader.failure("id2label", "names \(count) labels; 1 to 256 belong there") }
    return try (0..<count).map { (index) throws(DocumentError) in try entries.string(String(index)) }
  }
}
