import Completions
import NIOCore
import RemoteEngines
import Testing
import UpstreamFixtures

@Suite("A model that other servers run", .timeLimit(.minutes(10)))
struct RemoteEngineTests {
  @Test("an answer is handed on, with the server's own count")
  func answer() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in Script.answer(["Hel", "lo", "!"], usage: (11, 4)) }
    let answer = try await fixture.ask()
    #expect(answer.text == "Hello!")
    #expect(answer.end?.reason == .stop)
    #expect(answer.end?.usage == CompletionUsage(promptUncached: 11, completion: 4))
    #expect(answer.end?.countedBy == .provider)
    #expect(answer.end?.attempts.map(\.outcome) == [.completed])
    #expect(answer.tokens == 4, "what is charged was handed on")
  }

  @Test("the request asks for a stream with its usage, under the server's name of the model, with the server's key")
  func request() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in Script.answer(["x"], usage: (1, 1)) }
    _ = await fixture.ask(
      CompletionRequest(
        prompt: .chat([ChatMessage(role: .system, content: "be brief"), ChatMessage(role: .user, content: "hi \"there\"")]),
        sampling: SamplingParameters(temperature: 0, seed: 7), maximumCompletionTokens: 5, stop: ["\n"],
        tools: [ToolDefinition(name: "look", parameters: #"{"type":"object"}"#)], toolChoice: .named("look")))
    let asked = try #require(fixture.servers[0].asked.first)
    #expect(asked.path == "/v1/chat/completions")
    #expect(asked.header("authorization") == "Bearer secret-0")
    #expect(
      asked.body
        == #"{"model":"upstream/model","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hi \"there\""}],"#
        + #""tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}],"#
        + #""tool_choice":{"type":"function","function":{"name":"look"}},"max_tokens":5,"stop":["\n"],"#
        + #""temperature":0.0,"top_p":1.0,"seed":7,"stream":true,"stream_options":{"include_usage":true}}"#)
  }

  @Test("a text and tokens go to the endpoint of plain completions")
  func plain() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in
      [Script.head, .bytes(#"data: {"choices":[{"index":0,"text":"ok","finish_reason":"length"}]}"# + "\n\n"), .end]
    }
    let answer = await fixture.ask(CompletionRequest(prompt: .tokens([1, 2, 3])))
    #expect(answer.text == "ok")
    #expect(answer.end?.reason == .length)
    #expect(answer.end?.usage == CompletionUsage(promptUncached: 3, completion: 1))
    #expect(fixture.servers[0].asked[0].path == "/v1/completions")
    #expect(fixture.servers[0].asked[0].body.contains(#""prompt":[1,2,3]"#))
  }

  @Test("without a count of the server's, chunks are counted and the prompt is estimated")
  func noUsage() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in Script.answer(["a", "b", "c"]) }
    let answer = try await fixture.ask(String(repeating: "word ", count: 40))
    #expect(answer.end?.usage == CompletionUsage(promptUncached: 50, completion: 3))
    #expect(answer.end?.countedBy == .estimate)
  }

  @Test("steps that came together go out as one event, up to as many tokens as may be lost between two marks")
  func together() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in
      let texts = (0..<20).map { Script.text("t\($0) ") }.joined()
      return [Script.head, .bytes(texts + Script.chunk("{}", finish: "stop") + "data: [DONE]\n\n"), .end]
    }
    let answer = try await fixture.ask()
    #expect(answer.pieces == 20 && answer.tokens == 20)
    #expect(answer.text == (0..<20).map { "t\($0) " }.joined())
    #expect(answer.events == 4, "the prompt, sixteen and four tokens, the end")
  }

  @Test("the connection of an answer that came to its end is used again")
  func reuse() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in Script.answer(["a", "b"], usage: (1, 2)) }
    for _ in 0..<8 { #expect(try await fixture.ask().text == "ab") }
    #expect(fixture.servers[0].abandoned == 0)
    // A connection is idle again a moment after its answer is over, so now and then a second one is opened.
    #expect(fixture.servers[0].connections < 4)
  }

  @Test("several answers are asked for in one request and told apart, with the server's count of all of them")
  func several() async throws {
    @Sendable func chunk(_ index: Int, _ text: String, _ finish: String? = nil) -> String {
      let reason = finish.map { "\"\($0)\"" } ?? "null"
      return #"data: {"choices":[{"index":\#(index),"delta":{"content":"\#(text)"},"finish_reason":\#(reason)}]}"# + "\n\n"
    }
    let both = #"data: {"choices":[{"index":0,"delta":{"content":"c"}},{"index":1,"delta":{"content":"d"}}]}"# + "\n\n"
    let fixture = try await RemoteFixture.serving { _, _ in
      [
        Script.head,
        .bytes(chunk(1, "x") + chunk(0, "a") + chunk(7, "?") + both + chunk(0, "", "stop") + chunk(1, "", "length")),
        .bytes(Script.usage(9, 6)), .bytes("data: [DONE]\n\n"), .end,
      ]
    }
    var request = CompletionRequest(
      prompt: .chat([ChatMessage(role: .user, content: "hello")]), maximumCompletionTokens: 20)
    request.answers = 2
    let prompt = try await fixture.engine.prepare(request)
    #expect(prompt.completionCeiling == 40)
    var texts = ["", ""]
    var end: CompletionEnd?
    for try await event in fixture.engine.start(prompt, allowance: TokenAllowance(tokens: 40)) {
      for step in event.steps { texts[step.answer] += step.text }
      if case .end(let last) = event { end = last }
    }
    #expect(texts == ["ac", "xd"])
    #expect(end?.reasons == [.stop, .length])
    #expect(end?.usage == CompletionUsage(promptUncached: 9, completion: 6))
    #expect(fixture.servers[0].asked[0].body.contains(#""n":2"#))
  }

  @Test("tool calls come through in their pieces")
  func tools() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in
      [
        Script.head,
        .bytes(Script.chunk(#"{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"look","arguments":""}}]}"#)),
        .bytes(Script.chunk(#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]}"#)),
        .bytes(Script.chunk("{}", finish: "tool_calls")), .bytes(Script.usage(9, 12)), .bytes("data: [DONE]\n\n"), .end,
      ]
    }
    let answer = try await fixture.ask()
    #expect(answer.error == nil)
    #expect(
      answer.toolCalls == [
        ToolCallPiece(index: 0, id: "call_1", name: "look", arguments: ""), ToolCallPiece(index: 0, arguments: #"{"a":1}"#),
      ])
    #expect(answer.end?.reason == .toolCalls)
    #expect(answer.end?.usage.completion == 12)
  }

  // MARK: The allowance

  @Test("a final allowance ends the answer at the token and closes the connection")
  func cut() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in
      Script.answer(Array(repeating: "x", count: 500), usage: (1, 500), pause: .milliseconds(1))
    }
    let answer = try await fixture.ask(allowance: TokenAllowance(tokens: 7))
    #expect(answer.text == "xxxxxxx")
    #expect(answer.end?.reason == .allowance)
    #expect(answer.end?.usage.completion == 7)
    try await until("the server sees the connection closed") { fixture.servers[0].abandoned == 1 }
  }

  @Test("an allowance that is not final yet holds the server up, and lets it go on when raised")
  func backPressure() async throws {
    let piece = String(repeating: "y", count: 4000)
    let server = try await ScriptedUpstream { _, _ in
      [Script.head] + Array(repeating: .bytes(Script.text(piece)), count: 4000) + [
        .bytes(Script.chunk("{}", finish: "stop")), .bytes("data: [DONE]\n\n"), .end,
      ]
    }
    let fixture = RemoteFixture([server], contextLength: 100_000)
    let allowance = TokenAllowance(tokens: 3, isFinal: false)
    let prompt = try await fixture.engine.prepare(CompletionRequest(prompt: .text("go")))
    let stream = fixture.engine.start(prompt, allowance: allowance)
    let reading = Task { () -> Answer in
      var answer = Answer()
      for try await event in stream { answer.take(event) }
      return answer
    }
    try await settled { fixture.servers[0].bytesWritten }
    #expect(fixture.servers[0].bytesWritten < 12_000_000, "16 MB would have gone out")
    allowance.raise(to: 99_000, isFinal: true)
    let answer = try await reading.value
    #expect(answer.tokens == 4000)
    #expect(answer.end?.reason == .stop)
  }

  @Test("a chunk of several tokens is handed on in parts where the allowance ends within it")
  func parts() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in
      [
        Script.head,
        .bytes(Script.chunk(#"{"content":"0123456789"}"#, more: #","usage":{"prompt_tokens":3,"completion_tokens":10}"#)),
        .bytes(Script.chunk("{}", finish: "stop")), .bytes("data: [DONE]\n\n"), .end,
      ]
    }
    let answer = try await fixture.ask(allowance: TokenAllowance(tokens: 4))
    #expect(answer.text == "0123")
    #expect(answer.end?.reason == .allowance)
    #expect(answer.end?.usage == CompletionUsage(promptUncached: 3, completion: 4))
  }

  @Test("a server that ignores the limit is cut off at it")
  func ignoredLimit() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in Script.answer(Array(repeating: "z", count: 50), usage: (1, 50)) }
    let answer = try await fixture.ask(most: 5)
    #expect(answer.text == "zzzzz")
    #expect(answer.end?.reason == .length)
  }

  @Test("cancelling closes the connection to the server")
  func cancel() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in
      Script.answer(Array(repeating: "x", count: 1000), pause: .milliseconds(5))
    }
    let prompt = try await fixture.engine.prepare(CompletionRequest(prompt: .text("go")))
    let stream = fixture.engine.start(prompt, allowance: TokenAllowance(tokens: 1000))
    var answer = Answer()
    for try await event in stream {
      answer.take(event)
      if answer.tokens >= 3 { stream.cancel() }
    }
    #expect(answer.end?.reason == .cancelled)
    #expect(answer.end?.usage.completion == answer.tokens)
    try await until("the server sees the connection closed") { fixture.servers[0].abandoned == 1 }
    #expect(fixture.upstreams[0].statistics.cancelled == 1)
    #expect(fixture.upstreams[0].statistics.running == 0)
  }

  // MARK: Wrong counts

  @Test("a count that cannot be true of the answer is not charged")
  func impossibleUsage() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in Script.answer(["a", "b"], usage: (5, 3000)) }
    let answer = try await fixture.ask()
    #expect(answer.end?.usage.completion == 2)
    #expect(answer.end?.countedBy == .gateway)
    #expect(
      fixture.reports.all == [.usageDiffers(upstream: "s0", category: "completion", reported: 3000, counted: 2, charged: 2)])
  }

  @Test("a prompt that is said to be longer than it can be is charged at its bound")
  func impossiblePrompt() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in Script.answer(["a"], usage: (4000, 1)) }
    let answer = try await fixture.ask("hello")
    // 5 bytes, one turn.
    #expect(answer.end?.usage.promptUncached == 5 + 16 + 32)
    #expect(
      fixture.reports.all == [.usageDiffers(upstream: "s0", category: "prompt", reported: 4000, counted: 53, charged: 53)])
  }

  @Test("a reported zero stays a zero")
  func zero() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in Script.answer(["a", "b"], usage: (0, 0)) }
    #expect(try await fixture.ask().end?.usage == CompletionUsage())
  }

  @Test("with the model's tokenizer the hold is sharp and a wrong count is told")
  func verified() async throws {
    let server = try await ScriptedUpstream { _, _ in Script.answer(["one two", " three"], usage: (2, 9)) }
    let words = TextCounter { $0.split(separator: " ").count }
    let fixture = RemoteFixture([server], counter: words)
    let prompt = try await fixture.engine.prepare(CompletionRequest(prompt: .text("four words are here")))
    #expect(prompt.promptTokens == 4 + 16 + 32)
    let answer = try await fixture.ask("hi")
    #expect(answer.end?.usage.completion == 9, "the server's count is plausible, so it is charged")
    #expect(fixture.reports.all == [.usageDiffers(upstream: "s0", category: "completion", reported: 9, counted: 3, charged: 9)])
  }

  // MARK: Bounds of prompts

  @Test("without a tokenizer the hold is for the prompt's bytes and a margin, and never beyond the context")
  func bound() async throws {
    let fixture = try await RemoteFixture.serving { _, _ in Script.answer(["x"]) }
    let short = try await fixture.engine.prepare(CompletionRequest(prompt: .text("añ")))
    #expect(short.promptTokens == 3 + 16 + 32 && !short.isExact)
    let long = try await fixture.engine.prepare(CompletionRequest(prompt: .text(String(repeating: "a", count: 5000))))
    #expect(long.promptTokens == 4095)
    await #expect(throws: CompletionError.self) {
      try await fixture.engine.prepare(CompletionRequest(prompt: .tokens(Array(repeating: 1, count: 4096))))
    }
  }
}

/// Waits for something that comes about elsewhere.
func until(_ what: String, _ holds: () -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(300)
  while !holds() {
    try #require(ContinuousClock.now < deadline, "\(what)")
    try await Task.sleep(for: .milliseconds(5))
  }
}

/// Waits until a number stays as it is.
func settled(_ number: () -> Int) async throws {
  var last = -1
  while last != number() {
    last = number()
    try await Task.sleep(for: .milliseconds(150))
  }
}
