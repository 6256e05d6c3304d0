/// What one step of a running completion, or several at once, came to.
public enum CompletionEvent: Sendable, Equatable {
  /// The prompt has been read; nothing of the completion is out yet.
  case prompt(CompletionUsage)
  case delta(CompletionDelta)
  /// Several steps that came at once, in order.
  case deltas([CompletionDelta])
  /// The last event.
  case end(CompletionEnd)

  /// What the steps of this event added, in order.
  public var steps: [CompletionDelta] {
    switch self {
    case .delta(let delta): [delta]
    case .deltas(let deltas): deltas
    case .prompt, .end: []
    }
  }
}

/// What one step added.
public struct CompletionDelta: Sendable, Equatable {
  /// Which of the answers it belongs to, from 0.
  public var answer = 0
  /// Whole characters only; empty while a character or a possible stop text is incomplete.
  public var text: String
  /// Completion tokens produced by this step, those that yielded no text included.
  public var tokens: Int
  /// One entry a token of this step, where the request asked for them: also for tokens whose text is still held back.
  public var logprobs: [TokenLogprob]
  /// Calls, or parts of them, that the model asked for; what they were read from is not part of `text`.
  public var toolCalls: [ToolCallPiece]

  public init(text: String, tokens: Int, logprobs: [TokenLogprob] = [], toolCalls: [ToolCallPiece] = []) {
    self.text = text
    self.tokens = tokens
    self.logprobs = logprobs
    self.toolCalls = toolCalls
  }
}

public struct CompletionEnd: Sendable, Equatable {
  public enum Reason: String, Sendable {
    /// The model ended its turn, or a stop text appeared.
    case stop
    /// The model ended its turn, and the turn holds tool calls.
    case toolCalls = "tool_calls"
    /// The request's own limit or the context was reached.
    case length
    /// A final ``TokenAllowance`` was reached before either.
    case allowance
    case cancelled
  }

  /// Where several answers were asked for, the one that is first in their order and not `stop`, if there is one.
  public var reason: Reason
  /// That of each answer; empty where only one was asked for.
  public var reasons: [Reason] = []
  /// Of all answers together; the prompt counts once.
  public var usage: CompletionUsage
  public var countedBy: TokenCounter
  /// The tries that it took, in order; none where the engine is embedded.
  public var attempts: [EngineAttempt]

  public init(reason: Reason, usage: CompletionUsage, countedBy: TokenCounter = .engine, attempts: [EngineAttempt] = []) {
    self.reason = reason
    self.usage = usage
    self.countedBy = countedBy
    self.attempts = attempts
  }
}

/// Tokens by disjoint category; the prompt is the sum of the first two.
public struct CompletionUsage: Sendable, Equatable {
  public var promptUncached: Int
  public var promptCached: Int
  public var completion: Int

  public init(promptUncached: Int = 0, promptCached: Int = 0, completion: Int = 0) {
    self.promptUncached = promptUncached
    self.promptCached = promptCached
    self.completion = completion
  }
}

/// Why an engine could not, or can no longer, serve a request.
public struct CompletionError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable, CaseIterable {
    /// The request is at fault; `parameter` names the field.
    case invalidRequest
    case contextLengthExceeded
    /// Queues are full; nothing was produced.
    case overloaded
    /// No engine can be reached or loaded.
    case unavailable
    /// It broke while running; tokens may have been produced.
    case failed
  }

  public var code: Code
  public var message: String
  public var parameter: String?
  /// The tries that failed, in order; none where the engine is embedded.
  public var attempts: [EngineAttempt]

  public var description: String { self.message }

  public init(_ code: Code, _ message: String, parameter: String? = nil, attempts: [EngineAttempt] = []) {
    self.code = code
    self.message = message
    self.parameter = parameter
    self.attempts = attempts
  }
}
