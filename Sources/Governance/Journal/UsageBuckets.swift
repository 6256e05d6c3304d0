public import GovernanceTypes

/// Settled usage by equal spans of time. Requests belong to the instant at which they were held.
public struct UsageBucketQuery: Sendable, Equatable {
  public enum Width: String, Sendable, CaseIterable {
    case minute = "1m"
    case hour = "1h"
    case day = "1d"

    public var seconds: Int64 {
      switch self {
      case .minute: 60
      case .hour: 3600
      case .day: 86_400
      }
    }

    /// The first instant of the span that an instant is in, by UTC.
    public func start(of instant: Timestamp) -> Timestamp {
      Timestamp(seconds: instant.seconds / self.seconds * self.seconds)
    }
  }

  public enum Grouping: String, Sendable, CaseIterable { case project, key, model }

  /// Included; the first instant of a span.
  public var from: Timestamp
  /// Not included.
  public var to: Timestamp
  public var width: Width
  public var grouping: [Grouping]
  /// Only usage of these; empty for all.
  public var projects: [ProjectID] = []
  public var keys: [KeyID] = []
  public var models: [ModelID] = []

  public init(from: Timestamp, to: Timestamp, width: Width, grouping: [Grouping] = []) {
    self.from = from
    self.to = to
    self.width = width
    self.grouping = grouping
  }

  /// Whether a request is asked about.
  public func takes(_ record: UsageRecord) -> Bool {
    guard record.outcome == .settled, self.from <= record.heldAt, record.heldAt < self.to else { return false }
    return (self.projects.isEmpty || record.project.map { self.projects.contains($0) } ?? false)
      && (self.keys.isEmpty || self.keys.contains(record.key)) && (self.models.isEmpty || self.models.contains(record.model))
  }
}

/// Sums of one span and group. Amounts of different currencies are never in one.
public struct UsageBucketRow: Sendable, Equatable {
  /// The first instant of the span.
  public var start: Timestamp
  public var project: ProjectID?
  public var key: KeyID?
  public var model: ModelID?
  public var currency: Currency
  public var requests: Int
  public var tokens: TokenUsage
  public var amount: NanoAmount

  public init(
    start: Timestamp, project: ProjectID?, key: KeyID?, model: ModelID?, currency: Currency, requests: Int, tokens: TokenUsage,
    amount: NanoAmount
  ) {
    self.start = start
    self.project = project
    self.key = key
    self.model = model
    self.currency = currency
    self.requests = requests
    self.tokens = tokens
    self.amount = amount
  }
}
