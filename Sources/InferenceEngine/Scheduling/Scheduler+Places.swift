internal import Completions
internal import Tensors

/// Who is in memory.
extension Scheduler {
  /// Fills free places, first for the key that has fewest, with sequences that had one before or with new ones.
  func admit() {
    while let key = self.nextKey() {
      if let index = self.suspended.firstIndex(where: { $0.canResume && $0.submission.fairnessKey == key }) {
        let sequence = self.suspended[index]
        guard self.makePlace(for: key, blocks: sequence.missingBlocks - self.heldBlocks(sequence.submission)) else { return }
        // Its own line may have grown by who gave up a place for it.
        self.suspended.removeAll { $0 === sequence }
        self.running.append(sequence)
      } else if let submission = self.inbox.first(of: key) {
        let positions = submission.prompt.tokens.count + 1
        let blocks = self.pool.shape.blocks(positions: positions) - self.heldBlocks(submission)
        guard self.makePlace(for: key, blocks: blocks), let taken = self.inbox.takeFirst(of: key) else { return }
        self.running.append(self.makeSequence(taken))
      } else {
        return
      }
    }
  }

  /// The key whose turn it is for a place: fewest places, then least served, then longest waiting.
  private func nextKey() -> String? {
    var waiting: [(key: String, number: UInt64)] = self.inbox.waitingKeys
    for sequence in self.suspended where sequence.canResume { waiting.append((sequence.submission.fairnessKey, 0)) }
    guard waiting.count > 1 else { return waiting.first?.key }
    let places = self.places()
    return waiting.min { a, b in
      (places[a.key] ?? 0, self.shares.served(a.key), a.number) < (places[b.key] ?? 0, self.shares.served(b.key), b.number)
    }?.key
  }

  /// Sequences in memory by key, those that wait for an allowance left out.
  private func places() -> [String: Int] {
    self.running.reduce(into: [:]) { $0[$1.submission.fairnessKey, default: 0] += $1.isParked ? 0 : 1 }
  }

  /// Blocks of a prompt that sequences in memory hold already.
  private func heldBlocks(_ submission: Submission) -> Int {
    guard let prefixes = self.prefixes, let scope = submission.prompt.request.cacheScope else { return 0 }
    return prefixes.heldBlocks(scope: scope, submission.prompt.tokens)
  }

  /// Sees to it that there is a place and memory for a sequence of a key: whoever waits for an allowance gives up its own, then the newest
  /// sequence of a key that has at least two places more.
  private func makePlace(for key: String, blocks: Int) -> Bool {
    while true {
      let promised = self.running.reduce(0) { $0 + ($1.isPrefilling ? $1.missingBlocks : 0) }
      // An empty engine has memory for any sequence.
      let fits = self.running.isEmpty || self.pool.available - promised >= blocks
      if self.running.count < self.maximumSequences && fits { return true }
      guard let victim = self.running.first(where: \.isParked) ?? self.newestOfLargestShare(beside: key) else { return false }
      self.suspend(victim)
    }
  }

  private func newestOfLargestShare(beside key: String) -> RunningSequence? {
    let places = self.places()
    guard let largest = places.max(by: { $0.value < $1.value }), largest.value >= (places[key] ?? 0) + 2 else { return nil }
    return self.running.last { $0.submission.fairnessKey == largest.key && !$0.isParked }
  }

  /// Sees to it that a running sequence has room for `positions` positions; others give theirs up where memory is short, and where the
  /// sequence itself is the newest of the key that holds most, it gives up its own. False where the sequence has no place any more.
  func makeRoom(for sequence: RunningSequence, positions: Int) -> Bool {
    while true {
      do {
        try sequence.cache.reserve(positions: positions)
        return true
      } catch {
        let parked = self.running.first { $0.isParked && $0 !== sequence }
        guard self.running.count > 1, let victim = parked ?? self.newestOfMostMemory() else {
          self.fail(sequence, error.message)
          return false
        }
        self.suspend(victim)
        if victim === sequence { return false }
      }
    }
  }

  private func newestOfMostMemory() -> RunningSequence? {
    let held = self.running.reduce(into: [String: Int]()) { $0[$1.submission.fairnessKey, default: 0] += $1.cache.blockCount }
    guard let most = held.max(by: { $0.value < $1.value })?.key else { return nil }
    return self.running.last { $0.submission.fairnessKey == most && $0.cache.blockCount > 0 }
  }

  private func suspend(_ sequence: RunningSequence) {
    self.running.removeAll { $0 === sequence }
    sequence.suspend(pool: self.pool)
    self.suspended.append(sequence)
    self.statistics.suspensions += 1
  }
}
