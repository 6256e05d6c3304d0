public import GovernanceTypes

/// One settled request as the usage tables show it: ids, counts and money, and nothing of what was said.
public struct UsageLine: Sendable, Equatable {
  public var usage: UsageID
  public var decision: DecisionID?
  public var customer: CustomerID
  public var project: ProjectID?
  public var key: KeyID
  public var model: ModelID
  public var price: PriceID
  public var currency: Currency
  /// What was charged; the truth, where it differs from what the price gives for the tokens (a charge held to its hold).
  public var amount: NanoAmount
  public var tokens: TokenUsage
  /// Completion tokens that were, or may have been, produced and are not charged.
  public var undelivered: TokenCount
  public var finish: String
  public var settlementPolicy: String
  public var usageSource: String
  /// When the money was held: it fixes the period that the request belongs to.
  public var heldAt: Timestamp
  public var settledAt: Timestamp

  public init(
    usage: UsageID, decision: DecisionID?, customer: CustomerID, project: ProjectID?, key: KeyID, model: ModelID, price: PriceID,
    currency: Currency, amount: NanoAmount, tokens: TokenUsage, undelivered: TokenCount, finish: String,
    settlementPolicy: String, usageSource: String, heldAt: Timestamp, settledAt: Timestamp
  ) {
    self.usage = usage
    self.decision = decision
    self.customer = customer
    self.project = project
    self.key = key
    self.model = model
    self.price = price
    self.currency = currency
    self.amount = amount
    self.tokens = tokens
    self.undelivered = undelivered
    self.finish = finish
    self.settlementPolicy = settlementPolicy
    self.usageSource = usageSource
    self.heldAt = heldAt
    self.settledAt = settledAt
  }
}
