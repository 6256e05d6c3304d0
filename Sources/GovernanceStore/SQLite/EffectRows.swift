internal import Documents
internal import Governance
internal import GovernanceTypes

// The rows that follow from a record.

extension PreparedRows {
  /// - Parameter place: That of the effect in its record.
  /// - Throws: `Conflict` for a value that the database could not give back as it was.
  mutating func add(_ effect: StoreEffect, at place: Int) throws {
    switch effect {
    case .object(let object): try self.add(object, place)
    case .holdOpened(let hold): try self.add(hold, place)
    case .holdExtended(let usage, let amount, let tokens):
      self.begin(.holdExtended, effect: place)
      self.integer(try storable(amount, "amount"))
      self.integer(tokens.value)
      self.id(usage)
    case .progress(let usage, let delivered, let highWater):
      self.begin(.progress, effect: place)
      self.integer(delivered.value)
      self.integer(highWater.value)
      self.id(usage)
    case .usage(let record): try self.add(record, place)
    case .activeUser(let month, let scope, let fingerprint):
      self.begin(.activeUser, effect: place)
      self.integer(month.number)
      try self.text(scope, "scope")
      self.integer(Int64(bitPattern: fingerprint))
    case .idempotency(let record): self.add(record, place)
    case .idempotencyFreed(let customer, let digest, let usage):
      self.begin(.idempotencyFreed, effect: place)
      self.id(customer)
      self.blob(digest.bytes)
      self.id(usage)
    case .creditUsed(let use): try self.add(use, place)
    case .attempt(let attempt): try self.add(attempt, place)
    case .invoice(let invoice): try self.add(invoice, place)
    case .delivery(let delivery): try self.add(delivery, place)
    case .deliveriesForgotten(let receiver, let instant):
      self.begin(.deliveriesForgotten, effect: place)
      try self.text(receiver, "receiver")
      self.integer(instant.nanoseconds)
    case .bookmark(let name, let value):
      self.begin(.bookmark, effect: place)
      try self.text(name, "name")
      try self.text(value, "value")
    }
  }

  private mutating func add(_ object: StoredObject, _ place: Int) throws {
    let body = object.body.canonicalBytes
    do {
      _ = try Document.parseJSON(body)
    } catch {
      throw Conflict("the \(object.kind.rawValue) \(object.id) has a body that could not be read back: \(error)")
    }
    self.begin(.object, effect: place)
    self.text(object.kind.rawValue)
    try self.text(object.id, "id")
    self.id(object.customer)
    self.text(String(decoding: body, as: UTF8.self))
    self.blob(object.salt)
  }

  private mutating func add(_ hold: HoldRecord, _ place: Int) throws {
    self.begin(.holdOpened, effect: place)
    self.id(hold.usage)
    self.id(hold.boot)
    self.id(hold.decision)
    self.id(hold.customer)
    self.id(hold.project)
    self.id(hold.key)
    try self.text(hold.model.name, "model")
    self.id(hold.price)
    self.text(hold.currency.description)
    self.integer(try storable(hold.amount, "amount"))
    self.integer(hold.tokens.value)
    self.integer(hold.promptTokens.value)
    self.integer(hold.heldAt.nanoseconds)
    self.bool(hold.isPrepaid)
    self.integer(hold.delivered.value)
    self.integer(hold.highWater.value)
  }

  private mutating func add(_ record: UsageRecord, _ place: Int) throws {
    let amount = try storable(record.amount, "amount")
    self.begin(.holdClosed, effect: place)
    self.id(record.usage)
    self.id(record.customer)
    self.id(record.key)
    self.text(record.currency.description)
    self.integer(amount)
    self.begin(.usage, effect: place)
    self.id(record.usage)
    self.id(record.decision)
    self.id(record.customer)
    self.id(record.project)
    self.id(record.key)
    try self.text(record.model.name, "model")
    self.id(record.price)
    self.text(record.currency.description)
    self.integer(amount)
    self.integer(record.tokens.promptUncached.value)
    self.integer(record.tokens.promptCached.value)
    self.integer(record.tokens.completion.value)
    self.integer(record.tokens.training.value)
    self.integer(record.undelivered.value)
    self.text(record.outcome.rawValue)
    try self.text(record.finish, "finish")
    self.text(record.policy.rawValue)
    self.text(record.source.rawValue)
    self.integer(record.heldAt.nanoseconds)
    self.integer(record.settledAt.nanoseconds)
    self.bool(record.isPrepaid)
    self.integer(try storable(record.loss, "loss"))
  }

  private mutating func add(_ use: CreditUse, _ place: Int) throws {
    func halves(_ amount: NanoAmount, _ field: String) throws -> (Int64, Int64) {
      guard amount >= .zero, let units = Int64(exactly: amount.nano / 1_000_000_000) else {
        throw Conflict("\(field) of the credit \(use.grant) is \(amount), which is no amount of credit")
      }
      return (units, Int64(amount.nano % 1_000_000_000))
    }
    let used = try halves(use.used, "what is used")
    let expired = try halves(use.expired, "what has expired")
    self.begin(.creditUse, effect: place)
    self.id(use.grant)
    self.id(use.customer)
    self.text(use.currency.description)
    self.integer(used.0)
    self.integer(used.1)
    self.integer(expired.0)
    self.integer(expired.1)
  }

  private mutating func add(_ attempt: AttemptRecord, _ place: Int) throws {
    self.begin(.attempt, effect: place)
    self.id(attempt.usage)
    self.integer(attempt.ordinal)
    try self.text(attempt.engine, "engine")
    self.text(attempt.outcome.rawValue)
    try self.text(attempt.reason, "reason")
    self.integer(attempt.tokens.promptUncached.value)
    self.integer(attempt.tokens.promptCached.value)
    self.integer(attempt.tokens.completion.value)
    self.text(attempt.source.rawValue)
    self.integer(max(0, attempt.nanoseconds))
  }

  private mutating func add(_ invoice: InvoiceRecord, _ place: Int) throws {
    let summary = invoice.summary
    self.begin(.invoice, effect: place)
    self.id(summary.id)
    try self.text(summary.series, "series")
    try self.text(summary.number, "number")
    self.id(summary.customer)
    self.text(summary.period.description)
    self.text(summary.currency.description)
    self.text(summary.gross.description)
    self.id(summary.corrects)
    self.integer(summary.finalisedAt.nanoseconds)
    self.blob(summary.digest.bytes)
    self.text(try storable(invoice.body, "an invoice", most: InvoiceSummary.longestBody))
  }

  private mutating func add(_ delivery: DeliveryRecord, _ place: Int) throws {
    self.begin(.delivery, effect: place)
    try self.text(delivery.receiver, "receiver")
    try self.text(delivery.id, "id")
    try self.text(delivery.lane, "lane")
    self.text(try storable(delivery.payload, "payload", most: DeliveryRecord.longestPayload))
    self.text(delivery.state.rawValue)
    self.integer(delivery.at.nanoseconds)
    self.integer(delivery.attempts)
    try self.text(delivery.failure.map { String($0.prefix(1000)) }, "failure")
  }

  private mutating func add(_ record: IdempotencyRecord, _ place: Int) {
    self.begin(.idempotency, effect: place)
    self.id(record.customer)
    self.blob(record.keyDigest.bytes)
    self.blob(record.requestDigest.bytes)
    self.id(record.usage)
    self.integer(record.expires.nanoseconds)
    self.now()
  }
}

extension StoreEffect {
  /// What the effect contradicts where it changes nothing.
  var contradiction: String {
    switch self {
    case .holdExtended(let usage, _, _): "there is no open hold \(usage) to extend"
    case .progress(let usage, let delivered, let highWater):
      "there is no open hold \(usage) with a mark at or below \(delivered) and \(highWater)"
    case .usage(let record):
      """
      there is no open hold \(record.usage) of customer \(record.customer) and key \(record.key) \
      that covers \(record.amount) \(record.currency)
      """
    case .idempotency(let record): "the idempotency key is bound to another request of customer \(record.customer)"
    case .object, .holdOpened, .activeUser, .idempotencyFreed, .creditUsed, .attempt, .invoice, .delivery, .deliveriesForgotten,
      .bookmark:
      "a row that must change did not"
    }
  }
}

extension CalendarMonth {
  /// Months since the year 0, as the database counts them.
  var number: Int { self.year * 12 + self.month - 1 }

  init?(number: Int) { self.init(year: number / 12, month: number % 12 + 1) }
}
