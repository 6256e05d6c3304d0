import EngineFixtures
import InferenceEngine
import LlamaModel
import Testing

/// Starting an engine, and the operations that need none.
struct LoadTests {
  @Test("options out of bounds are named")
  func options() throws {
    let path = try TinyEngine.path.get()
    let wrong: [(String, (inout EngineOptions) -> Void)] = [
      ("threads", { $0.threads = 0 }), ("threads", { $0.threads = 1025 }), ("maximumSequences", { $0.maximumSequences = 0 }),
      ("maximumSequences", { $0.maximumSequences = 4097 }), ("queueLimit", { $0.queueLimit = -1 }),
      ("prefillChunk", { $0.prefillChunk = 0 }), ("contextLimit", { $0.contextLimit = 1 }),
      ("contextLimit", { $0.contextLimit = 129 }),
    ]
    for (name, change) in wrong {
      var options = EngineOptions()
      change(&options)
      let error = #expect(throws: EngineError.self) { try EmbeddedEngine(path: path, options: options) }
      #expect(error?.code == .invalidOption && error?.message.contains(name) == true)
      #expect(throws: EngineError.self) { try ModelSession(path: path, options: options) }
    }
  }

  @Test("files that are none, or no model")
  func files() throws {
    for path in ["/nonexistent/model.gguf", "/", "/dev/null", ""] {
      let error = #expect(throws: EngineError.self) { try EmbeddedEngine(path: path) }
      #expect(error?.code == .invalidModel)
    }
    var tiny = TinyLlama()
    tiny.writer.set("general.architecture", .string("gpt2"))
    let error = #expect(throws: EngineError.self) { try EmbeddedEngine(path: tiny.write()) }
    #expect(error?.code == .invalidModel && error?.message.contains("general.architecture") == true)
  }

  @Test("what the model says of itself")
  func description() throws {
    let engine = try TinyEngine.make()
    #expect(engine.model.name == "tiny" && engine.model.license == "apache-2.0" && engine.contextLength == 128)
  }

  @Test("logits of every position, the same by any chunk")
  func logits() throws {
    let path = try TinyEngine.path.get()
    let tokens: [Int32] = [1] + (0..<99).map { Int32(3 + $0 * 7 % 280) }
    let reference = try ModelSession(path: path, options: EngineOptions(maximumSequences: 1, prefillChunk: 1)).logits(tokens)
    #expect(reference.count == 100 && reference.allSatisfy { $0.count == TinyLlama.vocabularySize })
    for chunk in [7, 64, 128] {
      let session = try ModelSession(path: path, options: EngineOptions(threads: 2, prefillChunk: chunk))
      let worst = zip(try session.logits(tokens), reference).reduce(Float(0)) { worst, rows in
        zip(rows.0, rows.1).reduce(worst) { max($0, abs($1.0 - $1.1)) }
      }
      #expect(worst < 1e-4)
    }
  }

  @Test("token lists that cannot be run", arguments: [[], [-1], [100_000], [Int32](repeating: 1, count: 129)])
  func tokens(tokens: [Int32]) throws {
    let session = try ModelSession(path: TinyEngine.path.get())
    let error = #expect(throws: EngineError.self) { try session.logits(tokens) }
    #expect(error?.code == .invalidTokens)
  }

  @Test("text to tokens and back")
  func tokenize() throws {
    let session = try ModelSession(path: TinyEngine.path.get())
    let tokens = session.tokenize("the inner thing é\n")
    #expect(tokens.first == 1)
    #expect(session.detokenize(tokens) == " the inner thing é\n")
  }

  @Test("a measurement is positive, its limits are kept")
  func bench() throws {
    let session = try ModelSession(path: TinyEngine.path.get())
    let result = try session.bench(promptTokens: 100, generateTokens: 20, parallel: 3)
    #expect(result.prefillTokensPerSecond > 0 && result.decodeTokensPerSecond > 0 && result.peakResidentBytes > 1 << 20)
    #expect(result.loading.openSeconds > 0 && result.loading.packSeconds > 0)
    for (prompt, generate, parallel) in [(0, 1, 1), (1, 0, 1), (100, 29, 1), (.max, 1, 1), (1, 1, 0), (1, 1, 1000)] {
      let error = #expect(throws: EngineError.self) {
        try session.bench(promptTokens: prompt, generateTokens: generate, parallel: parallel)
      }
      #expect(error?.code == .invalidOption)
    }
  }

  @Test("a model whose numbers are none fails the request, not the engine")
  func poisoned() async throws {
    var tiny = TinyLlama()
    tiny.replace("output_norm.weight") { tensor in
      tensor.bytes = WeightFormat.f32.encode([Float](repeating: .nan, count: 64)).bytes
    }
    let engine = try EmbeddedEngine(path: tiny.write())
    for _ in 0..<3 {
      await #expect(throws: (any Error).self) { try await engine.collect(TinyEngine.request(5)) }
    }
    #expect(try await TinyEngine.wait(engine) { $0.finished == 3 && $0.running == 0 })
  }
}
