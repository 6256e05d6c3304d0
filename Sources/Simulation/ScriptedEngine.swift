// Simulation: stand-ins with rules of their own, for tests: a seeded clock, an engine that follows a script, a journal that fails.
// Holds the second implementation of each protocol that governance declares or uses.
// It must never be linked into the product, and knows nothing of how governance works inside.

public import Completions
internal import Synchronization

/// An engine that says what it is told to say, one token at a time, and keeps to its allowance to the token.
public final class ScriptedEngine: CompletionEngine {
  public struct Script: Sendable {
    public var promptTokens: Int
    /// The text of each token, in order.
    public var tokens: [String]
    /// Breaks with this error after so many tokens.
    public var breaksAfter: Int?
    public var pause: Duration

    public init(promptTokens: Int = 10, tokens: [String], breaksAfter: Int? = nil, pause: Duration = .zero) {
      self.promptTokens = promptTokens
      self.tokens = tokens
      self.breaksAfter = breaksAfter
      self.pause = pause
    }
  }

  public let contextLength: Int
  private let script: Mutex<Script>
  private let counter = Mutex(0)

  public init(_ script: Script, contextLength: Int = 4096) {
    self.script = Mutex(script)
    self.contextLength = contextLength
  }

  public func follow(_ script: Script) { self.script.withLock { $0 = script } }

  /// Tokens produced so far, as the engine itself counts them.
  public var producedTokens: Int { self.counter.withLock { $0 } }

  public func prepare(_ request: CompletionRequest) async throws(CompletionError) -> PreparedPrompt {
    let script = self.script.withLock { $0 }
    guard script.promptTokens < self.contextLength else {
      throw CompletionError(.contextLengthExceeded, "the prompt has \(script.promptTokens) tokens")
    }
    return PreparedPrompt(
      request: request, tokens: [], promptTokens: script.promptTokens, isExact: true,
      completionCeiling: min(request.maximumCompletionTokens ?? .max, self.contextLength - script.promptTokens))
  }

  public func start(_ prompt: PreparedPrompt, allowance: TokenAllowance) -> CompletionStream {
    let script = self.script.withLock { $0 }
    let (events, continuation) = AsyncThrowingStream<CompletionEvent, any Error>.makeStream()
    let run = ScriptedRun(script: script, prompt: prompt, allowance: allowance, continuation: continuation) { produced in
      self.counter.withLock { $0 += produced }
    }
    let task = Task { await run.follow() }
    return CompletionStream(events) { task.cancel() }
  }
}

private struct ScriptedRun: Sendable {
  let script: ScriptedEngine.Script
  let prompt: PreparedPrompt
  let allowance: TokenAllowance
  let continuation: AsyncThrowingStream<CompletionEvent, any Error>.Continuation
  let count: @Sendable (Int) -> Void

  func follow() async {
    var usage = CompletionUsage(promptUncached: self.prompt.promptTokens)
    self.continuation.yield(.prompt(usage))
    while true {
      if let reason = await self.endReason(after: usage.completion) {
        self.continuation.yield(.end(CompletionEnd(reason: reason, usage: usage)))
        return self.continuation.finish()
      }
      if usage.completion == self.script.breaksAfter {
        return self.continuation.finish(throwing: CompletionError(.failed, "the engine broke, as it was told to"))
      }
      if self.script.pause > .zero { try? await Task.sleep(for: self.script.pause) }  // Cancellation shows at the next step.
      self.count(1)
      self.continuation.yield(.delta(CompletionDelta(text: self.script.tokens[usage.completion], tokens: 1)))
      usage.completion += 1
    }
  }

  /// Waits for the allowance; nil when the next token may be produced.
  private func endReason(after produced: Int) async -> CompletionEnd.Reason? {
    while true {
      if Task.isCancelled { return .cancelled }
      if produced >= self.script.tokens.count { return .stop }
      if produced >= self.prompt.completionCeiling { return .length }
      let grant = self.allowance.grant
      if produced < grant.tokens { return nil }
      if grant.isFinal { return .allowance }
      await Task.yield()
    }
  }
}
