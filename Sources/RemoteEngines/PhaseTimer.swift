internal import NIOCore
internal import Synchronization

/// Ends an exchange that stays in one phase for too long: one scheduled task for all its phases, moved only when it fires.
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
    /// When the scheduled task fires.
    var armedFor = NIODeadline.distantFuture
    var expire: (@Sendable () -> Void)?
    var task: Scheduled<Void>?
  }

  private let state = Mutex(State())
  private let loop: any EventLoop
  private let timeouts: UpstreamTimeouts
  private let end: NIODeadline

  init(_ timeouts: UpstreamTimeouts, on loop: any EventLoop) {
    self.timeouts = timeouts
    self.loop = loop
    self.end = .now() + timeouts.total
  }

  /// The phase in which time ran out; nil where it did not.
  var expired: Phase? { self.state.withLock { $0.expired } }

  /// - Parameter expire: Called once, where a phase takes too long.
  func start(_ expire: @escaping @Sendable () -> Void) {
    let first = NIODeadline.now() + self.timeouts.firstByte
    self.state.withLock { state in
      state.expire = expire
      state.phaseEnd = first
    }
    self.arm(min(first, self.end))
  }

  /// The server is to send something now.
  func enter(_ phase: Phase) {
    let limit = phase == .firstByte ? self.timeouts.firstByte : self.timeouts.betweenChunks
    let end = NIODeadline.now() + limit
    let isSooner = self.state.withLock { state in
      state.phase = phase
      state.phaseEnd = end
      return end < state.armedFor
    }
    // Only the first phase, which is longer, can leave the task set too late.
    if isSooner { self.arm(min(end, self.end)) }
  }

  /// The exchange waits for its own client: only the total runs on.
  func pause() { self.state.withLock { $0.phaseEnd = nil } }

  func stop() {
    let task = self.state.withLock { state -> Scheduled<Void>? in
      state.expire = nil
      defer { state.task = nil }
      return state.task
    }
    task?.cancel()
  }

  private func arm(_ deadline: NIODeadline) {
    let task = self.loop.scheduleTask(deadline: deadline) { self.fire() }
    let useless = self.state.withLock { state -> Scheduled<Void>? in
      guard state.expire != nil else { return task }
      defer {
        state.task = task
        state.armedFor = deadline
      }
      return state.task
    }
    useless?.cancel()
  }

  private func fire() {
    let now = NIODeadline.now()
    let (next, expire) = self.state.withLock { state -> (NIODeadline?, (@Sendable () -> Void)?) in
      guard let expire = state.expire else { return (nil, nil) }
      // A pause may end at any time, so it is looked at again after one phase.
      let deadline = min(state.phaseEnd ?? now + self.timeouts.betweenChunks, self.end)
      guard deadline <= now else { return (deadline, nil) }
      state.expired = now >= self.end ? .total : state.phase
      state.expire = nil
      return (nil, expire)
    }
    expire?()
    if let next { self.arm(next) }
  }
}
