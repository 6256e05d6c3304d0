/// Whether a server is asked, as a value: a circuit that opens after failures in a row and closes after a trial that succeeds.
///
/// Only what the server is to blame for counts. A request that it refuses says nothing about its health; a 429 makes it rest for as
/// long as it asks to.
struct UpstreamHealth: Sendable, Equatable {
  enum Circuit: Sendable, Equatable {
    case closed
    /// Not asked before this instant.
    case open(until: Duration)
    /// One request is on trial.
    case trial
  }

  /// How one attempt went, as far as it says anything of the server.
  enum Outcome: Sendable, Equatable {
    case succeeded
    case failed
    /// It asked to be left alone for a while.
    case busy(Duration)
    /// The client went away, or the request was at fault.
    case neutral
  }

  private(set) var circuit = Circuit.closed
  private(set) var running = 0
  private var failures = 0
  /// How often it was opened without a success in between.
  private var openings = 0
  private var busyUntil = Duration.zero
  private let failuresToOpen: Int
  private let rest: Duration

  init(failuresToOpen: Int, rest: Duration) {
    self.failuresToOpen = failuresToOpen
    self.rest = rest
  }

  func mayTake(at now: Duration, limit: Int) -> Bool {
    guard self.running < limit, now >= self.busyUntil else { return false }
    return switch self.circuit {
    case .closed: true
    case .open(let until): now >= until
    case .trial: false
    }
  }

  mutating func take() {
    self.running += 1
    if case .open = self.circuit { self.circuit = .trial }
  }

  /// Ends an attempt.
  ///
  /// - Returns: How long the server rests now, where this opened the circuit.
  mutating func finish(_ outcome: Outcome, at now: Duration) -> Duration? {
    self.running -= 1
    return self.note(outcome, at: now)
  }

  /// What a probe, which is no attempt, found.
  mutating func note(_ outcome: Outcome, at now: Duration) -> Duration? {
    switch outcome {
    case .succeeded:
      self.failures = 0
      self.openings = 0
      self.circuit = .closed
    case .busy(let pause):
      self.busyUntil = max(self.busyUntil, now + pause)
      if self.circuit == .trial { self.circuit = .closed }
    case .neutral:
      if self.circuit == .trial { self.circuit = .open(until: now) }
    case .failed:
      self.failures += 1
      guard self.circuit == .trial || self.failures >= self.failuresToOpen else { return nil }
      let rest = self.rest * (1 << min(self.openings, 5))
      self.openings += 1
      self.failures = 0
      self.circuit = .open(until: now + rest)
      return rest
    }
    return nil
  }
}
