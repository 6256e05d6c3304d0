internal import Completions
public import Documents
internal import InferenceEngine

/// A model file worked with offline, for the `engine` commands.
public struct OfflineEngine: Sendable {
  public struct Question: Sendable {
    var prompt: String
    var isRaw: Bool
    var maximumTokens: Int
    var temperature: Float
    var seed: UInt64?

    public init(prompt: String, isRaw: Bool, maximumTokens: Int, temperature: Float, seed: UInt64?) {
      self.prompt = prompt
      self.isRaw = isRaw
      self.maximumTokens = maximumTokens
      self.temperature = temperature
      self.seed = seed
    }
  }

  /// Speeds in tokens per second; memory in bytes.
  public struct BenchFigures: Sendable {
    let figures: BenchResult

    public var json: JSON {
      [
        "prefill_tokens_per_second": .number("\(self.figures.prefillTokensPerSecond)"),
        "decode_tokens_per_second": .number("\(self.figures.decodeTokensPerSecond)"),
        "peak_rss_bytes": .integer(self.figures.peakResidentBytes),
      ]
    }

    public var rows: [(String, String)] {
      [
        ("prefill", "\(Int(self.figures.prefillTokensPerSecond)) tokens/s"),
        ("decode", "\(Int(self.figures.decodeTokensPerSecond)) tokens/s"),
        ("memory", "\(self.figures.peakResidentBytes >> 20) MiB"),
      ]
    }
  }

  let model: String
  let threads: Int
  private let memoryLimit: Int?

  /// - Parameter memoryLimit: bytes; a model that needs more is refused before it is loaded. Nil for no limit.
  public init(model: String, threads: Int, memoryLimit: Int? = nil) {
    self.model = model
    self.threads = threads
    self.memoryLimit = memoryLimit
  }

  /// Hands the answer over as it comes.
  public func generate(_ question: Question, emit: (String) -> Void) async throws {
    let engine = try EmbeddedEngine(
      path: self.model,
      options: EngineOptions(threads: self.threads, maximumSequences: 1, queueLimit: 1, memoryLimit: self.memoryLimit))
    defer { engine.shutdown() }
    let prompt: CompletionRequest.Prompt =
      question.isRaw
      ? .text(question.prompt) : .chat([ChatMessage(role: .user, content: question.prompt)])
    let request = CompletionRequest(
      prompt: prompt, sampling: SamplingParameters(temperature: question.temperature, seed: question.seed),
      maximumCompletionTokens: question.maximumTokens)
    let prepared = try await engine.prepare(request)
    for try await event in engine.start(prepared, allowance: TokenAllowance(tokens: prepared.completionCeiling)) {
      for delta in event.steps { emit(delta.text) }
    }
  }

  public func tokenize(_ text: String) throws -> [Int32] { try self.session.tokenize(text) }

  /// The logits after each token.
  public func logits(_ tokens: [Int32]) throws -> [[Float]] { try self.session.logits(tokens) }

  public func bench(promptTokens: Int, generateTokens: Int, parallel: Int) throws -> BenchFigures {
    BenchFigures(
      figures: try self.session.bench(promptTokens: promptTokens, generateTokens: generateTokens, parallel: parallel))
  }

  var session: ModelSession {
    get throws {
      try ModelSession(path: self.model, options: EngineOptions(threads: self.threads, memoryLimit: self.memoryLimit))
    }
  }
}
