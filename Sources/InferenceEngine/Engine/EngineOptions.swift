public import Tensors

/// What an embedded engine may use.
public struct EngineOptions: Sendable, Equatable {
  /// Threads that compute, the engine's own included.
  public var threads: Int
  /// Sequences whose keys and values are in memory at once, and so the largest batch.
  public var maximumSequences: Int
  /// Requests that may wait beyond those; the next one is refused as overloaded.
  public var queueLimit: Int
  /// Positions of one sequence, prompt and completion; `nil` takes the model's own context.
  public var contextLimit: Int?
  /// The most prompt tokens read in one turn; fewer where other sequences would have to wait for them.
  public var prefillChunk: Int
  /// `nil` follows the environment, else the processor.
  public var instructionSet: InstructionSet?
  /// Bytes that weights, keys, values and work may take in all; a model that needs more is refused before it is loaded. `nil` for
  /// no limit.
  public var memoryLimit: Int?
  /// How keys and values are stored. `nil` takes `f16`, but `f32` for a model whose weights are F32 and for offline reading of logits.
  public var kvType: KVType?
  /// Bytes for keys and values; at least those of one sequence. What running sequences leave holds prompts for later. `nil` takes what
  /// all sequences need at full length, and lets a GiB of it hold prompts for later.
  public var kvMemory: Int?
  /// Whether requests of one ``Completions/CompletionRequest/cacheScope`` share what their prompts have in common.
  public var sharesPrefixes: Bool
  /// Whether tokens are guessed from a sequence's own text and verified several at once; changes no result.
  public var looksAhead: Bool
  /// Whether quantised weights multiply activations as they are, to give what the dequantised weights give in f32, many times slower.
  /// Else activations are rounded to 8 bits.
  public var isExact: Bool
  /// Whether each helper stays on a processor, where there are as many threads as processors.
  public var pinsThreads: Bool

  public init(
    threads: Int = 1, maximumSequences: Int = 8, queueLimit: Int = 64, contextLimit: Int? = nil, prefillChunk: Int = 512,
    instructionSet: InstructionSet? = nil, memoryLimit: Int? = nil, kvType: KVType? = nil, kvMemory: Int? = nil,
    sharesPrefixes: Bool = true, looksAhead: Bool = true, isExact: Bool = false, pinsThreads: Bool = true
  ) {
    self.threads = threads
    self.maximumSequences = maximumSequences
    self.queueLimit = queueLimit
    self.contextLimit = contextLimit
    self.prefillChunk = prefillChunk
    self.instructionSet = instructionSet
    self.memoryLimit = memoryLimit
    self.kvType = kvType
    self.kvMemory = kvMemory
    self.sharesPrefixes = sharesPrefixes
    self.looksAhead = looksAhead
    self.isExact = isExact
    self.pinsThreads = pinsThreads
  }

  /// What may be kept for later prompts where nothing else is said: running sequences seldom need all that they might, and memory
  /// that nobody runs in should not grow to it.
  static let keptBytes = 1 << 30

  /// Rows of one forward pass: a chunk of prompts, a row for every sequence that decodes, and guessed tokens.
  var rowLimit: Int { min(self.prefillChunk, 4096) + min(self.maximumSequences, 4096) + Scheduler.guessedRows }

  /// - Throws: `invalidOption` naming the option and its bounds.
  func validated(modelContext: Int) throws(EngineError) {
    try Self.check("threads", self.threads, 1...WorkerPool.threadLimit)
    try Self.check("maximumSequences", self.maximumSequences, 1...4096)
    try Self.check("queueLimit", self.queueLimit, 0...1 << 20)
    try Self.check("prefillChunk", self.prefillChunk, 1...4096)
    if let limit = self.contextLimit { try Self.check("contextLimit", limit, 2...modelContext) }
  }

  /// The blocks that all sequences share.
  ///
  /// - Throws: `invalidOption` where the memory for them does not hold one sequence.
  func blocks(_ shape: KVShape, contextLength: Int) throws(EngineError) -> Int {
    let one = shape.blocks(positions: contextLength)
    guard let memory = self.kvMemory else { return self.maximumSequences * one }
    guard memory / shape.blockBytes >= one else {
      throw EngineError(
        .invalidOption,
        "kvMemory is \(memory) bytes; one sequence of \(contextLength) tokens takes \(one * shape.blockBytes). Raise it, lower the "
          + "context, or choose a smaller kvType.")
    }
    return memory / shape.blockBytes
  }

  private static func check(_ name: String, _ value: Int, _ bounds: ClosedRange<Int>) throws(EngineError) {
    guard bounds.contains(value) else {
      throw EngineError(.invalidOption, "\(name) is \(value), outside \(bounds.lowerBound)...\(bounds.upperBound).")
    }
  }
}
