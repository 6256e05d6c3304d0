internal import Dispatch
internal import Glibc
internal import Governance
internal import Synchronization

/// What can be asked of the writer.
enum Command: Sendable {
  case records([PreparedRecord])
  case checkpoint(StoredCheckpoint)
  case secret(name: String, value: [UInt8])
  case maximumBytes(Int?)

  /// What it weighs in the queue and in a batch.
  var weight: Int {
    if case .records(let records) = self { max(1, records.count) } else { 1 }
  }
}

/// A command that waits for the disk, and who waits for it.
struct Submission: Sendable {
  let command: Command
  let ticket: CommitTicket
  let submittedAt: ContinuousClock.Instant
}

/// Submissions in the order of their calls, from any thread to the one that writes.
///
/// Bounded by weight; what is being written counts.
final class CommitQueue: Sendable {
  private struct State {
    var waiting: [Submission] = []
    var depth = 0
    var rejections = 0
    var conflicts = 0
    var isClosed = false
    var isReaderAsleep = false
  }

  private let state = Mutex(State())
  private let wake = DispatchSemaphore(value: 0)
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  /// Appends, or fails the ticket at once. Never waits for the disk.
  func submit(_ command: Command) -> CommitTicket {
    let submission = Submission(command: command, ticket: CommitTicket(), submittedAt: .now)
    let weight = command.weight
    var mustWake = false
    let refusal = self.state.withLock { state -> JournalError? in
      guard !state.isClosed else { return JournalError(.closed, "the store is closed") }
      guard weight <= self.limit - state.depth else {
        state.rejections += 1
        return JournalError(.queueFull, "\(state.depth) records wait for the disk; at most \(self.limit) may")
      }
      state.waiting.append(submission)
      state.depth += weight
      mustWake = state.isReaderAsleep
      state.isReaderAsleep = false
      return nil
    }
    if let refusal { submission.ticket.complete(.failure(refusal)) }
    if mustWake { self.wake.signal() }
    return submission.ticket
  }

  /// A ticket for what cannot be written in any state of the store.
  func refuse(_ error: JournalError) -> CommitTicket {
    self.state.withLock { $0.conflicts += 1 }
    let ticket = CommitTicket()
    ticket.complete(.failure(error))
    return ticket
  }

  /// What the writer does next.
  enum Next { case work([Submission]), idle, closed }

  /// All that waits, in order; waits up to `timeout` for there to be something. Called by the writer only.
  ///
  /// A clock put back makes the timeout longer, on Linux; what is submitted ends it all the same.
  func next(timeout: DispatchTimeInterval) -> Next {
    while true {
      if let next = self.take() { return next }
      // A signal may be left over from a submission that was taken without waiting: only a timeout means that nothing came.
      if self.wake.wait(timeout: .now() + timeout) == .timedOut { return self.take() ?? .idle }
    }
  }

  /// Lets more submissions come before the next are taken. Called by the writer only.
  ///
  /// By the clock that cannot be set: a semaphore's timeout is a time of day on Linux, and a clock put back would hold the writer
  /// until that time comes again.
  func gather(for time: Duration) {
    guard time > .zero, !self.state.withLock({ $0.isClosed }) else { return }
    var pause = timespec(
      tv_sec: Int(time.components.seconds), tv_nsec: Int(time.components.attoseconds / 1_000_000_000))
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nil)
  }

  private func take() -> Next? {
    self.state.withLock { state in
      guard state.waiting.isEmpty else {
        defer { state.waiting = [] }
        return .work(state.waiting)
      }
      if state.isClosed { return .closed }
      state.isReaderAsleep = true
      return nil
    }
  }

  /// Fails what was taken and not written, and all that waits: it was submitted before the failure was known, and rests on what has
  /// failed. In one step: nobody hears of the failure before the queue is empty, so that what is submitted in answer to it is tried.
  ///
  /// - Parameter count: Is told how many fail, before the first of them is.
  func fail(_ taken: ArraySlice<Submission>, _ failure: JournalError, count: (Int) -> Void) {
    self.state.withLock { state in
      let failed = taken + state.waiting
      state.waiting = []
      state.depth -= failed.reduce(0) { $0 + $1.command.weight }
      count(failed.count)
      for submission in failed { submission.ticket.complete(.failure(failure)) }
    }
  }

  /// The writer is done with submissions of this weight.
  func finished(weight: Int) { self.state.withLock { $0.depth -= weight } }

  /// Refuses further submissions; those that wait are still written.
  func close() {
    self.state.withLock {
      $0.isClosed = true
      $0.isReaderAsleep = false
    }
    self.wake.signal()
  }

  var depth: Int { self.state.withLock { $0.depth } }
  /// Submissions that did not come into the queue, because it was full and because they could never be written.
  var refusals: (full: Int, conflicts: Int) { self.state.withLock { ($0.rejections, $0.conflicts) } }
}
