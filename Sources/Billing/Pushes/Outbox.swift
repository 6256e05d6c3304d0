public import GovernanceTypes

/// When a delivery that failed is tried again, and when it is given up.
public struct RetrySchedule: Sendable, Equatable {
  public var first: Duration
  /// Waits double until they are this long.
  public var longest: Duration
  /// After so many attempts a delivery is a dead letter.
  public var attempts: Int
  /// A delivery without an answer for so long is taken for failed.
  public var timeout: Duration

  public static let usual = RetrySchedule(
    first: .seconds(2), longest: .seconds(3600), attempts: 40, timeout: .seconds(30))

  public init(first: Duration, longest: Duration, attempts: Int, timeout: Duration) {
    self.first = first
    self.longest = longest
    self.attempts = attempts
    self.timeout = timeout
  }

  /// The wait after so many failed attempts.
  func wait(after attempts: Int) -> Duration {
    var wait = self.first
    for _ in 0..<max(0, attempts - 1) where wait < self.longest { wait = min(wait * 2, self.longest) }
    return min(wait, self.longest)
  }
}

/// What became of an attempt.
public enum DeliveryOutcome: Sendable, Equatable {
  /// Accepted, or known to the receiver from an attempt before.
  case accepted
  /// 429, with the wait that the receiver asks for.
  case throttled(Duration?)
  /// Another attempt may succeed: 5xx, 408, or no connection.
  case failed(String)
  /// No attempt will succeed as it is: another 4xx.
  case refused(String)

  /// What an answer of HTTP means. Where the address or the credentials are wrong, the message is not: it waits until they are right.
  public init(status: Int, retryAfter: Duration? = nil) {
    switch status {
    case 200..<300, 409: self = .accepted
    case 429: self = .throttled(retryAfter)
    case 401, 403, 404, 408, 425, 500...: self = .failed("status \(status)")
    default: self = .refused("status \(status)")
    }
  }
}

/// Deliveries on their way to one receiver, each at least once: a projection of what the log says was put in and what was answered.
///
/// Nothing is dropped: a delivery ends as acknowledged, or as a dead letter that can be replayed.
public struct Outbox<Payload: Sendable>: Sendable {
  public enum State: Sendable, Equatable {
    case pending(from: Timestamp)
    case inFlight(since: Timestamp)
    case acknowledged(Timestamp)
    case dead(reason: String)
  }

  public struct Delivery: Sendable {
    public let id: String
    public let payload: Payload
    /// Deliveries of one lane go one at a time, oldest first.
    public let lane: String?
    public fileprivate(set) var state: State
    /// Attempts that may have arrived: what was refused or put off has not.
    public fileprivate(set) var attempts = 0
    public fileprivate(set) var lastFailure: String?
    /// A batch with it was refused: from now on it goes by itself, so that the others are not refused for it.
    public fileprivate(set) var goesAlone = false
  }

  public let schedule: RetrySchedule
  private var deliveries: [String: Delivery] = [:]
  /// Ids of all that is neither acknowledged nor dead, in the order in which they came.
  private var waiting: [String] = []

  public init(schedule: RetrySchedule = .usual) { self.schedule = schedule }

  /// Puts a delivery in; false, and nothing changed, if it was there before, whatever became of it.
  public mutating func add(_ id: String, _ payload: Payload, lane: String? = nil, at now: Timestamp) -> Bool {
    guard self.deliveries[id] == nil else { return false }
    self.deliveries[id] = Delivery(id: id, payload: payload, lane: lane, state: .pending(from: now))
    self.waiting.append(id)
    return true
  }

  /// Takes over a delivery that was stored, in the order in which they came; false if it is there. What was in flight is pending at
  /// once: nobody waits for its answer any more, and the receiver knows it by its id if it arrived.
  public mutating func restore(
    _ id: String, _ payload: Payload, lane: String? = nil, state: State, attempts: Int, lastFailure: String? = nil
  ) -> Bool {
    guard self.deliveries[id] == nil else { return false }
    var delivery = Delivery(id: id, payload: payload, lane: lane, state: state)
    delivery.attempts = max(0, attempts)
    delivery.lastFailure = lastFailure
    if case .inFlight(let since) = state { delivery.state = .pending(from: since) }
    self.deliveries[id] = delivery
    if case .pending = delivery.state { self.waiting.append(id) }
    return true
  }

  /// Takes what is due, oldest first, at most `limit`; it is in flight from now on. What has been in flight for too long has failed.
  /// O(waiting).
  public mutating func take(_ limit: Int, at now: Timestamp) -> [Delivery] {
    self.expire(at: now)
    // A lane waits for its oldest delivery, even while that one waits for its next attempt.
    var busy: Set<String> = []
    var taken: [Delivery] = []
    for id in self.waiting {
      guard taken.count < limit else { break }
      guard var delivery = self.deliveries[id] else { continue }
      if let lane = delivery.lane, !busy.insert(lane).inserted { continue }
      guard case .pending(let from) = delivery.state, from <= now else { continue }
      delivery.state = .inFlight(since: now)
      delivery.attempts += 1
      self.deliveries[id] = delivery
      taken.append(delivery)
    }
    return taken
  }

  /// Groups what was taken into batches of at most `size`.
  public static func batches(_ taken: [Delivery], of size: Int) -> [[Delivery]] {
    var batches = taken.filter(\.goesAlone).map { [$0] }
    let others = taken.filter { !$0.goesAlone }
    for start in stride(from: 0, to: others.count, by: max(1, size)) {
      batches.append(Array(others[start..<min(start + max(1, size), others.count)]))
    }
    return batches
  }

  /// Notes what became of attempts: of a whole batch at once. Answers that come late count too: an acceptance always, a failure only for what is in flight.
  public mutating func finish(_ ids: [String], _ outcome: DeliveryOutcome, at now: Timestamp) {
    for id in ids {
      guard var delivery = self.deliveries[id] else { continue }
      if case .acknowledged = delivery.state { continue }
      guard outcome != .accepted else {
        delivery.state = .acknowledged(now)
        self.deliveries[id] = delivery
        continue
      }
      guard case .inFlight = delivery.state else { continue }
      if case .refused(let reason) = outcome, ids.count > 1 {
        delivery.goesAlone = true
        delivery.attempts -= 1
        delivery.lastFailure = reason
        delivery.state = .pending(from: now)
      } else {
        self.fail(&delivery, outcome, at: now)
      }
      self.deliveries[id] = delivery
    }
    self.forgetEnded()
  }

  /// Sends a dead letter, or one that was acknowledged and got lost at the receiver, once more from the start; false if there is none.
  public mutating func replay(_ id: String, at now: Timestamp) -> Bool {
    guard var delivery = self.deliveries[id] else { return false }
    switch delivery.state {
    case .pending, .inFlight: return false
    case .acknowledged, .dead:
      delivery.state = .pending(from: now)
      delivery.attempts = 0
      self.deliveries[id] = delivery
      self.waiting.append(id)
      return true
    }
  }

  public func delivery(_ id: String) -> Delivery? { self.deliveries[id] }
  public var isIdle: Bool { self.waiting.isEmpty }
  /// Those that are neither acknowledged nor dead.
  public var waitingCount: Int { self.waiting.count }

  public var deadLetters: [Delivery] {
    self.deliveries.values.filter { if case .dead = $0.state { true } else { false } }.sorted { $0.id < $1.id }
  }

  public var acknowledged: [Delivery] {
    self.deliveries.values.filter { if case .acknowledged = $0.state { true } else { false } }.sorted { $0.id < $1.id }
  }

  /// Forgets what was acknowledged before an instant, once it has been reconciled.
  public mutating func forget(acknowledgedBefore instant: Timestamp) {
    self.deliveries = self.deliveries.filter { _, delivery in
      if case .acknowledged(let time) = delivery.state { time >= instant } else { true }
    }
  }

  private mutating func expire(at now: Timestamp) {
    for id in self.waiting {
      guard var delivery = self.deliveries[id], case .inFlight(let since) = delivery.state else { continue }
      guard since.advanced(by: self.schedule.timeout) <= now else { continue }
      self.fail(&delivery, .failed("no answer"), at: now)
      self.deliveries[id] = delivery
    }
    self.forgetEnded()
  }

  private func fail(_ delivery: inout Delivery, _ outcome: DeliveryOutcome, at now: Timestamp) {
    let wait = self.schedule.wait(after: delivery.attempts)
    switch outcome {
    case .accepted: return
    case .refused(let reason):
      delivery.lastFailure = reason
      delivery.attempts -= 1
      delivery.state = .dead(reason: reason)
    // The receiver is well and says when: that is no failure of the delivery, and uses up no attempt.
    case .throttled(let asked):
      delivery.lastFailure = "status 429"
      delivery.attempts -= 1
      delivery.state = .pending(from: now.advanced(by: min(max(asked ?? wait, self.schedule.first), self.schedule.longest)))
    case .failed(let reason):
      delivery.lastFailure = reason
      let isLast = delivery.attempts >= self.schedule.attempts
      delivery.state = isLast ? .dead(reason: reason) : .pending(from: now.advanced(by: wait))
    }
  }

  private mutating func forgetEnded() {
    self.waiting.removeAll { id in
      switch self.deliveries[id]?.state {
      case .pending, .inFlight: false
      case .acknowledged, .dead, nil: true
      }
    }
  }
}
