internal import GovernanceTypes

/// A sum over the last sixty seconds, kept by second in fixed memory.
///
/// The window slides: at no instant do the sixty seconds before it hold more than the limit.
struct MinuteWindow: Sendable {
  private var sums = [Int](repeating: 0, count: 60)
  private var newest: Int64 = 0

  /// Nil if `amount` fits under `limit` now, else how long until it will; an amount above the limit itself never fits and
  /// waits a whole minute.
  func wait(adding amount: Int, limit: Int, at now: Timestamp) -> Duration? {
    let second = now.seconds
    var over = self.sum(at: second) + amount - limit
    guard over > 0 else { return nil }
    for age in stride(from: Int64(59), through: 0, by: -1) {
      over -= self.value(at: second - age, now: second)
      if over <= 0 { return .seconds(60 - age) }
    }
    return .seconds(60)
  }

  /// What the last minute leaves of a limit.
  func measure(limit: Int, at now: Timestamp) -> RateState.Measure {
    let second = now.seconds
    let newest = (0..<60).first { self.value(at: second - Int64($0), now: second) != 0 }
    return RateState.Measure(
      limit: limit, remaining: max(0, limit - self.sum(at: second)), reset: newest.map { .seconds(60 - $0) } ?? .zero)
  }

  mutating func add(_ amount: Int, at now: Timestamp) {
    self.advance(to: now.seconds)
    self.sums[self.slot(max(now.seconds, self.newest))] += amount
  }

  /// Changes what was added at an earlier instant, if that is still inside the window.
  mutating func correct(by amount: Int, addedAt: Timestamp, now: Timestamp) {
    self.advance(to: now.seconds)
    guard addedAt.seconds > self.newest - 60, addedAt.seconds <= self.newest else { return }
    self.sums[self.slot(addedAt.seconds)] += amount
  }

  private func slot(_ second: Int64) -> Int { Int(second % 60) }

  private func value(at second: Int64, now: Int64) -> Int {
    second > self.newest - 60 && second <= self.newest && second > now - 60 ? self.sums[self.slot(second)] : 0
  }

  private func sum(at second: Int64) -> Int {
    (0..<60).reduce(0) { $0 + self.value(at: second - Int64($1), now: second) }
  }

  private mutating func advance(to second: Int64) {
    guard second > self.newest else { return }
    for passed in max(self.newest + 1, second - 59)...second { self.sums[self.slot(passed)] = 0 }
    self.newest = second
  }
}
