internal import Completions
internal import ConstrainedOutput
internal import Synchronization
internal import Tensors

/// Set once, by whoever no longer wants a sequence; looked at before every step.
final class CancellationFlag: Sendable {
  private let flag = Atomic<Bool>(false)

  var isSet: Bool { self.flag.load(ordering: .acquiring) }
  func set() { self.flag.store(true, ordering: .releasing) }
}

/// A request on its way to the engine's thread.
struct Submission: Sendable {
  var prompt: PreparedPrompt
  var form: OutputForm
  /// The vocabulary for the form's grammar, where it has one.
  var vocabulary: TokenVocabulary?
  var allowance: TokenAllowance
  var events: AsyncThrowingStream<CompletionEvent, any Error>.Continuation
  var cancellation: CancellationFlag

  var fairnessKey: String { self.prompt.request.fairnessKey ?? "" }
}

/// What callers and the engine's thread share: the waiting requests, the closing time and the published statistics.
final class EngineInbox: Sendable {
  enum Acceptance: Equatable { case accepted, full, closed }

  private struct State {
    var waiting = FairLines<Submission>()
    var waitingEmbeddings: [EmbeddingSubmission] = []
    /// Requests accepted and not yet ended, wherever they are: what the limit is about.
    var open = 0
    var isClosed = false
    var statistics = EngineStatistics()
  }

  let signal = WakeSignal()
  private let openLimit: Int
  private let state = Mutex(State())

  init(openLimit: Int) { self.openLimit = openLimit }

  var statistics: EngineStatistics { self.state.withLock { $0.statistics } }
  var isClosed: Bool { self.state.withLock { $0.isClosed } }

  /// Takes a request in. Where the queue is full and another key has more requests waiting than this one, the newest of the longest
  /// line gives way to it and ends as overloaded: it has not begun.
  func submit(_ submission: Submission) -> Acceptance {
    let (acceptance, displaced) = self.state.withLock { state -> (Acceptance, Submission?) in
      guard !state.isClosed else { return (.closed, nil) }
      let key = submission.fairnessKey
      var displaced: Submission?
      if state.open >= self.openLimit {
        displaced = state.waiting.takeNewest(ofLongerThan: state.waiting.length(of: key) + 1)
        guard displaced != nil else { return (.full, nil) }
      } else {
        state.open += 1
      }
      state.waiting.append(submission, key: key)
      return (.accepted, displaced)
    }
    displaced?.events.finish(throwing: CompletionError(.overloaded, Self.overloaded))
    if acceptance == .accepted { self.signal.ring() }
    return acceptance
  }

  static let overloaded = "The engine's queue is full; try again later."

  func submit(_ submission: EmbeddingSubmission) -> Acceptance {
    let acceptance = self.state.withLock { state -> Acceptance in
      guard !state.isClosed else { return .closed }
      guard state.open < self.openLimit else { return .full }
      state.open += 1
      state.waitingEmbeddings.append(submission)
      return .accepted
    }
    if acceptance == .accepted { self.signal.ring() }
    return acceptance
  }

  /// The longest waiting request for embeddings.
  func nextEmbedding() -> EmbeddingSubmission? {
    self.state.withLock { $0.waitingEmbeddings.isEmpty ? nil : $0.waitingEmbeddings.removeFirst() }
  }

  /// Whose requests wait, with the number by which the first one of each came.
  var waitingKeys: [(key: String, number: UInt64)] { self.state.withLock { $0.waiting.heads } }

  /// The longest waiting request of a key; it stays in line.
  func first(of key: String) -> Submission? { self.state.withLock { $0.waiting.first(of: key) } }

  func takeFirst(of key: String) -> Submission? { self.state.withLock { $0.waiting.takeFirst(of: key) } }

  /// Takes out the waiting requests that nobody wants any more; after closing, all.
  func takeCancelled() -> [Submission] {
    self.state.withLock { state in
      guard !state.waiting.isEmpty else { return [] }
      let isClosed = state.isClosed
      return state.waiting.takeAll { isClosed || $0.cancellation.isSet }
    }
  }

  /// Makes room for another request.
  func release() { self.state.withLock { $0.open -= 1 } }

  func close() {
    self.state.withLock { $0.isClosed = true }
    self.signal.ring()
  }

  /// Publishes the thread's own figures; requests that still wait here are added to `queued`.
  func publish(_ statistics: EngineStatistics) {
    self.state.withLock { state in
      state.statistics = statistics
      state.statistics.queued += state.waiting.count
    }
  }
}
