internal import Foundation

/// A random Llama of some hundred kilobytes with a real vocabulary, made from a seed: a file, and its weights as a reader must
/// see them.
public struct TinyLlama {
  public struct Shape: Sendable {
    public var context = 128
    public var width = 64
    public var layers = 2
    public var heads = 4
    public var keyValueHeads = 2
    public var hidden = 96
    public var ropeDimensions = 16
    public var ropeBase: Float = 10_000
    public var epsilon: Float = 1e-5
    public var isTied = false
    public init() {}
    public var headDimension: Int { self.width / self.heads }
  }

  public var writer = GGUFWriter()
  public let shape: Shape
  /// Of all matrices.
  public let format: WeightFormat
  /// By tensor name, row-major.
  public private(set) var weights: [String: [Float]] = [:]

  /// Ids 0 to 2 are `<unk>`, `<s>` and `</s>`, then come the 256 bytes, then these.
  public static let words = [
    "\u{2581}", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",
    "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x",
    "y", "z", "th", "he", "in", "er", "an", "re", "\u{2581}t", "\u{2581}a", "\u{2581}th", "\u{2581}the", "ing",
  ]
  public static let vocabularySize = 259 + Self.words.count

  public init(_ shape: Shape = Shape(), format: WeightFormat = .f32, seed: UInt64 = 1) {
    self.shape = shape
    self.format = format
    self.writeMetadata()
    self.writeVocabulary()
    var random = SplitMix64(seed: seed)
    let (width, keyValue) = (shape.width, shape.keyValueHeads * shape.headDimension)
    self.add("token_embd.weight", Self.vocabularySize, width, 1, format, &random)
    for layer in 0..<shape.layers {
      let prefix = "blk.\(layer)."
      self.addNorm(prefix + "attn_norm.weight", &random)
      self.add(prefix + "attn_q.weight", width, width, 2, format, &random)
      self.add(prefix + "attn_k.weight", keyValue, width, 2, format, &random)
      self.add(prefix + "attn_v.weight", keyValue, width, 2, format, &random)
      self.add(prefix + "attn_output.weight", width, width, 2, format, &random)
      self.addNorm(prefix + "ffn_norm.weight", &random)
      self.add(prefix + "ffn_gate.weight", shape.hidden, width, 2, format, &random)
      self.add(prefix + "ffn_up.weight", shape.hidden, width, 2, format, &random)
      self.add(prefix + "ffn_down.weight", width, shape.hidden, 2, format, &random)
    }
    self.addNorm("output_norm.weight", &random)
    if !shape.isTied { self.add("output.weight", Self.vocabularySize, width, 4, format, &random) }
  }

  public func bytes() -> [UInt8] { self.writer.bytes() }

  /// Writes the file into a folder of its own under the system's temporary folder.
  public func write() throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tiny-llama-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appending(path: "model.gguf")
    try Data(self.bytes()).write(to: file)
    return file.path
  }

  public mutating func replace(_ name: String, _ change: (inout GGUFWriter.Tensor) -> Void) {
    for index in self.writer.tensors.indices where self.writer.tensors[index].name == name {
      change(&self.writer.tensors[index])
    }
  }

  private mutating func add(
    _ name: String, _ rows: Int, _ columns: Int, _ gain: Float, _ format: WeightFormat, _ random: inout SplitMix64
  ) {
    let scale = gain / Float(columns).squareRoot()
    let (bytes, values) = format.encode((0..<rows * columns).map { _ in random.unit() * scale })
    self.weights[name] = values
    self.writer.tensors.append(
      GGUFWriter.Tensor(name: name, type: format.rawValue, dimensions: [columns, rows], bytes: bytes))
  }

  private mutating func addNorm(_ name: String, _ random: inout SplitMix64) {
    let (bytes, values) = WeightFormat.f32.encode((0..<self.shape.width).map { _ in 1 + 0.2 * random.unit() })
    self.weights[name] = values
    self.writer.tensors.append(GGUFWriter.Tensor(name: name, type: 0, dimensions: [self.shape.width], bytes: bytes))
  }

  private mutating func writeMetadata() {
    let numbers = [
      ("context_length", self.shape.context), ("embedding_length", self.shape.width), ("block_count", self.shape.layers),
      ("feed_forward_length", self.shape.hidden), ("attention.head_count", self.shape.heads),
      ("attention.head_count_kv", self.shape.keyValueHeads), ("rope.dimension_count", self.shape.ropeDimensions),
    ]
    self.writer.set("general.architecture", .string("llama"))
    self.writer.set("general.name", .string("tiny"))
    self.writer.set("general.license", .string("apache-2.0"))
    for (key, number) in numbers { self.writer.set("llama." + key, .unsigned(UInt32(number))) }
    self.writer.set("llama.attention.layer_norm_rms_epsilon", .float(self.shape.epsilon))
    self.writer.set("llama.rope.freq_base", .float(self.shape.ropeBase))
  }

  private mutating func writeVocabulary() {
    let bytes = (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return "<0x" + (digits.count == 1 ? "0" : "") + digits + ">"
    }
    let scores = Self.words.indices.map { -Float(Self.words.count - $0) }
    self.writer.set("tokenizer.ggml.model", .string("llama"))
    self.writer.set("tokenizer.ggml.tokens", .strings(["<unk>", "<s>", "</s>"] + bytes + Self.words))
    self.writer.set("tokenizer.ggml.scores", .floats([Float](repeating: 0, count: 259) + scores))
    self.writer.set(
      "tokenizer.ggml.token_type",
      .integers([2, 3, 3] + [Int32](repeating: 6, count: 256) + [Int32](repeating: 1, count: Self.words.count)))
    self.writer.set("tokenizer.ggml.bos_token_id", .unsigned(1))
    self.writer.set("tokenizer.ggml.eos_token_id", .unsigned(2))
    self.writer.set("tokenizer.ggml.unknown_token_id", .unsigned(0))
  }
}
