import Completions
import EngineFixtures
import InferenceEngine
import Testing

/// The whole engine against the reference continuations.
@Suite(.enabled(if: SharedData.hasOracle, "reference data in shared/data/oracle is absent"))
struct OracleEngineTests {
  @Test("greedy text of all cases at once", arguments: ["f32", "f16"], [1, 2])
  func greedy(type: String, threads: Int) async throws {
    let engine = try EmbeddedEngine(
      path: SharedData.oraclePath("model-\(type).gguf"), options: EngineOptions(threads: threads, maximumSequences: 3))
    let session = try ModelSession(path: SharedData.oraclePath("model-\(type).gguf"))
    for example in try OracleReference.load().cases {
      let collected = try await engine.collect(
        CompletionRequest(
          prompt: .tokens(example.prompt), sampling: SamplingParameters(temperature: 0),
          maximumCompletionTokens: example.greedy.count))
      #expect(collected.tokens == example.greedy.count)
      #expect(collected.end?.reason == .length)
      #expect(collected.text == session.detokenize(example.greedy))
    }
  }
}
