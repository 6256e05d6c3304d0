internal import Completions
public import LlamaModel
internal import Tensors
internal import Tokenization

/// A model for offline work by one caller: token ids, logits and speed. (For text, see
/// ``EmbeddedEngine/complete(_:onText:)``.)
public final class ModelSession {
  public let contextLength: Int
  let model: LlamaModel
  let pass: ForwardPass
  let kvType: KVType?
  /// What it took until the model could run.
  let loading: ModelLoading
  private let preparation: PromptPreparation

  /// - Throws: ``EngineError`` naming the option or what is wrong with the file.
  public init(path: String, options: EngineOptions = EngineOptions()) throws(EngineError) {
    let clock = ContinuousClock()
    let start = clock.now
    let loaded = try LoadedModel(path: path, options: options, isOffline: true)
    let opened = clock.now
    let context = loaded.weights.hyperparameters.contextLength
    try options.validated(modelContext: context)
    self.contextLength = options.contextLimit ?? context
    self.model = loaded.weights
    self.kvType = options.kvType
    self.preparation = loaded.preparation(contextLength: self.contextLength)
    do {
      let backend = try CPUBackend(
        threads: options.threads, instructionSet: options.instructionSet, activations: options.isExact ? .exact : .fast,
        pinned: options.pinsThreads)
      self.pass = ForwardPass(
        model: self.model, backend: backend, rowLimit: options.rowLimit)
    } catch {
      throw EngineError(error)
    }
    self.loading = ModelLoading(
      openSeconds: (opened - start) / .seconds(1), packSeconds: (clock.now - opened) / .seconds(1))
  }

  public var description: ModelDescription { self.model.description }

  /// The ids of a text as a prompt: with the token that begins a sequence where the model wants one.
  public func tokenize(_ text: String) -> [Int32] {
    self.model.vocabulary.tokenizer.encode(text, addBOS: self.model.vocabulary.tokenizer.addsBOS)
  }

  /// The text that a completion of these tokens shows; bytes that are not UTF-8 become U+FFFD.
  public func detokenize(_ tokens: [Int32]) -> String {
    String(decoding: self.model.vocabulary.tokenizer.decode(tokens), as: UTF8.self)
  }

  /// The logits after each of the tokens: (tokens, vocabulary). The sequence is read by chunks as the engine reads a prompt.
  ///
  /// - Throws: `invalidTokens` where there are none, more than the context, or one is outside the vocabulary.
  public func logits(_ tokens: [Int32]) throws(EngineError) -> [[Float]] {
    try self.check(tokens)
    let cache = self.makeCache(positions: tokens.count)
    var rows: [[Float]] = []
    try self.read(tokens, into: cache, logits: .all) { count in
      for row in 0..<count { rows.append(self.pass.logits(row: row)) }
    }
    return rows
  }

  /// - Throws: `invalidTokens`.
  func check(_ tokens: [Int32]) throws(EngineError) {
    guard (1...self.contextLength).contains(tokens.count) else {
      throw EngineError(.invalidTokens, "\(tokens.count) tokens are given; 1 to \(self.contextLength) are possible.")
    }
    if let foreign = tokens.first(where: { $0 < 0 || Int($0) >= self.model.vocabulary.size }) {
      throw EngineError(.invalidTokens, "Token \(foreign) is outside the vocabulary of \(self.model.vocabulary.size).")
    }
  }

  /// - Parameter type: where the options do not say.
  func makeCache(positions: Int, type: KVType = .f32) -> KVCache {
    let shape = self.model.cacheShape(self.kvType ?? type)
    return KVCache(pool: KVBlockPool(shape: shape, capacity: shape.blocks(positions: positions)))
  }

  /// Reads tokens chunk by chunk; `after` learns how many rows of logits each chunk left.
  func read(
    _ tokens: [Int32], into cache: KVCache, logits: LogitsWanted, after: (Int) -> Void = { _ in }
  ) throws(EngineError) {
    for start in stride(from: 0, to: tokens.count, by: self.pass.rowLimit) {
      let end = min(start + self.pass.rowLimit, tokens.count)
      do {
        after(try self.pass.run([SequenceStep(tokens: Array(tokens[start..<end]), cache: cache, logits: logits)]))
      } catch {
        throw EngineError(error)
      }
    }
  }
}

/// Where the time of loading a model went.
public struct ModelLoading: Sendable, Equatable {
  /// Mapping the file into memory, reading its head and checking every tensor's place in it.
  public let openSeconds: Double
  /// Making room, and packing the weights for the kernels where they compute in their own layout. It reads the mapped pages.
  public let packSeconds: Double
}
