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
  /// Prompt tokens read between two decoding steps of the others.
  public var prefillChunk: Int
  /// `nil` follows the environment, else the processor.
  public var instructionSet: InstructionSet?
  /// Bytes that weights, keys, values and work may take in all; a model that needs more is refused before it is loaded. `nil` for
  /// no limit.
  public var memoryLimit: Int?

  public init(
    threads: Int = 1, maximumSequences: Int = 8, queueLimit: Int = 64, contextLimit: Int? = nil, prefillChunk: Int = 128,
    instructionSet: InstructionSet? = nil, memoryLimit: Int? = nil
  ) {
    self.threads = threads
    self.maximumSequences = maximumSequences
    self.queueLimit = queueLimit
    self.contextLimit = contextLimit
    self.prefillChunk = prefillChunk
    self.instructionSet = instructionSet
    self.memoryLimit = memoryLimit
  }

  /// - Throws: `invalidOption` naming the option and its bounds.
  func validated(modelContext: Int) throws(EngineError) {
    try Self.check("threads", self.threads, 1...WorkerPool.threadLimit)
    try Self.check("maximumSequences", self.maximumSequences, 1...4096)
    try Self.check("queueLimit", self.queueLimit, 0...1 << 20)
    try Self.check("prefillChunk", self.prefillChunk, 1...4096)
    if let limit = self.contextLimit { try Self.check("contextLimit", limit, 2...modelContext) }
  }

  private static func check(_ name: String, _ value: Int, _ bounds: ClosedRange<Int>) throws(EngineError) {
    guard bounds.contains(value) else {
      throw EngineError(.invalidOption, "\(name) is \(value), outside \(bounds.lowerBound)...\(bounds.upperBound).")
    }
  }
}
