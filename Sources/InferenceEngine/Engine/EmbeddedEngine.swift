// InferenceEngine: a model file as a completion engine: many requests at once on one thread of its own, and offline operations.
// It holds the scheduler, the life of a sequence, the preparation of prompts and the measuring of a model.
// It must never know a customer, a license, a price or a wire format.

public import Completions
public import LlamaModel
internal import ModelFiles
internal import Synchronization
internal import Tensors

/// Runs a Llama-family model file on this machine's processor.
///
/// One thread owns the model's working memory and serves all requests in turns (see `Scheduler`); it sleeps when there is nothing
/// to do. The same prompt, parameters and seed give the same tokens whatever else the engine is doing. A stream's events wait
/// unbounded for their reader, which the allowance bounds: no more tokens are produced than it grants.
public final class EmbeddedEngine: CompletionEngine {
  /// Owns what is not `Sendable`. The engine's thread holds the lock for its whole life, so nobody else ever gets in.
  private final class Core: Sendable {
    private let scheduler: Mutex<Scheduler>

    init(_ scheduler: sending Scheduler) { self.scheduler = Mutex(scheduler) }

    func run() { self.scheduler.withLock { $0.run() } }
  }

  public let contextLength: Int
  /// What the file says of itself: name, license keys, sizes.
  public let model: ModelDescription
  public let options: EngineOptions
  let preparation: PromptPreparation
  let hiddenLength: Int
  private let tokenIndex = TokenIndex()
  private let inbox: EngineInbox
  private let thread: DedicatedThread

  /// Maps and checks the file and starts the engine's thread; takes milliseconds, as weights are read when first needed.
  ///
  /// - Throws: ``EngineError`` naming the option, or the key or tensor of the file, and the remedy.
  public init(path: String, options: EngineOptions = EngineOptions()) throws(EngineError) {
    let model = try LoadedModel(path: path, options: options)
    let context = model.weights.hyperparameters.contextLength
    try options.validated(modelContext: context)
    let contextLength = options.contextLimit ?? context
    let blocks = try options.blocks(model.weights.cacheShape(model.kvType), contextLength: contextLength)
    let inbox = EngineInbox(openLimit: options.maximumSequences + options.queueLimit)
    self.contextLength = contextLength
    self.model = model.weights.description
    self.options = options
    self.preparation = model.preparation(contextLength: contextLength)
    self.hiddenLength = model.weights.hyperparameters.embeddingLength
    self.inbox = inbox
    do {
      let backend = try CPUBackend(
        threads: options.threads, instructionSet: options.instructionSet, activations: options.isExact ? .exact : .fast,
        pinned: options.pinsThreads)
      let core = Core(
        Scheduler(
          model: model.weights, backend: backend, inbox: inbox, options: options, kvType: model.kvType, blocks: blocks,
          contextLength: contextLength))
      self.thread = try DedicatedThread(name: "wb-engine") { core.run() }
    } catch {
      throw EngineError(error)
    }
  }

  deinit { self.shutdown() }

  public func prepare(_ request: CompletionRequest) async throws(CompletionError) -> PreparedPrompt {
    try self.preparation.prepare(request)
  }

  public func start(_ prompt: PreparedPrompt, allowance: TokenAllowance) -> CompletionStream {
    let (events, continuation) = AsyncThrowingStream.makeStream(of: CompletionEvent.self, throwing: (any Error).self)
    let cancellation = CancellationFlag()
    let signal = self.inbox.signal
    let cancel: @Sendable () -> Void = {
      cancellation.set()
      signal.ring()
    }
    // Also called when the reader's task is cancelled or the reader drops the stream.
    continuation.onTermination = { if case .cancelled = $0 { cancel() } }
    allowance.onRaise { signal.ring() }
    if let error = self.submit(prompt, allowance, continuation, cancellation) { continuation.finish(throwing: error) }
    return CompletionStream(events, cancel: cancel)
  }

  /// Ends all streams with `unavailable` and waits for the engine's thread, one step at most. Later requests get the same error.
  public func shutdown() {
    self.inbox.close()
    self.thread.join()
  }

  public var statistics: EngineStatistics { self.inbox.statistics }

  private func submit(
    _ prompt: PreparedPrompt, _ allowance: TokenAllowance, _ events: AsyncThrowingStream<CompletionEvent, any Error>.Continuation,
    _ cancellation: CancellationFlag
  ) -> CompletionError? {
    guard let form = self.preparation.form(of: prompt) else {
      return CompletionError(.invalidRequest, "The prompt was not prepared by this engine.", parameter: "prompt")
    }
    let vocabulary = form.grammar.map { _ in self.tokenIndex.vocabulary(of: self.preparation.vocabulary.tokenizer) }
    let submission = Submission(
      prompt: prompt, form: form, vocabulary: vocabulary, allowance: allowance, events: events, cancellation: cancellation)
    switch self.inbox.submit(submission) {
    case .accepted: return nil
    case .full: return CompletionError(.overloaded, EngineInbox.overloaded)
    case .closed: return CompletionError(.unavailable, "The engine is shutting down.")
    }
  }

  func submit(_ submission: EmbeddingSubmission) {
    switch self.inbox.submit(submission) {
    case .accepted: break
    case .full: submission.finish(.failure(CompletionError(.overloaded, EngineInbox.overloaded)))
    case .closed: submission.finish(.failure(CompletionError(.unavailable, "The engine is shutting down.")))
    }
  }
}
