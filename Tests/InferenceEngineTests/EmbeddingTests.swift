import Completions
import EngineFixtures
import InferenceEngine
import LlamaModel
import Testing

/// Embeddings beside completions on one engine.
struct EmbeddingTests {
  @Test("the engine's vectors are the session's, whatever else it does", arguments: EmbeddingPooling.allCases)
  func together(pooling: EmbeddingPooling) async throws {
    let engine = try TinyEngine.make(threads: 2, chunk: 16)
    let session = try ModelSession(path: TinyEngine.path.get(), options: EngineOptions(maximumSequences: 1, prefillChunk: 16))
    let inputs: [EmbeddingInput] = [
      .text("the inn"), .tokens([1] + (0..<50).map { Int32(3 + $0 * 7 % 280) }), .text("a\u{E9}b the the"), .tokens([7]),
    ]
    async let other = engine.collect(TinyEngine.request(20, maximum: 30))
    var prepared: [PreparedEmbedding] = []
    for input in inputs { prepared.append(try await engine.prepare(input)) }
    let vectors = try await engine.embed(prepared, pooling: pooling)
    #expect(vectors.count == 4 && vectors.allSatisfy { $0.count == engine.embeddingLength })
    for (input, vector) in zip(prepared, vectors) {
      #expect(vector == (try session.embedding(input.tokens, pooling: pooling == .mean ? .mean : .last)))
    }
    #expect(try await other.end != nil)
    #expect(try await engine.embed([], pooling: pooling).isEmpty)
  }

  @Test("what cannot be embedded is refused")
  func refusals() async throws {
    let engine = try TinyEngine.make()
    await #expect(throws: CompletionError.self) { _ = try await engine.prepare(.tokens([])) }
    await #expect(throws: CompletionError.self) { _ = try await engine.prepare(.tokens([1, 100_000])) }
    await #expect(throws: CompletionError.self) { _ = try await engine.prepare(.tokens([Int32](repeating: 5, count: 129))) }
    await #expect(throws: CompletionError.self) { _ = try await engine.prepare(.text(String(repeating: "x", count: 1 << 20))) }
    let forged = PreparedEmbedding(input: .tokens([-1]), tokens: [-1], tokenCount: 1, isExact: true)
    await #expect(throws: CompletionError.self) { _ = try await engine.embed([forged], pooling: .mean) }
    let sound = try await engine.prepare(.tokens([1, 2, 3]))
    engine.shutdown()
    await #expect(throws: CompletionError.self) { _ = try await engine.embed([sound], pooling: .mean) }
  }
}
