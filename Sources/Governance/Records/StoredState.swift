public import GovernanceTypes
internal import UsageLedger

/// All that governance needs from earlier runs, as one consistent picture.
public struct StoredState: Sendable, Equatable {
  /// Sorted by kind and id.
  public var objects: [StoredObject] = []
  /// Holds that were never closed, by the time at which they were made.
  public var openHolds: [HoldRecord] = []
  public var settled: [SettledTotal] = []
  /// Requests that have ended, of the last minute before ``lastAt``, in the order in which they were held.
  public var recent: [RecentRequests] = []
  /// Of the months in which a request can still end: that of ``lastAt``, those of ``openHolds``, and any later one.
  public var periods: [PeriodTotal] = []
  /// What was finalised, in that order.
  public var invoices: [InvoiceSummary] = []
  /// What has gone of each grant of credit.
  public var creditUse: [CreditUse] = []
  /// Of the month of ``lastAt``, the month before it, and any later one.
  public var activeUsers: [ActiveUserMark] = []
  /// Not yet expired at ``lastAt``.
  public var idempotency: [IdempotencyRecord] = []
  /// The time of the newest log entry; the epoch where there is none.
  public var lastAt = Timestamp(nanoseconds: 0)
  /// Entries in the log.
  public var entries = 0

  public init() {}
}

/// What one key settled of the holds made in one quarter of an hour, on one day, or in all the time before: as much as a start needs
/// (`Ledger.detail(seenFrom:)`).
///
/// Tokens of all categories. A sum that is larger than a ``TokenCount`` holds is spread over several totals of the same key and
/// time, the amounts on the first.
public struct SettledTotal: Sendable, Equatable {
  public var customer: CustomerID
  public var project: ProjectID?
  public var key: KeyID
  public var currency: Currency
  public var isPrepaid: Bool
  /// The first instant of that quarter or day; 1970 for all the time before.
  public var since: Timestamp
  public var amount: NanoAmount
  public var tokens: TokenCount
  /// What the operator lost beside it.
  public var loss: NanoAmount

  /// The day from which a start looks back: what is still held may be extended in the window that it was made in.
  public static func reference(_ lastAt: Timestamp, openHolds: [HoldRecord]) -> CalendarDay {
    openHolds.reduce(lastAt.day) { min($0, $1.heldAt.day) }
  }

  public init(
    customer: CustomerID, project: ProjectID?, key: KeyID, currency: Currency, isPrepaid: Bool, since: Timestamp,
    amount: NanoAmount, tokens: TokenCount, loss: NanoAmount = .zero
  ) {
    self.customer = customer
    self.project = project
    self.key = key
    self.currency = currency
    self.isPrepaid = isPrepaid
    self.since = since
    self.amount = amount
    self.tokens = tokens
    self.loss = loss
  }

  /// The hold under which the total counts.
  var asHold: Hold {
    Hold(
      usage: UsageID(0), customer: self.customer,
      chain: chargedChain(key: self.key, project: self.project, customer: self.customer), currency: self.currency,
      amount: .zero, tokens: .zero, heldAt: self.since, isPrepaid: self.isPrepaid)
  }
}

/// What one customer settled of the holds made in one month at one price. Several of the same customer, month and price add up.
public struct PeriodTotal: Sendable, Equatable {
  public var customer: CustomerID
  public var price: PriceID
  public var month: CalendarMonth
  public var tokens: TokenUsage
  public var requests: Int

  public init(customer: CustomerID, price: PriceID, month: CalendarMonth, tokens: TokenUsage, requests: Int) {
    self.customer = customer
    self.price = price
    self.month = month
    self.tokens = tokens
    self.requests = requests
  }

  /// What one request adds to its month; nil for one that was voided.
  public init?(_ record: UsageRecord) {
    guard record.outcome == .settled else { return nil }
    self.init(
      customer: record.customer, price: record.price, month: record.heldAt.month, tokens: record.tokens, requests: 1)
  }

  /// The first month that a start needs: no request that ends later was held before it.
  public static func from(_ lastAt: Timestamp, openHolds: [HoldRecord]) -> CalendarMonth {
    openHolds.reduce(lastAt.month) { min($0, $1.heldAt.month) }
  }
}

/// One end user, by a keyed hash, in one month and one scope.
public struct ActiveUserMark: Sendable, Hashable {
  public var month: CalendarMonth
  public var scope: String
  public var fingerprint: UInt64

  public init(month: CalendarMonth, scope: String, fingerprint: UInt64) {
    self.month = month
    self.scope = scope
    self.fingerprint = fingerprint
  }
}

/// The requests of one key that were held in one second and have ended: what the limits per minute still count.
public struct RecentRequests: Sendable, Equatable {
  public var customer: CustomerID
  public var project: ProjectID?
  public var key: KeyID
  /// The second in which they were held.
  public var heldAt: Timestamp
  public var requests: Int
  public var tokens: TokenCount

  public init(
    customer: CustomerID, project: ProjectID?, key: KeyID, heldAt: Timestamp, requests: Int, tokens: TokenCount
  ) {
    self.customer = customer
    self.project = project
    self.key = key
    self.heldAt = heldAt
    self.requests = requests
    self.tokens = tokens
  }

  public static let span = Duration.seconds(60)
}

extension StoredState {
  /// What counts against the limits per minute: what has ended, and what is open, by time.
  var rated: [RecentRequests] {
    let open = self.openHolds.map {
      RecentRequests(
        customer: $0.customer, project: $0.project, key: $0.key, heldAt: $0.heldAt, requests: 1, tokens: $0.tokens)
    }
    return (self.recent + open).sorted { $0.heldAt < $1.heldAt }
  }
}
