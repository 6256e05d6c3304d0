internal import Documents
internal import GovernanceTypes
internal import Synchronization

/// Records that the disk must still get.
struct Unwritten: Sendable {
  /// The end of the request; nil for what ends none.
  let record: UsageRecord?
  /// All that belongs to it, written together.
  let records: [JournalRecord]
  var attempt: CommitTicket?
  /// The disk holds another end of the same request: it is not written again, and the operator is told.
  var isDisputed = false
}

extension Gate {
  /// Keeps a settlement that the disk did not take; it goes first when the next one is made, or when asked.
  func retryLater(_ settled: Settling) {
    guard !settled.records.isEmpty else { return }
    self.state.withLock { state in
      state.unwritten.append(Unwritten(record: settled.record, records: settled.records, attempt: nil))
    }
  }

  /// Records that could not be written yet, and how many of them contradict what is stored.
  public var unwrittenRecords: (waiting: Int, disputed: Int) {
    self.state.withLock { state in
      let disputed = state.unwritten.count { $0.isDisputed }
      let waiting = state.unwritten.count { if case .success = $0.attempt?.outcome { false } else { !$0.isDisputed } }
      return (waiting, disputed)
    }
  }

  /// Submits again what could not be written. Called before each settlement and from time to time.
  ///
  /// A conflict is not tried again here: ``reviewConflicts()`` finds out what it means.
  func flushRetries() {
    self.state.withLock { state in
      guard !state.unwritten.isEmpty else { return }
      state.unwritten.removeAll { if case .success = $0.attempt?.outcome { true } else { false } }
      for (index, item) in state.unwritten.enumerated() where !item.isDisputed {
        switch item.attempt?.outcome {
        case .failure(let error) where error.code == .conflict: continue
        case .failure: state.unwritten[index].attempt = self.journal.submit(item.records)
        case .success: continue
        case nil where item.attempt != nil: continue
        case nil: state.unwritten[index].attempt = self.journal.submit(item.records)
        }
      }
    }
  }

  /// Compares settlements that conflicted with what is stored: the same record was written by an earlier attempt and is done; any
  /// other is kept, counted as disputed and never dropped.
  func reviewConflicts() async {
    let conflicting = self.state.withLock { state in
      state.unwritten.compactMap { item -> UsageRecord? in
        guard !item.isDisputed, case .failure(let error)? = item.attempt?.outcome, error.code == .conflict else { return nil }
        return item.record
      }
    }
    for record in conflicting {
      let stored: UsageRecord?
      do { stored = try await self.archive.usageRecord(record.usage) } catch { continue }  // Asked again next time.
      self.state.withLock { state in
        guard let place = state.unwritten.firstIndex(where: { $0.record?.usage == record.usage && !$0.isDisputed }) else { return }
        if stored == record { state.unwritten.remove(at: place) } else { state.unwritten[place].isDisputed = true }
      }
    }
  }

  /// Writes an entry that says the time, to find out whether the disk takes anything again.
  public func probeJournal() {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      let entry = LogEntry(.clock, at: now, [JSONMember("reason", "probe after a failed commit")])
      state.unwritten.append(
        Unwritten(record: nil, records: [JournalRecord(entry)], attempt: self.journal.submit([JournalRecord(entry)])))
    }
  }

  /// What the gate does from time to time: retries, engines that have fallen silent, and a wall clock that jumped.
  public func tend() async {
    self.flushRetries()
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
      state.unwritten.append(
        Unwritten(record: nil, records: [JournalRecord(entry)], attempt: self.journal.submit([JournalRecord(entry)])))
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
