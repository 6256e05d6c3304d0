public import GovernanceTypes
public import UsageLedger

/// An open hold as the store keeps it: all that recovery needs to settle it after a crash.
public struct HoldRecord: Sendable, Equatable {
  public var usage: UsageID
  public var boot: BootID
  public var decision: DecisionID
  public var customer: CustomerID
  public var project: ProjectID?
  public var key: KeyID
  public var model: ModelID
  public var price: PriceID
  public var currency: Currency
  public var amount: NanoAmount
  public var tokens: TokenCount
  public var promptTokens: TokenCount
  public var heldAt: Timestamp
  public var isPrepaid: Bool
  /// The last durable mark of progress; both zero until there is one.
  public var delivered: TokenCount
  public var highWater: TokenCount

  public init(
    usage: UsageID, boot: BootID, decision: DecisionID, customer: CustomerID, project: ProjectID?, key: KeyID, model: ModelID,
    price: PriceID, currency: Currency, amount: NanoAmount, tokens: TokenCount, promptTokens: TokenCount, heldAt: Timestamp,
    isPrepaid: Bool, delivered: TokenCount = .zero, highWater: TokenCount = .zero
  ) {
    self.usage = usage
    self.boot = boot
    self.decision = decision
    self.customer = customer
    self.project = project
    self.key = key
    self.model = model
    self.price = price
    self.currency = currency
    self.amount = amount
    self.tokens = tokens
    self.promptTokens = promptTokens
    self.heldAt = heldAt
    self.isPrepaid = isPrepaid
    self.delivered = delivered
    self.highWater = highWater
  }

  /// The subjects that are charged, from the key up.
  public var chain: [LedgerSubject] { chargedChain(key: self.key, project: self.project, customer: self.customer) }

  /// The hold as the ledger knows it.
  public var hold: Hold {
    Hold(
      usage: self.usage, customer: self.customer, chain: self.chain, currency: self.currency, amount: self.amount,
      tokens: self.tokens, heldAt: self.heldAt, isPrepaid: self.isPrepaid)
  }
}

/// The subjects of a request, from the key up.
public func chargedChain(key: KeyID, project: ProjectID?, customer: CustomerID) -> [LedgerSubject] {
  [.key(key)] + (project.map { [.project($0)] } ?? []) + [.customer(customer)]
}

/// One request that is over: what it used and what it cost. A voided request has no tokens and no amount.
public struct UsageRecord: Sendable, Equatable {
  public enum Outcome: String, Sendable, CaseIterable { case settled, voided }

  /// Who counted the tokens.
  public enum Source: String, Sendable, CaseIterable {
    case engine = "engine_counted"
    case provider = "provider_reported"
    case gateway = "locally_counted"
    /// A remote engine did not say, and part of it could not be counted here.
    case estimate = "locally_estimated"
    /// Taken from the last durable mark after a crash.
    case mark = "durable_mark"
  }

  /// By which rule the tokens charged were chosen.
  public enum Policy: String, Sendable, CaseIterable {
    /// All tokens that were handed to the client.
    case delivered
    /// The process died: tokens up to the last durable mark; what may have been delivered beyond it is the operator's loss.
    case lastDurableMark = "last_durable_mark"
    /// Nothing had been delivered.
    case nothingDelivered = "nothing_delivered"
  }

  public var usage: UsageID
  public var decision: DecisionID
  public var customer: CustomerID
  public var project: ProjectID?
  public var key: KeyID
  public var model: ModelID
  public var price: PriceID
  public var currency: Currency
  public var amount: NanoAmount
  public var tokens: TokenUsage
  /// Completion tokens that were, or may have been, produced and are not charged.
  public var undelivered: TokenCount
  /// The price of what may have been delivered and is charged to nobody, because the process died: the operator's loss.
  public var loss: NanoAmount
  public var outcome: Outcome
  /// `stop`, `length`, `content_filter`, `spend_limit`, `client_abort`, `engine_error`, `crash`.
  public var finish: String
  public var policy: Policy
  public var source: Source
  public var heldAt: Timestamp
  public var settledAt: Timestamp
  public var isPrepaid: Bool
  /// Where the settlement stands in the log; known to whoever waited for it, and not stored with the record.
  public var receipt: EntryReceipt?

  /// The record that ends a hold.
  public init(
    closing hold: HoldRecord, amount: NanoAmount, tokens: TokenUsage, undelivered: TokenCount, outcome: Outcome, finish: String,
    policy: Policy, source: Source, settledAt: Timestamp, loss: NanoAmount = .zero
  ) {
    self.usage = hold.usage
    self.decision = hold.decision
    self.customer = hold.customer
    self.project = hold.project
    self.key = hold.key
    self.model = hold.model
    self.price = hold.price
    self.currency = hold.currency
    self.amount = amount
    self.tokens = tokens
    self.undelivered = undelivered
    self.loss = loss
    self.outcome = outcome
    self.finish = finish
    self.policy = policy
    self.source = source
    self.heldAt = hold.heldAt
    self.settledAt = settledAt
    self.isPrepaid = hold.isPrepaid
  }

  public init(
    usage: UsageID, decision: DecisionID, customer: CustomerID, project: ProjectID?, key: KeyID, model: ModelID, price: PriceID,
    currency: Currency, amount: NanoAmount, tokens: TokenUsage, undelivered: TokenCount, outcome: Outcome, finish: String,
    policy: Policy, source: Source, heldAt: Timestamp, settledAt: Timestamp, isPrepaid: Bool,
    loss: NanoAmount = .zero
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
    self.loss = loss
    self.outcome = outcome
    self.finish = finish
    self.policy = policy
    self.source = source
    self.heldAt = heldAt
    self.settledAt = settledAt
    self.isPrepaid = isPrepaid
  }
}

/// Binds a caller's idempotency key to the one request it stands for.
public struct IdempotencyRecord: Sendable, Equatable {
  public var customer: CustomerID
  /// A keyed hash of what the caller sent; the text itself is not kept.
  public var keyDigest: Digest
  public var requestDigest: Digest
  public var usage: UsageID
  public var expires: Timestamp

  public init(customer: CustomerID, keyDigest: Digest, requestDigest: Digest, usage: UsageID, expires: Timestamp) {
    self.customer = customer
    self.keyDigest = keyDigest
    self.requestDigest = requestDigest
    self.usage = usage
    self.expires = expires
  }
}
