internal import Billing
internal import Completions
internal import Documents
internal import GovernanceTypes
internal import UsageLedger

/// The end of a request with all that is written together with it.
struct Ending: Sendable {
  /// Its charge is not known before the ledger closes the hold: what a request costs depends on what its month has by then.
  var record: UsageRecord
  /// What it is charged by; nil for what costs nothing.
  var rating: Rating?
  /// The decision on the answer, where something was found in it, and what that calls for.
  var findings: [JournalRecord]
  var attempts: [EngineAttempt]

  struct Rating: Sendable {
    var price: Price
    /// After a crash, all that may have been delivered: the price of what of it is not charged is the operator's loss.
    var reached: TokenUsage?
  }

  init(_ record: UsageRecord, rating: Rating?, findings: [JournalRecord] = [], attempts: [EngineAttempt] = []) {
    self.record = record
    self.rating = rating
    self.findings = findings
    self.attempts = attempts
  }

  /// - Parameters:
  ///   - slices: the parts of the customer's credit that paid for it.
  ///   - key: the idempotency key that is free again.
  func records(slices: [CreditSlice], freeing key: IdempotencyKey?) -> [JournalRecord] {
    let record = self.record
    var effects: [StoreEffect] = [.usage(record)]
    for slice in slices {
      effects.append(
        .creditUsed(
          CreditUse(
            grant: slice.grant, customer: record.customer, currency: record.currency, used: slice.amount, expired: .zero)))
    }
    if let key { effects.append(.idempotencyFreed(customer: key.customer, keyDigest: key.keyDigest, usage: record.usage)) }
    for (ordinal, attempt) in self.attempts.enumerated() {
      effects.append(.attempt(AttemptRecord(attempt, usage: record.usage, ordinal: ordinal)))
    }
    return self.findings + [JournalRecord(record.entry(slices: slices), effects: effects)]
  }
}

/// A request that is closed in memory and on its way to disk.
struct Settling: Sendable {
  let record: UsageRecord
  let ticket: CommitTicket
}

extension UsageRecord {
  /// The log entry that closes the hold.
  func entry(slices: [CreditSlice]) -> LogEntry {
    var fields: [JSONMember] = [
      JSONMember("usage", .string(self.usage.description)), JSONMember("customer", .string(self.customer.description)),
      JSONMember("undelivered", .string(self.undelivered.description)),
      JSONMember("settlement_policy", .string(self.policy.rawValue)),
    ]
    if self.loss > .zero {
      fields.append(JSONMember("loss_nano", .string(String(self.loss.nano))))
      fields.append(JSONMember("currency", .string(self.currency.description)))
    }
    guard self.outcome == .settled else {
      fields.append(JSONMember("reason", .string(self.finish)))
      return LogEntry(.void, at: self.settledAt, fields, lookup: self.usage.description)
    }
    if self.loss == .zero { fields.append(JSONMember("currency", .string(self.currency.description))) }
    fields += [
      JSONMember("key", .string(self.key.description)), JSONMember("model", .string(self.model.name)),
      JSONMember("decision", .string(self.decision.description)), JSONMember("price", .string(self.price.description)),
      JSONMember("amount_nano", .string(String(self.amount.nano))),
      JSONMember("prompt_uncached", .string(self.tokens.promptUncached.description)),
      JSONMember("prompt_cached", .string(self.tokens.promptCached.description)),
      JSONMember("completion", .string(self.tokens.completion.description)), JSONMember("finish", .string(self.finish)),
      JSONMember("usage_source", .string(self.source.rawValue)), JSONMember("held_at", .string(self.heldAt.description)),
    ]
    if let project = self.project { fields.append(JSONMember("project", .string(project.description))) }
    if !slices.isEmpty { fields.append(JSONMember("credits", CreditSlice.json(slices))) }
    return LogEntry(.settle, at: self.settledAt, fields, lookup: self.usage.description)
  }
}

extension CreditSlice {
  /// Which grants of credit paid for it, as the log says it.
  static func json(_ slices: [CreditSlice]) -> JSON {
    .array(slices.map { ["credit": .string($0.grant.description), "amount_nano": .string(String($0.amount.nano))] })
  }
}
