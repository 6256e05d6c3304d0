import Completions
import EngineFixtures
import InferenceEngine
import Testing

/// Guessing ahead changes how many steps it takes and nothing else.
struct LookaheadTests {
  static func engine(looksAhead: Bool, sequences: Int = 4) throws -> EmbeddedEngine {
    try EmbeddedEngine(
      path: TinyEngine.path.get(), options: EngineOptions(maximumSequences: sequences, prefillChunk: 32, looksAhead: looksAhead))
  }

  /// A prompt that repeats itself, and an answer of few different tokens, which must do so too.
  static func request(_ salt: Int, temperature: Float, maximum: Int = 60) -> CompletionRequest {
    let phrase = (0..<7).map { Int32(5 + ($0 * 11 + salt * 3) % 280) }
    return CompletionRequest(
      prompt: .tokens([1] + phrase + phrase + phrase.prefix(4)),
      sampling: SamplingParameters(
        temperature: temperature, repetitionPenalty: salt % 3 == 0 ? 1.01 : 1,
        logitBias: [Int32(20 + salt): 30, Int32(60 + salt): 30, Int32(100 + salt): 30], seed: UInt64(salt)),
      maximumCompletionTokens: maximum, stop: salt % 4 == 1 ? ["q"] : [], logprobs: salt.isMultiple(of: 2) ? 2 : nil)
  }

  @Test("the same tokens, log-probabilities and ends, greedy and drawn", arguments: [0, 0.3, 1] as [Float])
  func same(temperature: Float) async throws {
    let plain = try Self.engine(looksAhead: false)
    let ahead = try Self.engine(looksAhead: true)
    for salt in 0..<12 {
      let request = Self.request(salt, temperature: temperature)
      let wanted = try await plain.collect(request)
      #expect(try await ahead.collect(request) == wanted, "request \(salt)")
    }
    #expect(try await TinyEngine.wait(plain) { $0.finished == 12 })
    #expect(try await TinyEngine.wait(ahead) { $0.finished == 12 })
    let (slow, fast) = (plain.statistics, ahead.statistics)
    #expect(slow.guessedTokens == 0 && fast.guessedTokens > 0 && fast.completionTokens == slow.completionTokens)
    #expect(fast.rightGuesses > 20 && fast.decodeSteps + fast.rightGuesses == slow.decodeSteps, "\(fast)")
  }

  @Test("a grant ends at the exact token in the midst of right guesses", arguments: 0...20)
  func grants(granted: Int) async throws {
    let engine = try Self.engine(looksAhead: true)
    let request = Self.request(2, temperature: 0)
    let whole = try await engine.collect(request)
    let prompt = try await engine.prepare(request)
    let cut = try await Collected.all(engine.start(prompt, allowance: TokenAllowance(tokens: granted)))
    #expect(cut.tokens == granted && cut.end?.reason == .allowance)
    #expect(cut.end?.usage.completion == granted)
    #expect(cut.deltas.prefix(granted) == whole.deltas.prefix(granted))
  }
}
