internal import Documents
internal import GovernanceTypes
internal import Synchronization

/// Records on their way to disk that must get there: what was decided in memory by them is already relied on.
struct Unwritten: Sendable {
  /// The end of the request; nil for what ends none.
  let record: UsageRecord?
  /// All that belongs to it, written together.
  let records: [JournalRecord]
  var attempt: CommitTicket
}

/// What must still be written, in the order in which it was decided.
struct UnwrittenRecords: Sendable {
  private(set) var waiting: [Unwritten] = []
  /// Those that contradict what is stored, until they have been compared with it.
  var conflicting: [Unwritten] = []
  /// Those of which the disk holds another end: never dropped, and never written again.
  var disputed = 0

  /// Those that are not known to be on disk.
  var count: Int {
    self.waiting.count { if case .success? = $0.attempt.outcome { false } else { true } } + self.conflicting.count
  }

  /// Whether the end of a request of this customer is not known to be on disk.
  func concerns(_ customer: CustomerID) -> Bool {
    self.waiting.contains { item in
      if case .success? = item.attempt.outcome { return false }
      return item.record?.customer == customer
    } || self.conflicting.contains { $0.record?.customer == customer }
  }

  /// Something was refused at once, while others before it still wait.
  private var hasRefusal = false

  mutating func add(_ item: Unwritten) {
    self.waiting.append(item)
    if case .failure? = item.attempt.outcome { self.hasRefusal = true }
  }

  /// Lets go of what is on disk, and hands what has failed to `retry`, in order. O(what is settled meanwhile), unless something failed.
  ///
  /// - Returns: whether something had failed.
  mutating func settle(retry: (Unwritten) -> CommitTicket) -> Bool {
    // Submissions end in the order in which they were made: where the first still waits, none behind it has ended.
    let done = self.waiting.prefix { if case .success? = $0.attempt.outcome { true } else { false } }
    self.waiting.removeFirst(done.count)
    if !self.hasRefusal { guard case .failure? = self.waiting.first?.attempt.outcome else { return false } }
    self.hasRefusal = false
    var hasFailed = false
    var rest: [Unwritten] = []
    for var item in self.waiting {
      switch item.attempt.outcome {
      case .success?: continue
      case .failure(let error)? where error.code == .conflict: self.conflicting.append(item)
      case .failure?:
        hasFailed = true
        item.attempt = retry(item)
        if case .failure? = item.attempt.outcome { self.hasRefusal = true }
        rest.append(item)
      case nil: rest.append(item)
      }
    }
    self.waiting = rest
    return hasFailed
  }
}

extension Gate {
  /// Records that are not on disk yet, and how many of them contradict what is stored.
  public var unwrittenRecords: (waiting: Int, disputed: Int) {
    self.state.withLock { ($0.unwritten.count, $0.unwritten.disputed) }
  }

  /// Submits again what could not be written, before anything else is decided; true where there was something.
  @discardableResult
  func retryUnwritten(_ state: inout GateState) -> Bool { state.unwritten.settle { self.journal.submit($0.records) } }

  /// Submits records that must get to the disk, however many attempts it takes.
  func write(_ records: [JournalRecord], ending record: UsageRecord?, _ state: inout GateState) -> CommitTicket {
    let ticket = self.journal.submit(records)
    state.unwritten.add(Unwritten(record: record, records: records, attempt: ticket))
    return ticket
  }

  /// Compares settlements that conflicted with what is stored: the same record was written by an earlier attempt and is done; any
  /// other is counted as disputed.
  func reviewConflicts() async {
    let conflicting = self.state.withLock { state in
      defer { state.unwritten.conflicting = [] }
      return state.unwritten.conflicting
    }
    for item in conflicting {
      do {
        guard let record = item.record else { continue }
        if try await self.archive.usageRecord(record.usage) != record { self.state.withLock { $0.unwritten.disputed += 1 } }
      } catch {
        // The store cannot be read now: asked again next time.
        self.state.withLock { $0.unwritten.conflicting.append(item) }
      }
    }
  }

  /// Writes an entry that says the time, to find out whether the disk takes anything again.
  public func probeJournal() {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      let entry = LogEntry(.clock, at: now, [JSONMember("reason", "probe after a failed commit")])
      _ = self.write([JournalRecord(entry)], ending: nil, &state)
    }
  }

  /// What the gate does from time to time: retries, engines that have fallen silent, and a wall clock that jumped.
  public func tend() async {
    self.state.withLock { state in _ = self.retryUnwritten(&state) }
    await self.reviewConflicts()
    self.giveUpSilentEngines()
    self.watchClock()
  }

  /// Notes in the log where the wall clock and the time since the start have come apart by more than a second.
  private func watchClock() {
    self.state.withLock { state in
      let wall = self.environment.now()
      let uptime = self.environment.uptime()
      guard let (knownWall, knownUptime) = state.clocks else {
        state.clocks = (wall, uptime)
        return
      }
      let expected = knownWall.advanced(by: uptime - knownUptime)
      let (drift, overflow) = wall.nanoseconds.subtractingReportingOverflow(expected.nanoseconds)
      guard overflow || drift.magnitude > 1_000_000_000 else { return }
      state.clocks = (wall, uptime)
      let entry = LogEntry(
        .clock, at: state.tick(wall),
        [
          JSONMember("reason", "the wall clock was set"), JSONMember("wall", .string(wall.description)),
          JSONMember("expected", .string(expected.description)),
        ])
      _ = self.write([JournalRecord(entry)], ending: nil, &state)
    }
  }

  /// Gives up requests whose engine may produce and has said nothing for longer than the policy allows.
  private func giveUpSilentEngines() {
    let uptime = self.environment.uptime()
    let live = self.state.withLock { state in
      state.live = state.live.filter { $0.value.request != nil }
      return state.live.sorted { $0.key < $1.key }.compactMap(\.value.request)
    }
    for request in live { request.giveUp(at: uptime, after: self.policy.engineSilence) }
  }
}
