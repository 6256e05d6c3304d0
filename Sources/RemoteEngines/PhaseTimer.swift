internal import NIOCore
internal import Synchronization

/// Ends an exchange that stays in one phase for too long. It is looked at from time to time by a ``PhaseWatch``, so entering a phase costs
/// one reading of the clock.
final class PhaseTimer: Sendable {
  enum Phase: String, Sendable {
    case firstByte = "the first token"
    case betweenChunks = "the next token"
    case total = "the end of the answer"
  }

  private struct State {
    var phase = Phase.firstByte
    /// When the phase is over; nil while the exchange waits for its own client.
    var phaseEnd: NIODeadline?
    var expired: Phase?
    var expire: (@Sendable () -> Void)?
  }

  private let state: Mutex<State>
  private let timeouts: UpstreamTimeouts
  private let end: NIODeadline

  init(_ timeouts: UpstreamTimeouts) {
    let now = NIODeadline.now()
    self.timeouts = timeouts
    self.end = now + timeouts.total
    self.state = Mutex(State(phaseEnd: now + timeouts.firstByte))
  }

  /// - Parameter expire: Called once, where a phase takes too long.
  func onExpiry(_ expire: @escaping @Sendable () -> Void) { self.state.withLock { $0.expire = expire } }

  /// The phase in which time ran out; nil where it did not.
  var expired: Phase? { self.state.withLock { $0.expired } }

  /// The server is to send something now.
  func enter(_ phase: Phase) {
    let end = NIODeadline.now() + (phase == .firstByte ? self.timeouts.firstByte : self.timeouts.betweenChunks)
    self.state.withLock { state in
      state.phase = phase
      state.phaseEnd = end
    }
  }

  /// The exchange waits for its own client: only the total runs on.
  func pause() { self.state.withLock { $0.phaseEnd = nil } }

  /// Nothing expires any more.
  func stop() { self.state.withLock { $0.expire = nil } }

  func look(at now: NIODeadline) {
    let expire = self.state.withLock { state -> (@Sendable () -> Void)? in
      guard let expire = state.expire, min(state.phaseEnd ?? .distantFuture, self.end) <= now else { return nil }
      state.expired = now >= self.end ? .total : state.phase
      state.expire = nil
      return expire
    }
    expire?()
  }
}

/// Looks at the timers of all exchanges with one server, as long as there are any.
///
/// A phase ends late by a quarter of the shortest phase at most, and by no more than a second.
final class PhaseWatch: Sendable {
  private struct State {
    var timers: [ObjectIdentifier: PhaseTimer] = [:]
    var isArmed = false
  }

  private let state = Mutex(State())
  private let interval: TimeAmount

  init(_ timeouts: UpstreamTimeouts) {
    let shortest = min(timeouts.firstByte, timeouts.betweenChunks, timeouts.total)
    self.interval = .nanoseconds(min(max(shortest.nanoseconds / 4, 5_000_000), 1_000_000_000))
  }

  func add(_ timer: PhaseTimer, on loop: any EventLoop) {
    let mustArm = self.state.withLock { state in
      state.timers[ObjectIdentifier(timer)] = timer
      defer { state.isArmed = true }
      return !state.isArmed
    }
    if mustArm { self.arm(on: loop) }
  }

  func remove(_ timer: PhaseTimer) { self.state.withLock { $0.timers[ObjectIdentifier(timer)] = nil } }

  private func arm(on loop: any EventLoop) {
    loop.scheduleTask(in: self.interval) {
      let timers = self.state.withLock { state in
        state.isArmed = !state.timers.isEmpty
        return Array(state.timers.values)
      }
      let now = NIODeadline.now()
      for timer in timers { timer.look(at: now) }
      if !timers.isEmpty { self.arm(on: loop) }
    }
  }
}
