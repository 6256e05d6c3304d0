internal import Governance
internal import Synchronization

/// What the writer lets others see: the committed end of the log, and its counts.
final class CommittedState: Sendable {
  private struct State {
    var log: LogState
    var statistics = StoreStatistics()
  }

  private let state: Mutex<State>

  init(log: LogState) { self.state = Mutex(State(log: log)) }

  var log: LogState { self.state.withLock { $0.log } }
  var statistics: StoreStatistics { self.state.withLock { $0.statistics } }

  func publish(
    _ log: LogState, batch: ArraySlice<Submission>, results: [Result<CommitPlace, JournalError>],
    started: ContinuousClock.Instant,
    ended: ContinuousClock.Instant
  ) {
    self.state.withLock { state in
      state.statistics.commits += 1
      state.statistics.isFailing = false
      state.statistics.entries += log.nextSeq - state.log.nextSeq
      state.statistics.commitMicroseconds.record((ended - started).microseconds)
      state.log = log
      var records = 0
      for (submission, result) in zip(batch, results) {
        switch result {
        case .success:
          records += submission.command.weight
          state.statistics.durabilityMicroseconds.record((ended - submission.submittedAt).microseconds)
        case .failure(let error):
          state.statistics.conflicts += 1
          state.statistics.lastFailure = error.detail
        }
      }
      state.statistics.records += records
      state.statistics.batchRecords.record(records)
    }
  }

  func count(_ failure: JournalError, submissions: Int) {
    self.state.withLock {
      $0.statistics.failures += submissions
      $0.statistics.isFailing = true
      $0.statistics.lastFailure = failure.detail
    }
  }

  func countCheckpoint(_ failure: JournalError?) {
    self.state.withLock {
      if let failure {
        $0.statistics.walCheckpointFailures += 1
        $0.statistics.lastFailure = failure.detail
      } else {
        $0.statistics.walCheckpoints += 1
      }
    }
  }
}

extension Duration {
  /// Rounded down; held at the largest that fits.
  fileprivate var microseconds: Int {
    let (seconds, attoseconds) = self.components
    let (scaled, overflow) = Int(seconds).multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .max : scaled &+ Int(attoseconds / 1_000_000_000_000)
  }
}
