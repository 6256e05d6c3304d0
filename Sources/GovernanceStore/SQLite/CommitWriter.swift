internal import Dispatch
internal import GRDB
internal import Governance
internal import GovernanceTypes

/// The thread's work: it takes all that waits, commits it as one transaction with one disk sync, and then tells those who wait.
///
/// After a failed transaction its memory is as before, so that a sequence number is only ever used by an entry that is on disk.
struct CommitWriter: Sendable {
  let connection: DatabaseQueue
  let queue: CommitQueue
  let committed: CommittedState
  private var transactions: TransactionWriter
  let options: StoreOptions
  let directory: String
  let freeBytes: @Sendable (String) -> Int?
  private var log: LogState
  /// Records written since the write-ahead log was last copied back.
  private var uncheckpointed = 0
  /// A transaction failed for a reason of the disk's: what is on it is compared with memory before the next one.
  private var mustReview = false
  /// How many came together last time, and how long they took.
  private var last = (submissions: 0, duration: Duration.zero)

  /// Records after which the write-ahead log is copied back into the database.
  private static let checkpointInterval = 4096
  private static let idleInterval = DispatchTimeInterval.milliseconds(500)
  /// Submissions at once from which on more are expected to come while one waits for them.
  private static let crowd = 3
  /// A transaction costs what it costs for one record or for many: in a crowd there is one in this time at most.
  private static let crowdInterval = Duration.milliseconds(1)

  init(
    connection: DatabaseQueue, queue: CommitQueue, committed: CommittedState, transactions: TransactionWriter,
    options: StoreOptions, directory: String, freeBytes: @escaping @Sendable (String) -> Int?
  ) {
    self.connection = connection
    self.queue = queue
    self.committed = committed
    self.transactions = transactions
    self.options = options
    self.directory = directory
    self.freeBytes = freeBytes
    self.log = committed.log
  }

  /// Works until the queue is closed and empty.
  mutating func run() {
    let statements = WriterStatements()
    while true {
      // Only where many come at once, and never where the disk itself makes them wait for longer than that.
      if self.last.submissions >= Self.crowd { self.queue.gather(for: Self.crowdInterval - self.last.duration) }
      switch self.queue.next(timeout: Self.idleInterval) {
      case .work(let submissions): self.write(submissions, with: statements)
      case .idle:
        self.last = (0, .zero)
        self.tidy()
      case .closed: return
      }
    }
  }

  /// Writes submissions in order, in as few transactions as the batch limit allows.
  private mutating func write(_ submissions: [Submission], with statements: WriterStatements) {
    var start = 0
    while start < submissions.count {
      var end = start
      var weight = 0
      repeat {
        weight += submissions[end].command.weight
        end += 1
      } while end < submissions.count && weight + submissions[end].command.weight <= self.options.batchLimit
      if let failure = self.write(batch: submissions[start..<end], weight: weight, with: statements) {
        return self.queue.fail(submissions[start...], failure) { self.committed.count(failure, submissions: $0) }
      }
      start = end
    }
  }

  /// Why the transaction failed; nil where it did not, and those who wait for it have been told.
  private mutating func write(
    batch: ArraySlice<Submission>, weight: Int, with statements: WriterStatements
  ) -> JournalError? {
    let start = ContinuousClock.now
    let outcome = Result { try self.commit(batch, with: statements) }
    let end = ContinuousClock.now
    self.last = (batch.count, end - start)
    switch outcome {
    case .success(let results):
      // The queue is given free before those who wait go on: who submits again at once is not refused for its own records.
      self.queue.finished(weight: weight)
      self.committed.publish(self.log, batch: batch, results: results, started: start, ended: end)
      for (submission, result) in zip(batch, results) {
        submission.ticket.complete(result.map(\.first), receipt: try? result.get().last)  // A failure has no receipt.
      }
      self.uncheckpointed += weight
    case .failure(let error): return journalError(error)
    }
    if self.uncheckpointed >= Self.checkpointInterval { self.tidy() }
    return nil
  }

  /// Writes a batch as one transaction. A conflict fails its own submission only; any other error fails the whole batch.
  private mutating func commit(
    _ batch: ArraySlice<Submission>, with statements: WriterStatements
  ) throws -> [Result<CommitPlace, JournalError>] {
    try self.requireFreeSpace()
    if self.mustReview {
      try self.connection.inDatabase { try self.transactions.review(self.log, in: $0) }
      self.mustReview = false
    }
    do {
      return try self.commit(batch, isolating: false, with: statements)
    } catch let error where journalError(error).code == .conflict {
      return try self.commit(batch, isolating: true, with: statements)
    }
  }

  private mutating func commit(
    _ batch: ArraySlice<Submission>, isolating: Bool, with statements: WriterStatements
  ) throws -> [Result<CommitPlace, JournalError>] {
    var log = self.log
    var results: [Result<CommitPlace, JournalError>] = []
    do {
      try self.connection.inDatabase { database in
        try statements.inTransaction(database) {
          results = try self.transactions.write(batch, isolating: isolating, to: &log, with: statements, in: database)
        }
      }
    } catch {
      self.transactions.end(committed: false)
      self.mustReview = journalError(error).code != .conflict
      throw error
    }
    self.transactions.end(committed: true)
    self.log = log
    return results
  }

  private func requireFreeSpace() throws {
    guard self.options.minimumFreeBytes > 0 else { return }
    guard let free = self.freeBytes(self.directory) else {
      throw JournalError(.failed, "the free space of \(self.directory) cannot be read; is it still mounted?")
    }
    guard free >= self.options.minimumFreeBytes else {
      throw JournalError(
        .diskFull, "\(free) bytes are free under \(self.directory); nothing is written below \(self.options.minimumFreeBytes)")
    }
  }

  // MARK: Between transactions

  /// Deletes what has expired and copies the write-ahead log back, without waiting for readers.
  private mutating func tidy() {
    self.attempt { try self.connection.inDatabase { try self.transactions.purge(before: self.log.lastAt, in: $0) } }
    guard self.uncheckpointed > 0 else { return }
    self.uncheckpointed = 0
    self.checkpoint(.passive)
  }

  private func checkpoint(_ mode: Database.CheckpointMode) {
    do {
      _ = try self.connection.inDatabase { try $0.checkpoint(mode) }
      self.committed.countCheckpoint(nil)
    } catch {
      self.committed.countCheckpoint(journalError(error))
    }
  }

  /// Closes readers, copies the write-ahead log back for good and closes the connection.
  func close(after readers: ReaderPool) {
    self.attempt { try readers.close() }
    self.checkpoint(.truncate)
    self.attempt { try self.connection.close() }
  }

  private func attempt(_ step: () throws -> Void) {
    do {
      try step()
    } catch {
      self.committed.count(journalError(error), submissions: 0)
    }
  }
}
