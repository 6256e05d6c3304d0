public import GovernanceTypes

/// What billing reads of what has been written.
public protocol BillingArchive: Sendable {
  /// What one customer settled of a month's holds, by price, with the places of the settlements in the log.
  func settled(by customer: CustomerID, in month: CalendarMonth) async throws -> [SettledMonth]
  /// The same of several customers, without places, by customer and price.
  ///
  /// - Parameter customers: in the order of their ids, without a customer left out between.
  func settled(in month: CalendarMonth, customers: [CustomerID]) async throws -> [SettledMonth]
  /// What each grant of credit paid of one customer's month.
  func creditUsed(by customer: CustomerID, in month: CalendarMonth) async throws -> [CreditUse]
  /// Settled usage by spans of time, in the order of spans and groups.
  func usageBuckets(_ query: UsageBucketQuery) async throws -> [UsageBucketRow]
  /// A finalised document; nil where there is none.
  func invoice(_ id: InvoiceID) async throws -> InvoiceRecord?
}

/// What one customer settled of the holds made in one month at one price.
public struct SettledMonth: Sendable, Equatable {
  public var customer: CustomerID
  public var price: PriceID
  public var tokens: TokenUsage
  public var requests: Int
  public var amount: NanoAmount
  /// What of it prepaid credit paid.
  public var prepaid: NanoAmount
  /// Produced for these requests, and those that were voided, and by policy charged to nobody.
  public var undelivered: Int
  /// The price of what may have been delivered and is charged to nobody, because the process died.
  public var loss: NanoAmount
  /// Of the settlements in the log, ascending; empty where they were not asked for.
  public var positions: [Int]

  public init(
    customer: CustomerID, price: PriceID, tokens: TokenUsage, requests: Int, amount: NanoAmount, prepaid: NanoAmount,
    undelivered: Int, loss: NanoAmount = .zero, positions: [Int] = []
  ) {
    self.customer = customer
    self.price = price
    self.tokens = tokens
    self.requests = requests
    self.amount = amount
    self.prepaid = prepaid
    self.undelivered = undelivered
    self.loss = loss
    self.positions = positions
  }
}
