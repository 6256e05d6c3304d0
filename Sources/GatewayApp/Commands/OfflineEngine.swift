internal import Completions
public import Documents
internal import InferenceEngine
internal import Tensors

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
      var members = [
        JSONMember("open_seconds", .number("\(self.figures.loading.openSeconds)")),
        JSONMember("pack_seconds", .number("\(self.figures.loading.packSeconds)")),
        JSONMember("prefill_tokens_per_second", .number("\(self.figures.prefillTokensPerSecond)")),
        JSONMember("decode_tokens_per_second", .number("\(self.figures.decodeTokensPerSecond)")),
        JSONMember("peak_rss_bytes", .integer(self.figures.peakResidentBytes)),
      ]
      if let profile = self.figures.profile { members.append(JSONMember("profile", Self.json(profile))) }
      return .object(members)
    }

    private static func json(_ profile: BenchResult.Profile) -> JSON {
      let lines = { (lines: [BenchResult.Profile.Line]) -> JSON in
        .array(
          lines.map { line -> JSON in
            [
              "part": .string(line.part), "seconds": .number("\(line.seconds)"), "calls": .integer(line.calls),
              "gigabytes_per_second": .number("\(line.gigabytesPerSecond)"),
              "gigaoperations_per_second": .number("\(line.gigaoperationsPerSecond)"),
            ]
          })
      }
      return [
        "weight_bytes": .integer(profile.weightBytes),
        "read_gigabytes_per_second": .number("\(profile.readGigabytesPerSecond)"),
        "decode_bound_tokens_per_second": .number("\(profile.decodeBound)"),
        "prefill": lines(profile.prefill), "decode": lines(profile.decode),
      ]
    }

    public var rows: [(String, String)] {
      [
        ("opening", "\(Self.short(self.figures.loading.openSeconds * 1e3)) ms"),
        ("packing", "\(Self.short(self.figures.loading.packSeconds * 1e3)) ms"),
        ("prefill", "\(Int(self.figures.prefillTokensPerSecond)) tokens/s"),
        ("decode", "\(Int(self.figures.decodeTokensPerSecond)) tokens/s"),
        ("memory", "\(self.figures.peakResidentBytes >> 20) MiB"),
      ] + (self.figures.profile.map(Self.rows) ?? [])
    }

    private static func rows(_ profile: BenchResult.Profile) -> [(String, String)] {
      var rows = [
        ("weights", "\(profile.weightBytes >> 20) MiB, read alone at \(Self.short(profile.readGigabytesPerSecond)) GB/s"),
        ("bound of one stream", "\(Self.short(profile.decodeBound)) tokens/s"),
      ]
      for (name, lines) in [("prefill", profile.prefill), ("decode", profile.decode)] {
        let total = lines.reduce(0) { $0 + $1.seconds }
        for line in lines {
          let share = "\(Self.short(line.seconds * 1e3)) ms, \(Self.short(100 * line.seconds / total)) %"
          let speed = "\(Self.short(line.gigabytesPerSecond)) GB/s, \(Self.short(line.gigaoperationsPerSecond)) GOP/s"
          rows.append(("\(name): \(line.part)", line.gigaoperationsPerSecond > 0 ? "\(share), \(speed)" : share))
        }
      }
      return rows
    }

    private static func short(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
  }

  let model: String
  let threads: Int
  private let memoryLimit: Int?

  /// 0 stands for as many threads as there are cores that the process may use, a container's limit respected.
  static func threads(_ asked: Int) -> Int { asked == 0 ? UsableProcessors.count : asked }

  /// - Parameters:
  ///   - threads: 0 for as many as there are cores for them.
  ///   - memoryLimit: bytes; a model that needs more is refused before it is loaded. Nil for no limit.
  public init(model: String, threads: Int, memoryLimit: Int? = nil) {
    self.model = model
    self.threads = Self.threads(threads)
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

  public func tokenize(_ text: String) throws -> [Int32] { try self.session(isExact: true).tokenize(text) }

  /// The logits after each token.
  public func logits(_ tokens: [Int32]) throws -> [[Float]] { try self.session(isExact: true).logits(tokens) }

  public func bench(
    promptTokens: Int, generateTokens: Int, parallel: Int, isProfiled: Bool
  ) throws -> BenchFigures {
    BenchFigures(
      figures: try self.session(isExact: false).bench(
        promptTokens: promptTokens, generateTokens: generateTokens, parallel: parallel, isProfiled: isProfiled))
  }

  /// - Parameter isExact: figures that are compared with other programs' are computed exactly; speed is that of serving.
  func session(isExact: Bool) throws -> ModelSession {
    try ModelSession(
      path: self.model,
      options: EngineOptions(threads: self.threads, memoryLimit: self.memoryLimit, isExact: isExact))
  }
}
