internal import Synchronization
internal import Tensors

/// Why an encoder on a thread of its own gave no logits.
public enum EncoderFailure: Error, Sendable, Hashable {
  /// Nobody is answered later than the bound.
  case late
  /// Too many texts wait already.
  case full
  case shutDown
}

/// An encoder on a thread of its own: texts wait in a short line, and nobody waits longer than a bound.
public final class EncoderThread: Sendable {
  public let configuration: EncoderConfiguration
  private let patience: Duration
  private let line: EncoderLine
  private let thread: DedicatedThread

  /// - Parameters:
  ///   - stretches: Of a long text so many are read, from its beginning on.
  ///   - waiting: Texts that may wait at once; one more is not taken.
  ///   - patience: After it a text is given up.
  /// - Throws: ``TextEncoderError`` where the system refuses a thread.
  public init(
    _ encoder: sending TextEncoder, stretches: Int = 6, waiting: Int = 16, patience: Duration = .milliseconds(250)
  ) throws(TextEncoderError) {
    let line = EncoderLine(limit: waiting)
    self.configuration = encoder.configuration
    self.patience = patience
    self.line = line
    let core = Core(encoder)
    do throws(TensorError) {
      self.thread = try DedicatedThread(name: "wb-encoder") { core.run(line, stretches: stretches) }
    } catch {
      throw TextEncoderError("threads", "\(error)")
    }
  }

  deinit { self.shutdown() }

  /// Answers all that wait with ``EncoderFailure/shutDown`` and waits for the thread, one text at most. Later texts get the same.
  public func shutdown() {
    self.line.close()
    self.thread.join()
  }

  /// The labels' logits for each stretch of a text; see ``TextEncoder/logits(ofStretches:most:)``.
  public func logits(_ text: String) async throws(EncoderFailure) -> [[Float]] {
    let question = EncoderQuestion(text, until: .now + self.patience)
    let timer = Task { [patience] in
      // Cancelled once the answer is there; then there is nothing to give up.
      do { try await Task.sleep(for: patience) } catch { return }
      question.answer(.failure(.late))
    }
    defer { timer.cancel() }
    let outcome = await withCheckedContinuation { continuation in
      question.wait(continuation)
      if let failure = self.line.add(question) { question.answer(.failure(failure)) }
    }
    return try outcome.get()
  }

  /// Owns what is not `Sendable`. The thread holds the lock for its whole life, so nobody else ever gets in.
  private final class Core: Sendable {
    private let encoder: Mutex<TextEncoder>

    init(_ encoder: sending TextEncoder) { self.encoder = Mutex(encoder) }

    func run(_ line: EncoderLine, stretches: Int) {
      self.encoder.withLock { encoder in
        while let question = line.next() {
          question.answer(.success(encoder.logits(ofStretches: question.text, most: stretches)))
        }
      }
    }
  }
}

/// One text and who waits for it. Answered once; what comes later is for nobody.
final class EncoderQuestion: Sendable {
  typealias Outcome = Result<[[Float]], EncoderFailure>
  private enum State {
    case new
    case waiting(CheckedContinuation<Outcome, Never>)
    case answered(Outcome)
  }

  let text: String
  private let deadline: ContinuousClock.Instant
  private let state = Mutex(State.new)

  /// - Parameter deadline: After it nobody begins to read the text.
  init(_ text: String, until deadline: ContinuousClock.Instant) {
    self.text = text
    self.deadline = deadline
  }

  var isLate: Bool { ContinuousClock.now >= self.deadline }

  /// Whether somebody may still want the answer.
  var isOpen: Bool {
    self.state.withLock { state in
      if case .answered = state { return false }
      return true
    }
  }

  func wait(_ continuation: CheckedContinuation<Outcome, Never>) {
    let early = self.state.withLock { state -> Outcome? in
      if case .answered(let outcome) = state { return outcome }
      state = .waiting(continuation)
      return nil
    }
    if let early { continuation.resume(returning: early) }
  }

  func answer(_ outcome: Outcome) {
    let waiting = self.state.withLock { state -> CheckedContinuation<Outcome, Never>? in
      switch state {
      case .answered: return nil
      case .new:
        state = .answered(outcome)
        return nil
      case .waiting(let continuation):
        state = .answered(outcome)
        return continuation
      }
    }
    waiting?.resume(returning: outcome)
  }
}

/// The texts that wait, oldest first; at most so many.
final class EncoderLine: Sendable {
  private struct State {
    var questions: [EncoderQuestion] = []
    var isClosed = false
  }

  private let limit: Int
  private let state = Mutex(State())
  private let signal = WakeSignal()

  init(limit: Int) { self.limit = limit }

  /// Why a text is not taken; nil where it is. O(those that wait).
  func add(_ question: EncoderQuestion) -> EncoderFailure? {
    let failure = self.state.withLock { state -> EncoderFailure? in
      guard !state.isClosed else { return .shutDown }
      // Those that were given up make room.
      state.questions.removeAll { !$0.isOpen }
      guard state.questions.count < self.limit else { return .full }
      state.questions.append(question)
      return nil
    }
    if failure == nil { self.signal.ring() }
    return failure
  }

  /// Waits for the next text that somebody still waits for; nil once the line is closed. For one thread alone.
  func next() -> EncoderQuestion? {
    while true {
      let (question, isClosed) = self.state.withLock { state in
        (state.questions.isEmpty ? nil : state.questions.removeFirst(), state.isClosed)
      }
      guard !isClosed else {
        question?.answer(.failure(.shutDown))
        return nil
      }
      if let question {
        // Its own timer may come late, where all threads are busy.
        if question.isLate { question.answer(.failure(.late)) }
        if question.isOpen { return question }
      } else {
        self.signal.wait()
      }
    }
  }

  func close() {
    let left = self.state.withLock { state in
      state.isClosed = true
      defer { state.questions = [] }
      return state.questions
    }
    for question in left { question.answer(.failure(.shutDown)) }
    self.signal.ring()
  }
}
