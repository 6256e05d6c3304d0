public import GovernanceTypes

/// What has been written, for those who read: reports, exports, explanations. Reads never block writes.
public protocol Archive: Sendable {
  /// The canonical line of the entry with this lookup id; nil where there is none.
  func entry(lookup: String) async throws -> String?
  func usage(_ query: UsageQuery) async throws -> [UsageRow]
  /// Usage records in the order that is asked for, in pages.
  func usageRecords(_ query: UsageQuery, after: UsageID?, limit: Int) async throws -> [UsageRecord]
  func usageRecord(_ id: UsageID) async throws -> UsageRecord?
  /// What the customer of a settled request had settled before it, of the holds of the same month at the same price, in the order in which
  /// requests ended; nil for nothing.
  func settled(before record: UsageRecord) async throws -> PeriodTotal?
  /// The attempts of one request at remote engines, in order.
  func attempts(of usage: UsageID) async throws -> [AttemptRecord]
  func openHolds() async throws -> [HoldRecord]
}

/// Which settled usage, and how it is summed. Requests belong to the instant at which they were held.
public struct UsageQuery: Sendable, Equatable {
  public enum Grouping: String, Sendable, CaseIterable { case customer, project, key, model, day, month }
  /// How records follow on one another.
  public enum Order: Sendable { case settlement, hold }

  public var customer: CustomerID?
  public var key: KeyID?
  public var model: ModelID?
  /// Included.
  public var from: Timestamp?
  /// Not included.
  public var to: Timestamp?
  public var grouping: [Grouping]
  public var order: Order

  public init(
    customer: CustomerID? = nil, key: KeyID? = nil, model: ModelID? = nil, from: Timestamp? = nil, to: Timestamp? = nil,
    grouping: [Grouping] = [], order: Order = .settlement
  ) {
    self.customer = customer
    self.key = key
    self.model = model
    self.from = from
    self.to = to
    self.grouping = grouping
    self.order = order
  }
}

/// One line of a usage report. Amounts of different currencies are never on one line.
public struct UsageRow: Sendable, Equatable {
  public var customer: CustomerID?
  public var project: ProjectID?
  public var key: KeyID?
  public var model: ModelID?
  public var day: CalendarDay?
  public var month: CalendarMonth?
  public var requests: Int
  public var tokens: TokenUsage
  public var amount: NanoAmount
  public var currency: Currency

  public init(requests: Int, tokens: TokenUsage, amount: NanoAmount, currency: Currency) {
    self.requests = requests
    self.tokens = tokens
    self.amount = amount
    self.currency = currency
  }
}
