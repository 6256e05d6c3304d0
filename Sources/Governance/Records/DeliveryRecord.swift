public import GovernanceTypes

/// A message on its way to a receiver outside: a webhook, or an event for a metering service. It is kept until it is acknowledged and
/// compared, or for good where the receiver never took it.
public struct DeliveryRecord: Sendable, Equatable {
  public enum State: String, Sendable, CaseIterable { case pending, acknowledged, dead }

  /// The receiver's id in the configuration.
  public var receiver: String
  /// The same in every attempt, and for the same content whenever it is made.
  public var id: String
  /// Deliveries of one lane go one at a time.
  public var lane: String?
  public var payload: String
  public var state: State
  /// Not to be tried before, or since when it is acknowledged or dead.
  public var at: Timestamp
  public var attempts: Int
  public var failure: String?

  public init(
    receiver: String, id: String, lane: String? = nil, payload: String, state: State = .pending, at: Timestamp, attempts: Int = 0,
    failure: String? = nil
  ) {
    self.receiver = receiver
    self.id = id
    self.lane = lane
    self.payload = payload
    self.state = state
    self.at = at
    self.attempts = attempts
    self.failure = failure
  }
}
