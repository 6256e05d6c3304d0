import Completions
import EngineFixtures
import InferenceEngine
import Tensors
import Testing

/// Prompts that begin alike are computed once, and nobody can see it in the text.
struct SharingTests {
  static func request(
    _ length: Int, beginning: Int = 64, salt: Int, scope: String? = "a", maximum: Int = 12, temperature: Float = 0.9
  ) -> CompletionRequest {
    let common = (0..<min(beginning, length)).map { Int32(3 + ($0 * 13 + 5) % 290) }
    let own = (0..<max(0, length - beginning)).map { Int32(3 + ($0 * 31 + salt * 57) % 290) }
    return CompletionRequest(
      prompt: .tokens(common + own), sampling: SamplingParameters(temperature: temperature, seed: UInt64(salt)),
      maximumCompletionTokens: maximum, cacheScope: scope)
  }

  static func cached(_ collected: Collected) -> Int { collected.end?.usage.promptCached ?? -1 }

  static func text(_ collected: Collected) -> [String] { collected.deltas }

  @Test("a second prompt takes over whole blocks and the part of a block that it shares; the text is that of a fresh engine")
  func reuse() async throws {
    let engine = try TinyEngine.make()
    for (length, beginning, wanted) in [(90, 64, 0), (90, 64, 64), (80, 70, 64), (80, 70, 70), (64, 64, 63), (33, 33, 32)] {
      let request = Self.request(length, beginning: beginning, salt: length + wanted)
      let fresh = try await TinyEngine.make().collect(request)
      let shared = try await engine.collect(request)
      #expect(Self.text(shared) == Self.text(fresh))
      #expect(Self.cached(shared) == wanted && Self.cached(fresh) == 0, "\(length), \(beginning)")
      let usage = try #require(shared.end?.usage)
      #expect(usage.promptCached + usage.promptUncached == length && usage.completion == fresh.end?.usage.completion)
      #expect(shared.prompt?.promptCached == wanted)
    }
  }

  @Test("a conversation that goes on computes only what is new")
  func conversation() async throws {
    let engine = try TinyEngine.make()
    var tokens: [Int32] = [1] + (0..<30).map { Int32(3 + $0 * 7 % 280) }
    var known = 0
    for turn in 0..<4 {
      let request = CompletionRequest(
        prompt: .tokens(tokens), sampling: SamplingParameters(temperature: 0), maximumCompletionTokens: 9, logprobs: 0,
        cacheScope: "talk")
      let answer = try await engine.collect(request)
      #expect(Self.cached(answer) == known, "turn \(turn)")
      let fresh = try await TinyEngine.make().collect(request)
      #expect(answer.text == fresh.text && answer.logprobs == fresh.logprobs)
      // All but the answer's last token has been computed; the new tokens of the user follow it.
      known = tokens.count
      tokens += (0..<10).map { Int32(40 + $0 + 11 * turn) }
    }
  }

  @Test("nothing passes from scope to scope, nor without one, nor where sharing is off")
  func scopes() async throws {
    let engine = try TinyEngine.make()
    _ = try await engine.collect(Self.request(90, salt: 1, scope: "a"))
    for scope in ["b", nil, nil] {
      #expect(Self.cached(try await engine.collect(Self.request(90, salt: 2, scope: scope))) == 0)
    }
    #expect(Self.cached(try await engine.collect(Self.request(90, salt: 3, scope: "a"))) == 64)
    let off = try EmbeddedEngine(path: TinyEngine.path.get(), options: EngineOptions(sharesPrefixes: false))
    for salt in 0..<2 { #expect(Self.cached(try await off.collect(Self.request(90, salt: salt))) == 0) }
  }

  @Test("requests that come at once compute what they have in common once")
  func together() async throws {
    let engine = try TinyEngine.make(threads: 2, sequences: 8, chunk: 64)
    let requests = (0..<8).map { Self.request(100, salt: $0) }
    let all = try await withThrowingTaskGroup(of: (Int, Collected).self) { group in
      for (index, request) in requests.enumerated() { group.addTask { (index, try await engine.collect(request)) } }
      return try await group.reduce(into: [Int: Collected]()) { $0[$1.0] = $1.1 }
    }
    for (index, request) in requests.enumerated() {
      let fresh = try await TinyEngine.make().collect(request)
      #expect(all[index].map(Self.text) == Self.text(fresh), "request \(index)")
    }
    let statistics = engine.statistics
    #expect(statistics.promptTokens + statistics.cachedPromptTokens == 800)
    #expect(statistics.promptTokens == 64 + 8 * 36)
  }

  @Test("prompts kept for later give way when memory is short, those unused for longest first")
  func eviction() async throws {
    // Room for one sequence of the whole context: four blocks.
    let path = try TinyEngine.path.get()
    let block = 32 * 2 * 2 * 2 * 16 * 2
    let engine = try EmbeddedEngine(path: path, options: EngineOptions(maximumSequences: 2, kvMemory: 4 * block))
    let scopes = ["a", "b", "c", "a", "c"]
    let wanted = [0, 0, 0, 0, 32]
    for (scope, cached) in zip(scopes, wanted) {
      let answer = try await engine.collect(Self.request(40, beginning: 32, salt: 7, scope: scope, maximum: 4))
      #expect(Self.cached(answer) >= cached && (cached > 0 || Self.cached(answer) == 0), "\(scope)")
      #expect(try await TinyEngine.wait(engine) { $0.running == 0 })
      #expect(engine.statistics.cacheBytesUsed == 0 && engine.statistics.cacheBytesKept <= 4 * block)
    }
    #expect(throws: EngineError.self) {
      try EmbeddedEngine(path: path, options: EngineOptions(maximumSequences: 2, kvMemory: 4 * block - 1))
    }
  }

  @Test("the same text from every kind of keys and values, alone and after a shared beginning", arguments: KVType.allCases)
  func kinds(kind: KVType) async throws {
    var options = EngineOptions(maximumSequences: 3, prefillChunk: 24)
    options.kvType = kind
    let engine = try EmbeddedEngine(path: TinyEngine.path.get(), options: options)
    for salt in 0..<3 {
      let request = Self.request(70, salt: salt)
      let fresh = try await EmbeddedEngine(path: TinyEngine.path.get(), options: options).collect(request)
      #expect(Self.text(try await engine.collect(request)) == Self.text(fresh))
    }
  }
}
