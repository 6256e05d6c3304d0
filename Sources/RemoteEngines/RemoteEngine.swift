public import Completions
internal import NIOCore
internal import NIOPosix

/// A model that other servers run, as one engine.
///
/// It always asks for a stream and hands on no more tokens than its allowance grants, so that the answer ends at the token where money
/// does, whatever the servers would go on to send. Before the first token of an answer a failed attempt is repeated, at another server
/// where there is one; after it, never.
public final class RemoteEngine: CompletionEngine {
  public let contextLength: Int
  let pool: UpstreamPool
  let counter: TextCounter?
  let attempts: Int

  /// - Parameters:
  ///   - counter: The model's own tokenizer, where the operator has its file: sharper holds, and a check of what the servers report.
  ///   - attempts: The most attempts of one completion.
  public init(pool: UpstreamPool, contextLength: Int, counter: TextCounter? = nil, attempts: Int = 3) {
    self.pool = pool
    self.contextLength = contextLength
    self.counter = counter
    self.attempts = max(1, attempts)
  }

  public var answersSeveral: Bool { true }

  public func prepare(_ request: CompletionRequest) async throws(CompletionError) -> PreparedPrompt {
    if case .chat(let messages) = request.prompt, messages.isEmpty {
      throw CompletionError(.invalidRequest, "At least one message belongs here.", parameter: "messages")
    }
    let bound = PromptBound(request, counter: self.counter)
    if bound.isExact, bound.most >= self.contextLength {
      throw CompletionError(
        .contextLengthExceeded,
        "The prompt has \(bound.most) tokens; the context is \(self.contextLength) tokens, the completion included. Shorten the prompt.",
        parameter: "prompt")
    }
    // A prompt that fills the context is refused by the server, so no more can come to be charged.
    let most = min(bound.most, self.contextLength - 1)
    let left = self.contextLength - (bound.isExact ? most : 1)
    return PreparedPrompt(
      request: request, tokens: [], promptTokens: most, isExact: bound.isExact,
      completionCeiling: min(request.maximumCompletionTokens ?? left, left) * request.answers)
  }

  public func start(_ prompt: PreparedPrompt, allowance: TokenAllowance) -> CompletionStream {
    let (events, continuation) = AsyncThrowingStream<CompletionEvent, any Error>.makeStream()
    // The loop that this is called on, where it is one: nothing that belongs to a request changes threads.
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let run = RemoteRun(self, prompt, allowance: allowance, on: loop, events: continuation)
    continuation.onTermination = { _ in run.cancel() }
    run.start()
    return CompletionStream(events) { run.cancel() }
  }
}
