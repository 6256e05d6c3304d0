internal import Completions
internal import Synchronization

/// Lets one exchange wait for its allowance to be raised: the money's stop and the slow client's back-pressure in one.
final class AllowanceGate: Sendable {
  private let allowance: TokenAllowance
  private let waiting = Mutex<CheckedContinuation<Void, Never>?>(nil)

  init(_ allowance: TokenAllowance) {
    self.allowance = allowance
    allowance.onRaise { [weak self] in self?.wake() }
  }

  /// Whether a further token may be produced without waiting, or never will be.
  func isDecided(after produced: Int) -> Bool {
    let grant = self.allowance.grant
    return grant.tokens > produced || grant.isFinal
  }

  /// How many tokens may be produced after `produced`; waits while that is none and may still become more.
  ///
  /// - Returns: 0 where the grant is final.
  func room(after produced: Int) async throws(CancellationError) -> Int {
    while true {
      let grant = self.allowance.grant
      if grant.tokens > produced { return grant.tokens - produced }
      if grant.isFinal { return 0 }
      guard !Task.isCancelled else { throw CancellationError() }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          self.waiting.withLock { $0 = continuation }
          // What happened between the look and the wait would wake nobody.
          if self.allowance.grant != grant || Task.isCancelled { self.wake() }
        }
      } onCancel: {
        self.wake()
      }
    }
  }

  private func wake() {
    let continuation = self.waiting.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
    continuation?.resume()
  }
}
