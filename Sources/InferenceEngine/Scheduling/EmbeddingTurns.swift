internal import Completions
internal import LlamaModel
internal import Synchronization
internal import Tensors

/// Texts on their way to the engine's thread, and the one answer that each such request gets.
struct EmbeddingSubmission: Sendable {
  var inputs: [[Int32]]
  var pooling: Pooling
  var cancellation: CancellationFlag
  /// Called once, on the engine's thread or where the inbox is closed.
  var finish: @Sendable (Result<[[Float]], CompletionError>) -> Void
}

/// The engine's work on embeddings: one chunk of one input in each turn, so that nobody waits for a long list of texts.
///
/// Keys and values live in a pool of one sequence and are given back after every input.
final class EmbeddingTurns {
  private struct Current {
    var submission: EmbeddingSubmission
    var results: [[Float]] = []
    var cache: KVCache
    var pool: HiddenPool
  }

  private let pass: ForwardPass
  private let inbox: EngineInbox
  private let chunk: Int
  private let blocks: KVBlockPool
  private var current: Current?

  init(pass: ForwardPass, inbox: EngineInbox, chunk: Int, contextLength: Int) {
    let shape = pass.model.cacheShape()
    self.pass = pass
    self.inbox = inbox
    self.chunk = chunk
    self.blocks = KVBlockPool(shape: shape, capacity: shape.blocks(positions: contextLength))
  }

  /// Reads one chunk; false where there is nothing to do.
  func turn() -> Bool {
    if self.current == nil, let submission = self.inbox.nextEmbedding() { self.current = self.begin(submission) }
    guard var current = self.current.take() else { return false }
    guard !current.submission.cancellation.isSet else {
      self.end(current, .failure(CompletionError(.unavailable, "The request was cancelled.")))
      return true
    }
    let tokens = current.submission.inputs[current.results.count]
    let start = current.cache.count
    do {
      let next = Array(tokens[start..<min(start + self.chunk, tokens.count)])
      try self.pass.run([SequenceStep(tokens: next, cache: current.cache, logits: .none)])
    } catch {
      self.end(current, .failure(CompletionError(.unavailable, error.message)))
      return true
    }
    current.pool.add(self.pass)
    if current.cache.count == tokens.count {
      current.results.append(current.pool.result())
      guard current.results.count < current.submission.inputs.count else {
        self.end(current, .success(current.results))
        return true
      }
      let results = current.results
      current = self.begin(current.submission)
      current.results = results
    }
    self.current = current
    return true
  }

  /// Ends what is in work and what waits.
  func close() {
    let closing = CompletionError(.unavailable, "The engine is shutting down.")
    if let current = self.current.take() { self.end(current, .failure(closing)) }
    while let waiting = self.inbox.nextEmbedding() {
      waiting.finish(.failure(closing))
      self.inbox.release()
    }
  }

  private func begin(_ submission: EmbeddingSubmission) -> Current {
    Current(
      submission: submission, cache: KVCache(pool: self.blocks),
      pool: HiddenPool(submission.pooling, width: self.pass.model.hyperparameters.embeddingLength))
  }

  private func end(_ current: Current, _ result: Result<[[Float]], CompletionError>) {
    self.inbox.release()
    current.submission.finish(result)
  }
}
