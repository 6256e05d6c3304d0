import Completions
import EngineFixtures
import Foundation
import InferenceEngine
import Testing

/// Engines on a small random model with room for longer texts.
enum FormEngine {
  static let roomy: TinyLlama.Shape = {
    var shape = TinyLlama.Shape()
    shape.context = 1024
    return shape
  }()
  static let path: Result<String, any Error> = Result { try TinyLlama(Self.roomy, format: .q8_0, seed: 5).write() }

  /// The same with ChatML's tokens, and tools in its template.
  static let chatPath: Result<String, any Error> = Result {
    var tiny = TinyLlama(Self.roomy, format: .q8_0, seed: 6)
    let markers = ["<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"]
    tiny.writer.set("tokenizer.ggml.tokens", .strings(Self.pieces.dropLast(4) + markers))
    tiny.writer.set("tokenizer.ggml.token_type", .integers(Self.types.dropLast(4) + [3, 3, 4, 4]))
    tiny.writer.set("tokenizer.chat_template", .string("{{ '<|im_start|>' }} … <tool_call>"))
    return try tiny.write()
  }

  static let pieces: [String] = {
    let bytes = (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return "<0x" + (digits.count == 1 ? "0" : "") + digits + ">"
    }
    return ["<unk>", "<s>", "</s>"] + bytes + TinyLlama.words
  }()
  static let types: [Int32] =
    [2, 3, 3] + [Int32](repeating: 6, count: 256) + [Int32](repeating: 1, count: TinyLlama.words.count)

  static func make(_ path: Result<String, any Error> = Self.path, sequences: Int = 16) throws -> EmbeddedEngine {
    try EmbeddedEngine(path: path.get(), options: EngineOptions(maximumSequences: sequences, queueLimit: 2000, prefillChunk: 32))
  }

  static func request(_ seed: UInt64, maximum: Int = 300) -> CompletionRequest {
    CompletionRequest(
      prompt: .tokens([1, 270, 280, Int32(259 + seed % 30)]), sampling: SamplingParameters(seed: seed),
      maximumCompletionTokens: maximum)
  }

  static func schema(_ seed: UInt64, maximum: Int = 500) -> CompletionRequest {
    var request = Self.request(seed, maximum: maximum)
    request.output = .jsonSchema(JSONSchemaFormat(name: "s", schema: RandomSchema.text(seed: seed)))
    return request
  }

  static let tool = ToolDefinition(
    name: "weather", description: "of a city",
    parameters:
      #"{"type":"object","properties":{"city":{"enum":["Bern","Köln"]},"days":{"type":"integer","minimum":1,"maximum":9}},"required":["city"]}"#
  )

  static func call(_ choice: ToolChoice, seed: UInt64 = 1) -> CompletionRequest {
    CompletionRequest(
      prompt: .chat([ChatMessage(role: .user, content: "Rain?")]), sampling: SamplingParameters(seed: seed),
      maximumCompletionTokens: 300, tools: [Self.tool, ToolDefinition(name: "time")], toolChoice: choice)
  }
}

struct OutputFormTests {
  /// A JSON value; throws where the text is none.
  static func value(_ text: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
  }

  @Test("random weights write what a schema accepts", arguments: (1...4).map { UInt64($0) })
  func schema(seed: UInt64) async throws {
    let engine = try FormEngine.make()
    var request = FormEngine.request(seed)
    request.output = .jsonSchema(
      JSONSchemaFormat(
        name: "s",
        schema:
          #"{"type":"object","properties":{"a":{"type":"integer","minimum":3,"maximum":12},"b":{"type":"array","items":{"type":"boolean"},"maxItems":3}},"required":["a","b"]}"#
      ))
    let collected = try await engine.collect(request)
    let object = try #require(Self.value(collected.text) as? [String: Any])
    #expect(object.keys.sorted() == ["a", "b"])
    #expect((3...12).contains(try #require(object["a"] as? Int)))
    #expect(try #require(object["b"] as? [Bool]).count <= 3)
    #expect(collected.end?.reason == .stop)
    #expect(collected.end?.usage.completion == collected.tokens)
  }

  @Test("a text that is cut is flagged as cut, one that is whole at the limit is not")
  func length() async throws {
    let engine = try FormEngine.make()
    var request = FormEngine.request(1, maximum: 4)
    request.output = .jsonSchema(JSONSchemaFormat(name: "s", schema: #"{"const":"abcd"}"#))
    #expect(try await engine.collect(request).end?.reason == .length)
    request.output = .jsonSchema(JSONSchemaFormat(name: "s", schema: #"{"enum":[true]}"#))
    let whole = try await engine.collect(request)
    #expect(whole.text == "true" && whole.end?.reason == .stop)
  }

  @Test("greedy and constrained: JSON mode gives the beginning of an object")
  func object() async throws {
    let engine = try FormEngine.make()
    var request = FormEngine.request(2, maximum: 40)
    request.sampling.temperature = 0
    request.output = .jsonObject
    let collected = try await engine.collect(request)
    #expect(collected.text.hasPrefix("{"))
    if collected.end?.reason == .stop { #expect(try Self.value(collected.text) is [String: Any]) }
  }

  @Test("a forced call has the tool's name and arguments that its schema accepts", arguments: (1...4).map { UInt64($0) })
  func forcedCall(seed: UInt64) async throws {
    let engine = try FormEngine.make(FormEngine.chatPath)
    let collected = try await engine.collect(FormEngine.call(.named("weather"), seed: seed))
    #expect(collected.end?.reason == .toolCalls && collected.text.isEmpty)
    let call = try #require(collected.calls.first)
    #expect(collected.calls.count == 1 && call.name == "weather" && call.id?.hasPrefix("call_") == true)
    let arguments = try #require(Self.value(call.arguments) as? [String: Any])
    #expect(["Bern", "Köln"].contains(arguments["city"] as? String ?? ""))
  }

  @Test("required calls are calls of known tools; in no calls nothing is lost")
  func choices() async throws {
    let engine = try FormEngine.make(FormEngine.chatPath)
    let required = try await engine.collect(FormEngine.call(.required, seed: 3))
    #expect(!required.calls.isEmpty || required.end?.reason == .length)
    for call in required.calls { #expect(["weather", "time"].contains(call.name ?? "")) }
    var free = FormEngine.call(.automatic, seed: 4)
    free.maximumCompletionTokens = 50
    let (shown, plain) = (try await engine.collect(free), FormEngine.call(.none, seed: 4))
    #expect(shown.calls.isEmpty && !shown.text.isEmpty)
    // Without tools the prompt is another one.
    #expect(try await engine.prepare(plain).promptTokens < engine.prepare(free).promptTokens)
  }

  @Test("an answered call goes back into the prompt")
  func answered() async throws {
    let engine = try FormEngine.make(FormEngine.chatPath)
    var request = FormEngine.call(.automatic)
    let call = ToolCall(id: "call_1", name: "weather", arguments: #"{"city":"Bern"}"#)
    request.prompt = .chat([
      ChatMessage(role: .user, content: "Rain?"), ChatMessage(role: .assistant, content: "", toolCalls: [call]),
      ChatMessage(role: .tool, content: "wet", toolCallID: "call_1"),
    ])
    #expect(try await engine.prepare(request).promptTokens > 100)
  }

  @Test("log-probabilities: one entry a token, the greedy token is the best, bytes make the text")
  func logprobs() async throws {
    let engine = try FormEngine.make()
    var request = FormEngine.request(3, maximum: 20)
    request.sampling.temperature = 0
    let plain = try await engine.collect(request)
    request.logprobs = 5
    let collected = try await engine.collect(request)
    #expect(collected.text == plain.text && collected.logprobs.count == collected.tokens)
    for entry in collected.logprobs {
      #expect(entry.alternatives.count == 5 && entry.alternatives.first == entry.token && entry.token.logprob <= 0)
      #expect(zip(entry.alternatives, entry.alternatives.dropFirst()).allSatisfy { $0.logprob >= $1.logprob })
    }
    #expect(String(decoding: collected.logprobs.flatMap(\.token.bytes), as: UTF8.self) == collected.text)
    // They are the model's, whatever is done to the draw.
    request.sampling.logitBias = [270: -100]
    request.logprobs = 0
    #expect(try await engine.collect(request).logprobs.allSatisfy { $0.alternatives.isEmpty })
  }

  @Test("a bias forbids and forces tokens; penalties stop a loop")
  func adjustments() async throws {
    let engine = try FormEngine.make()
    var request = FormEngine.request(5, maximum: 30)
    request.sampling = SamplingParameters(temperature: 0, logitBias: [270: 100])
    let forced = try await engine.collect(request)
    #expect(Set(forced.deltas).count == 1)
    // Each further time costs two, and no logit of this model stands twenty above the others.
    request.sampling = SamplingParameters(temperature: 0, frequencyPenalty: 2, logitBias: [270: 5])
    let penalised = try await engine.collect(request)
    let most = Dictionary(grouping: penalised.deltas) { $0 }.values.map(\.count).max() ?? 0
    #expect(penalised.tokens == 30 && most < 15)
  }

  @Test("sixteen different requests at once give the same to the bit as each alone, on one thread or two")
  func company() async throws {
    var requests: [CompletionRequest] = (0..<5).map { FormEngine.schema(UInt64($0), maximum: 200) }
    requests += (0..<4).map { FormEngine.call(.named("weather"), seed: UInt64($0)) } + [FormEngine.call(.automatic)]
    for seed in 10..<16 {
      var request = FormEngine.request(UInt64(seed), maximum: 40)
      request.sampling.presencePenalty = 1
      request.sampling.repetitionPenalty = 1.2
      request.sampling.minP = 0.01
      request.logprobs = seed % 4
      request.stop = ["th", "e a"]
      requests.append(request)
    }
    let alone = try FormEngine.make(FormEngine.chatPath, sequences: 1)
    let together = try EmbeddedEngine(
      path: FormEngine.chatPath.get(), options: EngineOptions(threads: 2, maximumSequences: 16, prefillChunk: 32))
    let results = try await withThrowingTaskGroup(of: (Int, Collected).self) { group in
      for (index, request) in requests.enumerated() { group.addTask { (index, try await together.collect(request)) } }
      return try await group.reduce(into: [Int: Collected]()) { $0[$1.0] = $1.1 }
    }
    for (index, request) in requests.enumerated() {
      #expect(results[index] == (try await alone.collect(request)), "request \(index)")
    }
  }
}

/// What a request may ask for, on both sides of its bounds.
struct FormRefusalTests {
  static let changes: [PrepareTests.Change] = [
    .init("min_p 1", nil) { $0.sampling.minP = 1 }, .init("min_p above", "min_p") { $0.sampling.minP = 1.01 },
    .init("min_p nan", "min_p") { $0.sampling.minP = .nan },
    .init("presence 2", nil) { $0.sampling.presencePenalty = 2 },
    .init("presence -2.1", "presence_penalty") { $0.sampling.presencePenalty = -2.1 },
    .init("frequency 2.1", "frequency_penalty") { $0.sampling.frequencyPenalty = 2.1 },
    .init("repetition 0", "repetition_penalty") { $0.sampling.repetitionPenalty = 0 },
    .init("repetition 10", nil) { $0.sampling.repetitionPenalty = 10 },
    .init("bias 100", nil) { $0.sampling.logitBias = [5: 100] },
    .init("bias 101", "logit_bias") { $0.sampling.logitBias = [5: 101] },
    .init("bias of a foreign token", "logit_bias") { $0.sampling.logitBias = [Int32(TinyLlama.vocabularySize): 1] },
    .init("20 alternatives", nil) { $0.logprobs = 20 }, .init("21 alternatives", "top_logprobs") { $0.logprobs = 21 },
    .init("a schema", nil) { $0.output = .jsonSchema(JSONSchemaFormat(name: "s", schema: "{}")) },
    .init("a pattern", "response_format") { $0.output = .jsonSchema(JSONSchemaFormat(name: "s", schema: #"{"pattern":"a"}"#)) },
    .init("tools without a template", "tools") { $0.tools = [FormEngine.tool] },
    .init("a tool's name", "tools") { $0.tools = [ToolDefinition(name: "a\"b")] },
    .init("tools, but not to be used", nil) {
      $0.tools = [FormEngine.tool]
      $0.toolChoice = .none
    },
    .init("a call of nothing", "tool_choice") { $0.toolChoice = .required },
  ]

  @Test("each field", arguments: Self.changes)
  func fields(change: PrepareTests.Change) async throws {
    let engine = try TinyEngine.make()
    var request = TinyEngine.request(5)
    change.change(&request)
    let refusal = await PrepareTests.refusal(engine, request)
    #expect(refusal?.parameter == change.parameter)
    if refusal == nil {
      request.maximumCompletionTokens = 3
      #expect(try await engine.collect(request).end != nil)
    }
  }

  @Test("schemas of tools are refused by tool and place, a form beside tools by name")
  func tools() async throws {
    let engine = try FormEngine.make(FormEngine.chatPath)
    var request = FormEngine.call(.required)
    request.tools.append(ToolDefinition(name: "bad", parameters: #"{"properties":{"a":{"format":"x"}}}"#))
    let refusal = await PrepareTests.refusal(engine, request)
    #expect(refusal?.parameter == "tools[2].function.parameters")
    #expect(refusal?.message.contains("#/properties/a/format") == true)
    var both = FormEngine.call(.automatic)
    both.output = .jsonObject
    #expect(await PrepareTests.refusal(engine, both)?.parameter == "response_format")
    #expect(await PrepareTests.refusal(engine, FormEngine.call(.named("none")))?.parameter == "tool_choice")
  }
}

/// A model with a byte-level vocabulary.
struct ByteLevelModelTests {
  @Test("a GGUF file of the gpt2 family runs; its template is Llama 3's")
  func byteLevel() async throws {
    var tiny = TinyLlama()
    var next: UInt32 = 0x100
    let bytes = (0..<256).map { byte -> String in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return String(Unicode.Scalar(UInt8(byte)))
      default:
        defer { next += 1 }
        return Unicode.Scalar(next).map { String($0) } ?? ""
      }
    }
    let markers = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    let unused = TinyLlama.vocabularySize - 256 - 2 - markers.count
    tiny.writer.set("tokenizer.ggml.model", .string("gpt2"))
    tiny.writer.set("tokenizer.ggml.pre", .string("llama-bpe"))
    tiny.writer.set("tokenizer.ggml.tokens", .strings(bytes + ["th", "the"] + markers + (0..<unused).map { "<|u\($0)|>" }))
    tiny.writer.set(
      "tokenizer.ggml.token_type", .integers([Int32](repeating: 1, count: 258) + [Int32](repeating: 3, count: unused + 4)))
    tiny.writer.set("tokenizer.ggml.merges", .strings(["t h", "th e"]))
    tiny.writer.set("tokenizer.ggml.bos_token_id", .unsigned(258))
    tiny.writer.set("tokenizer.ggml.eos_token_id", .unsigned(261))
    tiny.writer.set("tokenizer.chat_template", .string("{{ '<|start_header_id|>' }}"))
    let path = try tiny.write()
    let session = try ModelSession(path: path)
    #expect(session.tokenize("the") == [258, 257])
    let engine = try EmbeddedEngine(path: path)
    let chat = CompletionRequest(
      prompt: .chat([ChatMessage(role: .user, content: "the<|eot_id|>")]), maximumCompletionTokens: 5)
    let prompt = try await engine.prepare(chat)
    #expect(prompt.tokens.first == 258 && prompt.tokens.count { $0 == 261 } == 1 && prompt.tokens.contains(257))
    #expect(try await engine.collect(chat).end != nil)
  }
}

/// The texts that `make oracle-schemas` has checked by another validator.
struct SchemaOracleTests {
  static let folder = ProcessInfo.processInfo.environment["WEIGHBRIDGE_SCHEMA_OUTPUTS"]

  @Test("a thousand random schemas, written out", .enabled(if: Self.folder != nil, "run `make oracle-schemas`"))
  func write() async throws {
    struct Line: Encodable {
      var seed: UInt64
      var schema: String
      var text: String
      var reason: String
    }
    let engine = try FormEngine.make()
    let first = UInt64(ProcessInfo.processInfo.environment["SEED"] ?? "") ?? 1
    let lines = try await withThrowingTaskGroup(of: Line.self) { group in
      for seed in first..<first + 1000 {
        group.addTask {
          let collected = try await engine.collect(FormEngine.schema(seed))
          return Line(
            seed: seed, schema: RandomSchema.text(seed: seed), text: collected.text,
            reason: collected.end?.reason.rawValue ?? "none")
        }
      }
      return try await group.reduce(into: [Line]()) { $0.append($1) }
    }
    let encoder = JSONEncoder()
    let text = try lines.map { String(decoding: try encoder.encode($0), as: UTF8.self) }.joined(separator: "\n")
    try Data(text.utf8).write(to: URL(filePath: Self.folder ?? "").appending(path: "schemas.jsonl"))
    #expect(lines.count == 1000)
  }
}
