internal import Glibc
internal import LlamaModel
internal import Tensors

/// What a model does on this machine.
public struct BenchResult: Sendable, Equatable {
  /// Where the time of reading prompts or of writing went, and the bound of the machine in the same run.
  public struct Profile: Sendable, Equatable {
    public struct Line: Sendable, Equatable {
      public let part: String
      public let seconds: Double
      public let calls: Int
      public let gigabytesPerSecond: Double
      public let gigaoperationsPerSecond: Double
    }

    public let prefill: [Line]
    public let decode: [Line]
    /// Weights that each step reads, as they are packed.
    public let weightBytes: Int
    /// Of reading the same weights with the same threads without computing anything: the median of several.
    public let readGigabytesPerSecond: Double
    /// What one stream could decode at best.
    public var decodeBound: Double { self.readGigabytesPerSecond * 1e9 / Double(self.weightBytes) }
  }

  public let loading: ModelLoading
  public let prefillTokensPerSecond: Double
  /// Of all sequences together.
  public let decodeTokensPerSecond: Double
  /// The most memory the process has had so far, mapped weights included.
  public let peakResidentBytes: Int
  /// `nil` where it was not asked for.
  public let profile: Profile?
}

extension ModelSession {
  /// Measures reading and writing: prompts of `promptTokens` one after another, then `generateTokens` greedy tokens of each of
  /// `parallel` sequences, all in one batch a step. The threads are those of the session. A short run before warms the memory up.
  ///
  /// - Parameter isProfiled: whether to tell where the time goes.
  /// - Throws: `invalidOption` where a number is below 1, the two lengths exceed the context or `parallel` the session's batch.
  public func bench(
    promptTokens: Int, generateTokens: Int, parallel: Int = 1, isProfiled: Bool = false
  ) throws(EngineError) -> BenchResult {
    let (length, overflow) = promptTokens.addingReportingOverflow(generateTokens)
    guard promptTokens >= 1, generateTokens >= 1, !overflow, length <= self.contextLength else {
      throw EngineError(
        .invalidOption, "Prompt and generated tokens must be at least 1 each and \(self.contextLength) together.")
    }
    guard (1...self.pass.rowLimit).contains(parallel) else {
      throw EngineError(.invalidOption, "\(parallel) sequences at once are not possible; 1 to \(self.pass.rowLimit) are.")
    }
    let prompts = (0..<parallel).map { self.benchPrompt(count: promptTokens, offset: $0) }
    try self.read(Array(prompts[0].prefix(32)), into: self.makeCache(positions: promptTokens, type: .f16), logits: .last)
    let readSpeed = isProfiled ? self.readSpeed() : 0
    let caches = prompts.map { _ in self.makeCache(positions: length, type: .f16) }
    let (prefill, decode) = (PassProfile(), PassProfile())
    defer { self.pass.profile = nil }
    let clock = ContinuousClock()
    self.pass.profile = isProfiled ? prefill : nil
    let start = clock.now
    for (prompt, cache) in zip(prompts, caches) { try self.read(prompt, into: cache, logits: .last) }
    let middle = clock.now
    self.pass.profile = isProfiled ? decode : nil
    try self.generate(generateTokens, caches)
    let end = clock.now
    return BenchResult(
      loading: self.loading,
      prefillTokensPerSecond: Double(parallel * promptTokens) / ((middle - start) / .seconds(1)),
      decodeTokensPerSecond: Double(parallel * generateTokens) / ((end - middle) / .seconds(1)),
      peakResidentBytes: Self.peakResidentBytes(),
      profile: isProfiled
        ? BenchResult.Profile(
          prefill: Self.lines(prefill), decode: Self.lines(decode), weightBytes: self.pass.weightBytes,
          readGigabytesPerSecond: readSpeed)
        : nil)
  }

  /// Gigabytes a second of reading the weights; the median of nine.
  private func readSpeed() -> Double {
    let clock = ContinuousClock()
    let speeds = (0..<9).map { _ in
      Double(self.pass.weightBytes) / 1e9 / (clock.measure { self.pass.readWeights() } / .seconds(1))
    }
    return speeds.sorted()[4]
  }

  private static func lines(_ profile: PassProfile) -> [BenchResult.Profile.Line] {
    PassProfile.Part.allCases.compactMap { part in
      profile.lines[part].map {
        BenchResult.Profile.Line(
          part: part.rawValue, seconds: $0.seconds, calls: $0.calls,
          gigabytesPerSecond: Double($0.weightBytes) / 1e9 / $0.seconds,
          gigaoperationsPerSecond: Double($0.operations) / 1e9 / $0.seconds)
      }
    }
  }

  private func generate(_ count: Int, _ caches: [KVCache]) throws(EngineError) {
    var next = [Int32](repeating: 0, count: caches.count)
    for _ in 0..<count {
      do {
        try self.pass.run(zip(next, caches).map { SequenceStep(tokens: [$0], cache: $1) })
      } catch {
        throw EngineError(error)
      }
      for row in next.indices { next[row] = self.pass.withLogits(row: row, Self.highest) }
    }
  }

  /// Ids spread over the vocabulary, different for each sequence.
  private func benchPrompt(count: Int, offset: Int) -> [Int32] {
    (0..<count).map { Int32(($0 * 7919 + offset * 104_729 + 13) % self.model.vocabulary.size) }
  }

  private static func highest(_ logits: Span<Float>) -> Int32 {
    var best = 0
    for index in logits.indices where logits[index] > logits[best] { best = index }
    return Int32(best)
  }

  private static func peakResidentBytes() -> Int {
    var usage = rusage()
    // Fails for wrong arguments only; Linux counts in KiB.
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}
