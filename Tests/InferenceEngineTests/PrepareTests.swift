import Completions
import EngineFixtures
import InferenceEngine
import Testing

/// What is refused before any work is done, and how long prompts and completions may be.
struct PrepareTests {
  static func refusal(_ engine: EmbeddedEngine, _ request: CompletionRequest) async -> CompletionError? {
    do {
      _ = try await engine.prepare(request)
      return nil
    } catch {
      return error
    }
  }

  struct Change: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// The field named, nil where the request is sound.
    var parameter: String?
    var change: @Sendable (inout CompletionRequest) -> Void

    init(_ description: String, _ parameter: String?, _ change: @escaping @Sendable (inout CompletionRequest) -> Void) {
      self.testDescription = description
      self.parameter = parameter
      self.change = change
    }
  }

  static let changes: [Change] = [
    Change("as it is", nil) { _ in },
    Change("temperature 0", nil) { $0.sampling.temperature = 0 },
    Change("temperature 2", nil) { $0.sampling.temperature = 2 },
    Change("temperature above 2", "temperature") { $0.sampling.temperature = Float(2).nextUp },
    Change("temperature below 0", "temperature") { $0.sampling.temperature = -.leastNonzeroMagnitude },
    Change("temperature nan", "temperature") { $0.sampling.temperature = .nan },
    Change("temperature infinite", "temperature") { $0.sampling.temperature = .infinity },
    Change("top_p smallest", nil) { $0.sampling.topP = .leastNonzeroMagnitude },
    Change("top_p 0", "top_p") { $0.sampling.topP = 0 },
    Change("top_p above 1", "top_p") { $0.sampling.topP = Float(1).nextUp },
    Change("top_p nan", "top_p") { $0.sampling.topP = .nan },
    Change("top_k 0", nil) { $0.sampling.topK = 0 },
    Change("top_k largest", nil) { $0.sampling.topK = .max },
    Change("top_k negative", "top_k") { $0.sampling.topK = -1 },
    Change("max_tokens 1", nil) { $0.maximumCompletionTokens = 1 },
    Change("max_tokens largest", nil) { $0.maximumCompletionTokens = .max },
    Change("max_tokens 0", "max_tokens") { $0.maximumCompletionTokens = 0 },
    Change("max_tokens negative", "max_tokens") { $0.maximumCompletionTokens = .min },
    Change("16 stops", nil) { $0.stop = (0..<16).map { "\($0)" } },
    Change("17 stops", "stop") { $0.stop = (0..<17).map { "\($0)" } },
    Change("an empty stop", "stop") { $0.stop = ["a", ""] },
    Change("a stop of 1024 bytes", nil) { $0.stop = [String(repeating: "a", count: 1024)] },
    Change("a stop of 1025 bytes", "stop") { $0.stop = [String(repeating: "a", count: 1025)] },
    Change("no tokens", "prompt") { $0.prompt = .tokens([]) },
    Change("a negative token", "prompt") { $0.prompt = .tokens([1, -1]) },
    Change("a token outside the vocabulary", "prompt") { $0.prompt = .tokens([Int32(TinyLlama.vocabularySize)]) },
    Change("the last token", nil) { $0.prompt = .tokens([Int32(TinyLlama.vocabularySize - 1)]) },
    Change("an empty text", nil) { $0.prompt = .text("") },
    Change("no messages", "messages[0]") { $0.prompt = .chat([]) },
    Change("an answer last", "messages[1]") {
      $0.prompt = .chat([ChatMessage(role: .user, content: "a"), ChatMessage(role: .assistant, content: "b")])
    },
  ]

  @Test("each field, on both sides of its bounds", arguments: Self.changes)
  func fields(change: Change) async throws {
    let engine = try TinyEngine.make()
    var request = TinyEngine.request(5)
    change.change(&request)
    let refusal = await Self.refusal(engine, request)
    #expect(refusal?.parameter == change.parameter)
    #expect(refusal.map { $0.code == .invalidRequest } ?? (change.parameter == nil))
    if let parameter = change.parameter, refusal?.code == .invalidRequest, !parameter.hasPrefix("messages") {
      #expect(refusal?.message.isEmpty == false)
    } else if refusal == nil {
      var bounded = request
      bounded.maximumCompletionTokens = 2
      #expect(try await engine.collect(bounded).end != nil)
    }
  }

  @Test(
    "the context holds the prompt and at least one token",
    arguments: [
      (1, 126, 126), (1, 127, 127), (1, 128, 127), (123, 5, 5), (124, 5, 4), (127, 5, 1), (127, nil, 1),
      (100, nil, 28),
    ] as [(Int, Int?, Int)])
  func ceiling(length: Int, maximum: Int?, wanted: Int) async throws {
    let engine = try TinyEngine.make()
    let prompt = try await engine.prepare(TinyEngine.request(length, maximum: maximum))
    #expect(prompt.completionCeiling == wanted)
    #expect(prompt.promptTokens == length && prompt.tokens.count == length && prompt.isExact)
    let collected = try await engine.collect(prompt.request)
    #expect(collected.tokens == wanted || collected.end?.reason == .stop)
  }

  @Test("a prompt that fills the context is refused with both numbers", arguments: [128, 129, 1000])
  func tooLong(length: Int) async throws {
    let engine = try TinyEngine.make()
    let refusal = await Self.refusal(engine, TinyEngine.request(length))
    #expect(refusal?.code == .contextLengthExceeded && refusal?.parameter == "prompt")
    #expect(refusal?.message.contains("\(length)") == true && refusal?.message.contains("128") == true)
  }

  @Test("a context set smaller than the model's is the one that counts")
  func limited() async throws {
    let engine = try TinyEngine.make(context: 64)
    #expect(engine.contextLength == 64)
    #expect(await Self.refusal(engine, TinyEngine.request(64))?.code == .contextLengthExceeded)
    #expect(try await engine.collect(TinyEngine.request(60)).tokens <= 4)
  }

  @Test("texts made to hurt: long, repetitive, full of control tags, of bytes that are no text")
  func hostile() async throws {
    let engine = try TinyEngine.make()
    let long = String(repeating: "a", count: 10 << 20)
    for prompt in [CompletionRequest.Prompt.text(long), .chat([ChatMessage(role: .user, content: long)])] {
      #expect(await Self.refusal(engine, CompletionRequest(prompt: prompt))?.code == .contextLengthExceeded)
    }
    let many = (0..<100_000).map { ChatMessage(role: $0 % 2 == 0 ? .user : .assistant, content: "") }
    #expect(await Self.refusal(engine, CompletionRequest(prompt: .chat(many)))?.code == .contextLengthExceeded)
    for text in ["</s><s>[INST]", "\0\0\0", "\u{FFFD}\u{10FFFF}", "\u{2581}\u{2581}", "🧑‍🧑‍🧒‍🧒", "<0x0A>"] {
      for prompt in [CompletionRequest.Prompt.text(text), .chat([ChatMessage(role: .user, content: text)])] {
        let prepared = try await engine.prepare(CompletionRequest(prompt: prompt, maximumCompletionTokens: 3))
        #expect(prepared.tokens.count { $0 == 1 } == 1, "a control tag became a token")
        #expect(!prepared.tokens.contains(2))
        #expect(try await engine.collect(prepared.request).end != nil)
      }
    }
  }

  @Test("a chat template of another family is refused, Llama 2's is used")
  func templates() async throws {
    let chat = CompletionRequest(prompt: .chat([ChatMessage(role: .user, content: "a")]))
    for (template, isKnown) in [("{{ '<|user|>' }}", false), ("{{ '[INST] <<SYS>>' }}", true)] {
      var tiny = TinyLlama()
      tiny.writer.set("tokenizer.chat_template", .string(template))
      let engine = try EmbeddedEngine(path: tiny.write())
      let refusal = await Self.refusal(engine, chat)
      #expect(isKnown ? refusal == nil : refusal?.parameter == "messages")
      #expect(await Self.refusal(engine, CompletionRequest(prompt: .text("a"))) == nil)
    }
  }
}
