internal import Foundation

/// How long is waited for what is to come: what comes ends the wait, so a busy machine gets three times what an idle one needs.
enum Patience {
  static func end(of patience: Duration) -> ContinuousClock.Instant { .now + patience * 3 }
}

/// Moves many calls at once on the thread that asks, until something holds.
enum Exchange {
  /// - Throws: ``Failure`` where the condition does not hold in time.
  static func drive(
    _ calls: [HTTPCall], within patience: Duration, _ what: String = "all calls are over", until isDone: () throws -> Bool
  ) async throws {
    let deadline = Patience.end(of: patience)
    while !(try isDone()) {
      guard ContinuousClock.now < deadline else { throw Failure("not within \(patience): \(what)") }
      try Task.checkCancellation()
      let open = calls.filter { !$0.isOver }
      var interests = open.map(\.interest)
      // A short wait: other suites may share this thread.
      _ = poll(&interests, nfds_t(interests.count), 4)
      for call in open { call.advance() }
      await Task.yield()
    }
  }

  static func finish(_ calls: [HTTPCall], within patience: Duration) async throws {
    try await self.drive(calls, within: patience) { calls.allSatisfy(\.isOver) }
  }

  /// Asks again and again until the answer will do.
  @discardableResult
  static func await<Value>(
    _ what: String, within patience: Duration = .seconds(10), _ ask: () async throws -> Value?
  ) async throws -> Value {
    let deadline = Patience.end(of: patience)
    while true {
      if let value = try await ask() { return value }
      guard ContinuousClock.now < deadline else { throw Failure("not within \(patience): \(what)") }
      try await Task.sleep(for: .milliseconds(10))
    }
  }
}
