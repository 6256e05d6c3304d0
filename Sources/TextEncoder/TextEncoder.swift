// TextEncoder: a small transformer that reads a text as a whole and says how likely each of some labels is.
// Holds the reader of such checkpoints (BERT's form: config, word pieces, safetensors), the tokenizer and the pass through the layers.
// It must never know what a label means, a policy, a customer or a request.

public import Documents
public import ModelFiles
internal import Tensors

/// Why a checkpoint cannot be used. Names the file or field, and the remedy.
public struct TextEncoderError: Error, Sendable, Equatable, CustomStringConvertible {
  public var field: String
  public var message: String
  public var description: String { "\(self.field): \(self.message)" }

  init(_ field: String, _ message: String) {
    self.field = field
    self.message = message
  }
}

/// How weights are multiplied.
public enum EncoderPrecision: Sendable {
  /// As the file has them.
  case exact
  /// Rounded to 8 bits when they are read, as the texts are on the way: several times faster.
  case rounded
}

/// A loaded encoder. Not `Sendable`: one caller at a time, as its memory for a pass is its own.
public final class TextEncoder {
  public let configuration: EncoderConfiguration
  private let pieces: WordPiece
  private let weights: EncoderWeights
  private let backend: CPUBackend
  private let memory: PassMemory

  /// - Parameters:
  ///   - configuration: `config.json` of the checkpoint.
  ///   - vocabulary: `vocab.txt`: one word piece a line.
  ///   - decompose: The canonical decomposition of a text (NFD), by which accents are taken off.
  /// - Throws: ``TextEncoderError`` where the checkpoint is of another form, or parts of it do not fit.
  public convenience init(
    configuration: Document, vocabulary: [UInt8], weights: SafetensorsFile, threads: Int, precision: EncoderPrecision,
    decompose: @escaping @Sendable (String) -> String
  ) throws(TextEncoderError) {
    let configuration = try EncoderConfiguration(configuration)
    let pieces = try WordPiece(vocabulary, configuration, decompose: decompose)
    let backend: CPUBackend
    do throws(TensorError) {
      backend = try CPUBackend(threads: threads, activations: precision == .exact ? .exact : .fast)
    } catch {
      throw TextEncoderError("threads", "\(error)")
    }
    let read = try EncoderWeights(weights, configuration, precision, backend)
    self.init(configuration, pieces, read, backend)
  }

  private init(_ configuration: EncoderConfiguration, _ pieces: WordPiece, _ weights: EncoderWeights, _ backend: CPUBackend) {
    self.configuration = configuration
    self.pieces = pieces
    self.weights = weights
    self.backend = backend
    self.memory = PassMemory(configuration)
  }

  /// The tokens that a text is read as, the marks at both ends included; at most as many as the encoder has places for.
  public func tokens(_ text: String) -> [Int32] { self.pieces.tokens(text) }

  /// The label's logits for a text. O(tokens² · width + tokens · weights).
  public func logits(_ text: String) -> [Float] { self.logits(of: self.tokens(text)) }

  /// The label's logits for each of up to `most` stretches of a text that follow each other; for a text that fits, of it alone.
  public func logits(ofStretches text: String, most: Int) -> [[Float]] {
    precondition(most >= 1)
    return self.pieces.stretches(text, most: most).map { self.logits(of: $0) }
  }

  /// - Precondition: 1 to ``EncoderConfiguration/places`` tokens of the vocabulary.
  public func logits(of tokens: [Int32]) -> [Float] {
    let last = self.states(of: tokens)
    return self.head(last)
  }

  /// The states after the last layer: tokens × width.
  public func states(of tokens: [Int32]) -> [Float] {
    precondition((1...self.configuration.places).contains(tokens.count))
    self.embed(tokens)
    for layer in self.weights.layers { self.run(layer, count: tokens.count) }
    return self.memory.states.array(0..<tokens.count * self.configuration.width)
  }

  private func embed(_ tokens: [Int32]) {
    let (memory, width) = (self.memory, self.configuration.width)
    self.backend.embed(tokens, from: [self.weights.words], into: memory.states)
    self.backend.embed(Array(0..<Int32(tokens.count)), from: [self.weights.places], into: memory.term)
    self.backend.add(memory.term, count: tokens.count * width, to: memory.states)
    self.backend.add(bias: self.weights.firstSegment, to: memory.states, count: tokens.count, stride: width)
    self.backend.layerNorm(
      memory.states, count: tokens.count, weight: self.weights.norm.weight, bias: self.weights.norm.bias,
      epsilon: self.configuration.epsilon)
  }

  private func run(_ layer: EncoderWeights.Layer, count: Int) {
    let (memory, backend, sizes) = (self.memory, self.backend, self.configuration)
    self.apply(layer.attention, memory.states, stride: sizes.width, count: count, into: memory.attended)
    backend.attendToAll(
      memory.attended, rows: count, heads: sizes.heads, headDimension: sizes.width / sizes.heads, scratch: memory.scores,
      into: memory.context)
    self.apply(layer.output, memory.context, stride: sizes.width, count: count, into: memory.term)
    backend.layerNorm(
      memory.states, adding: memory.term, count: count, weight: layer.attentionNorm.weight, bias: layer.attentionNorm.bias,
      epsilon: sizes.epsilon)
    self.apply(layer.up, memory.states, stride: sizes.width, count: count, into: memory.inner)
    backend.gelu(memory.inner, count: count, width: sizes.innerWidth)
    self.apply(layer.down, memory.inner, stride: sizes.innerWidth, count: count, into: memory.term)
    backend.layerNorm(
      memory.states, adding: memory.term, count: count, weight: layer.outputNorm.weight, bias: layer.outputNorm.bias,
      epsilon: sizes.epsilon)
  }

  private func apply(_ dense: EncoderWeights.Dense, _ input: FloatBuffer, stride: Int, count: Int, into output: FloatBuffer) {
    self.backend.multiply(
      dense.weight, Activations(input, stride: stride), rows: count, into: Activations(output, stride: dense.bias.count))
    self.backend.add(bias: dense.bias, to: output, count: count, stride: dense.bias.count)
  }

  /// The pooler and the classifier on the first state; in plain loops, as it is one row.
  private func head(_ states: [Float]) -> [Float] {
    let width = self.configuration.width
    let pooled = self.weights.pooler.applied(to: Array(states.prefix(width))).map(hyperbolicTangent)
    return self.weights.classifier.applied(to: pooled)
  }
}

/// What one pass works in; for the longest text there may be.
private final class PassMemory {
  let states: FloatBuffer
  let term: FloatBuffer
  let attended: FloatBuffer
  let context: FloatBuffer
  let inner: FloatBuffer
  let scores: FloatBuffer

  init(_ sizes: EncoderConfiguration) {
    self.states = FloatBuffer(count: sizes.places * sizes.width)
    self.term = FloatBuffer(count: sizes.places * sizes.width)
    self.attended = FloatBuffer(count: sizes.places * sizes.width * 3)
    self.context = FloatBuffer(count: sizes.places * sizes.width)
    self.inner = FloatBuffer(count: sizes.places * sizes.innerWidth)
    self.scores = FloatBuffer(count: sizes.places * (sizes.width + sizes.heads))
  }
}
