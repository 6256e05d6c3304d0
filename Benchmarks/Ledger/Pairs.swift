internal import Governance
internal import GovernanceStore
internal import Synchronization

/// What all clients share.
private final class Tally: Sendable {
  let next = Atomic<Int>(0)
  let times = Mutex<[Duration]>([])
}

/// Clients that each hold, wait for the disk, settle and wait again, without a pause.
func measurePairs(in directory: String, clients: Int, seconds: Int) async throws {
  let store = try freshStore(in: directory)
  let tally = Tally()
  let start = ContinuousClock.now
  let end = start + .seconds(seconds)
  try await withThrowingTaskGroup(of: Void.self) { group in
    for _ in 0..<clients {
      group.addTask {
        var own: [Duration] = []
        while ContinuousClock.now < end {
          let records = PairRecords(number: tally.next.add(1, ordering: .relaxed).oldValue)
          let before = ContinuousClock.now
          try await store.submit(records.opening).durable()
          let held = ContinuousClock.now
          try await store.submit(records.closing).durable()
          own.append(held - before)
          own.append(ContinuousClock.now - held)
        }
        tally.times.withLock { [own] in $0 += own }
      }
    }
    try await group.waitForAll()
  }
  let elapsed = (ContinuousClock.now - start).seconds
  let statistics = store.statistics
  let sorted = tally.times.withLock { $0.sorted() }
  say(
    "\(clients) clients: \(fixed(Double(sorted.count / 2) / elapsed, 0)) hold and settle pairs/s; one durable step "
      + "p50 \(fixed(sorted.percentile(0.5).seconds * 1000)) ms, p99 \(fixed(sorted.percentile(0.99).seconds * 1000)) ms; "
      + "\(fixed(Double(statistics.entries) / Double(max(1, statistics.commits)))) entries a commit, "
      + "\(fixed(Double(statistics.commits) / elapsed, 0)) commits/s")
  await store.close()
}
