import Completions
import InferenceEngine

/// A completion read to its end.
struct Collected: Equatable, Sendable {
  var text = ""
  /// Tokens of all deltas.
  var tokens = 0
  var deltas: [String] = []
  var logprobs: [TokenLogprob] = []
  var calls: [ToolCallPiece] = []
  var prompt: CompletionUsage?
  var end: CompletionEnd?

  mutating func add(_ event: CompletionEvent) {
    switch event {
    case .prompt(let usage): self.prompt = usage
    case .delta, .deltas:
      for delta in event.steps {
        self.text += delta.text
        self.tokens += delta.tokens
        self.deltas.append(delta.text)
        self.logprobs += delta.logprobs
        self.calls += delta.toolCalls
      }
    case .end(let end): self.end = end
    }
  }

  static func all(_ stream: CompletionStream) async throws -> Collected {
    var collected = Collected()
    for try await event in stream { collected.add(event) }
    return collected
  }
}

extension EmbeddedEngine {
  /// Prepares and runs a request with the whole ceiling granted.
  func collect(_ request: CompletionRequest) async throws -> Collected {
    let prompt = try await self.prepare(request)
    return try await Collected.all(self.start(prompt, allowance: TokenAllowance(tokens: prompt.completionCeiling)))
  }
}
