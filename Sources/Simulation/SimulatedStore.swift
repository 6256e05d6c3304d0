internal import Documents
internal import Governance
internal import GovernanceTypes
internal import Synchronization

/// The journal of one simulated process: what is submitted waits, is written, and is durable once it is synced. Each of the three is a
/// step of the schedule, and between any two the power can go.
final class SimulatedStore: Journal, Archive {
  private struct Submission {
    let records: [JournalRecord]
    let ticket: CommitTicket
  }

  private struct State {
    var waiting: [Submission] = []
    /// In the file, and not yet synced: a power cut keeps all of it or, where it is torn, none.
    var written: [Submission] = []
    var disk: StoredModel
    var failure: JournalError?
    var isDead = false
  }

  private let state: Mutex<State>
  private let auditor: IndependentAuditor
  private let queueLimit: Int

  init(disk: StoredModel, auditor: IndependentAuditor, queueLimit: Int) {
    self.state = Mutex(State(disk: disk))
    self.auditor = auditor
    self.queueLimit = queueLimit
  }

  func submit(_ records: [JournalRecord]) -> CommitTicket {
    let ticket = CommitTicket()
    let refusal = self.state.withLock { state -> JournalError? in
      guard !state.isDead else { return JournalError(.closed, "the process is dead") }
      guard state.waiting.count + state.written.count < self.queueLimit else { return JournalError(.queueFull, "too much waits") }
      state.waiting.append(Submission(records: records, ticket: ticket))
      return nil
    }
    if refusal?.code != .closed { self.auditor.submitted(records) }
    if let refusal {
      if refusal.code != .closed { self.auditor.failed(records) }
      ticket.complete(.failure(refusal))
    }
    return ticket
  }

  /// Whether an object is on disk as it was answered.
  func holds(_ object: JSON) -> Bool { self.state.withLock { state in state.disk.objects.contains { $0.body == object } } }

  var hasWork: Bool { self.state.withLock { !$0.waiting.isEmpty || !$0.written.isEmpty } }
  var isFailing: Bool { self.state.withLock { $0.failure != nil } }

  /// All transactions fail from now on; nil ends that.
  func fail(with error: JournalError?) { self.state.withLock { $0.failure = error } }

  /// The first step of a commit: the next submissions go into the file, at most so many.
  func write(most: Int) {
    self.state.withLock { state in
      guard state.written.isEmpty else { return }
      state.written = Array(state.waiting.prefix(most))
      state.waiting.removeFirst(state.written.count)
    }
  }

  /// The second step: what is in the file is durable, or has failed; those who wait for it are told.
  func sync() {
    let results = self.state.withLock { state -> [(Submission, Result<Int, JournalError>)] in
      defer { state.written = [] }
      if let failure = state.failure, !state.written.isEmpty {
        // What waits was submitted in the belief that this would be written.
        defer { state.waiting = [] }
        return (state.written + state.waiting).map { ($0, .failure(failure)) }
      }
      return state.written.map { submission in
        let first = state.disk.entries
        do throws(StoredModel.Conflict) {
          try state.disk.apply(submission.records)
          return (submission, .success(first))
        } catch {
          return (submission, .failure(JournalError(.conflict, error.detail)))
        }
      }
    }
    for (submission, result) in results {
      switch result {
      case .success: self.auditor.isDurable(submission.records)
      case .failure(let error):
        if error.code == .conflict { self.auditor.conflicted(submission.records, error.detail) }
        self.auditor.failed(submission.records)
      }
      submission.ticket.complete(result)
    }
  }

  /// The process ends at once; nothing is acknowledged any more. Gives what the disk then holds.
  ///
  /// - Parameter keepsWritten: whether what was in the file has reached the disk although no sync had returned.
  func die(keepsWritten: Bool) -> StoredModel {
    let (lost, survived, disk) = self.state.withLock { state -> ([Submission], [Submission], StoredModel) in
      state.isDead = true
      var survived: [Submission] = []
      if keepsWritten, state.failure == nil {
        for submission in state.written {
          // What conflicts was rolled back within the transaction.
          do throws(StoredModel.Conflict) { try state.disk.apply(submission.records) } catch { continue }
          survived.append(submission)
        }
      }
      let lost = state.written + state.waiting
      state.written = []
      state.waiting = []
      return (lost, survived, state.disk)
    }
    for submission in survived { self.auditor.isDurable(submission.records) }
    self.auditor.processDied()
    for submission in lost { submission.ticket.complete(.failure(JournalError(.closed, "the process is dead"))) }
    return disk
  }

  // MARK: Archive

  func entry(lookup: String) async throws -> String? { nil }
  func usage(_ query: UsageQuery) async throws -> [UsageRow] { [] }
  func usageRecords(_ query: UsageQuery, after: UsageID?, limit: Int) async throws -> [UsageRecord] { [] }
  func usageRecord(_ id: UsageID) async throws -> UsageRecord? { self.state.withLock { $0.disk.usage[id] } }
  func settled(before record: UsageRecord) async throws -> PeriodTotal? { nil }
  func attempts(of usage: UsageID) async throws -> [AttemptRecord] { [] }
  func openHolds() async throws -> [HoldRecord] { self.state.withLock { $0.disk.holds } }
}
