// Completions: a completion as values, and the one protocol through which any engine is asked for one.
// It is the only place where the governance column and the engine column meet.
// It must never know a customer, a license, a price, a wire format or how an engine works inside.

/// Something that turns prompts into tokens: the embedded engine or a remote one.
///
/// The two halves are apart so that the caller can price the worst case between them: ``prepare(_:)`` tokenises and
/// bounds, ``start(_:allowance:)`` spends.
public protocol CompletionEngine: Sendable {
  /// The most tokens a prompt and its completion may have together.
  var contextLength: Int { get }

  /// Whether it takes requests for more than one answer.
  var answersSeveral: Bool { get }

  /// Renders and tokenises a request without running it.
  ///
  /// - Throws: ``CompletionError`` with `invalidRequest` or `contextLengthExceeded`.
  func prepare(_ request: CompletionRequest) async throws(CompletionError) -> PreparedPrompt

  /// Starts generating and returns at once; a full queue ends the stream with `overloaded`.
  ///
  /// The engine never produces more completion tokens than `allowance` grants at that moment. Where the grant is reached
  /// and is not final, the sequence waits without holding up others; where it is final, it ends with
  /// ``CompletionEnd/Reason/allowance``. Cancelling the stream stops the sequence within one engine step.
  func start(_ prompt: PreparedPrompt, allowance: TokenAllowance) -> CompletionStream
}

extension CompletionEngine {
  public var answersSeveral: Bool { false }
}

/// A request that an engine has rendered, tokenised and bounded.
public struct PreparedPrompt: Sendable {
  public let request: CompletionRequest
  /// The prompt's token ids; empty where the engine does not tokenise here.
  public let tokens: [Int32]
  /// How many tokens the prompt has: exact where `isExact`, else an upper bound.
  public let promptTokens: Int
  public let isExact: Bool
  /// The most completion tokens that can follow: the request's own limit, or what the context leaves; of all answers together.
  public let completionCeiling: Int

  public init(request: CompletionRequest, tokens: [Int32], promptTokens: Int, isExact: Bool, completionCeiling: Int) {
    self.request = request
    self.tokens = tokens
    self.promptTokens = promptTokens
    self.isExact = isExact
    self.completionCeiling = completionCeiling
  }
}

/// The events of one running completion, in order: one `prompt`, any number of `delta` and `deltas`, one `end`; or an error
/// (``CompletionError``) at any point.
public struct CompletionStream: AsyncSequence, Sendable {
  public typealias Element = CompletionEvent
  public typealias Failure = any Error

  private let events: AsyncThrowingStream<CompletionEvent, any Error>
  private let cancellation: @Sendable () -> Void

  public init(_ events: AsyncThrowingStream<CompletionEvent, any Error>, cancel: @escaping @Sendable () -> Void) {
    self.events = events
    self.cancellation = cancel
  }

  public func makeAsyncIterator() -> AsyncThrowingStream<CompletionEvent, any Error>.Iterator {
    self.events.makeAsyncIterator()
  }

  /// Stops generating within one engine step. Harmless after the end.
  public func cancel() { self.cancellation() }
}

/// An engine that knows the texts of its tokens.
public protocol TokenReadingEngine: CompletionEngine {
  /// The text that tokens stand for, bytes that are no UTF-8 as U+FFFD.
  ///
  /// - Throws: ``CompletionError`` with `invalidRequest` where one is outside the vocabulary.
  func text(of tokens: [Int32]) throws(CompletionError) -> String
}
