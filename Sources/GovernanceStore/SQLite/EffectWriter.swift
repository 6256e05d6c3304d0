internal import Documents
internal import Foundation
internal import GRDB
internal import Governance
internal import GovernanceTypes

/// Writes the rows that follow from a record, inside the writer's transaction.
struct EffectWriter {
  let database: Database
  /// The time of the newest entry: what has expired before it may be replaced.
  let now: Timestamp

  func apply(_ effect: StoreEffect) throws {
    switch effect {
    case .object(let object): try self.write(object)
    case .holdOpened(let hold): try self.open(hold)
    case .holdExtended(let usage, let amount, let tokens): try self.extend(usage, by: amount, tokens: tokens)
    case .progress(let usage, let delivered, let highWater): try self.mark(usage, delivered: delivered, highWater: highWater)
    case .usage(let record): try self.close(record)
    case .activeUser(let month, let scope, let fingerprint):
      try self.execute(
        "INSERT OR IGNORE INTO active_user (month, scope, fingerprint) VALUES (?, ?, ?)",
        [month.number, try storable(scope, "scope"), Int64(bitPattern: fingerprint)])
    case .idempotency(let record): try self.bind(record)
    case .idempotencyFreed(let customer, let digest, let usage):
      try self.execute(
        "DELETE FROM idempotency WHERE customer = ? AND key_digest = ? AND usage = ?",
        [customer.text, Data(digest.bytes), usage.text])
    case .creditUsed(let use): try self.write(use)
    case .attempt(let attempt): try self.write(attempt)
    case .invoice(let invoice): try invoice.insert(into: self.database)
    case .delivery(let delivery): try delivery.write(to: self.database)
    case .deliveriesForgotten(let receiver, let instant):
      try DeliveryRecord.forget(receiver, acknowledgedBefore: instant, in: self.database)
    case .bookmark(let name, let value): try DeliveryRecord.setBookmark(name, value, in: self.database)
    }
  }

  private func execute(_ sql: String, _ arguments: StatementArguments) throws {
    try self.database.cachedStatement(sql: sql).execute(arguments: arguments)
  }

  private func write(_ object: StoredObject) throws {
    let body = object.body.canonicalBytes
    do {
      _ = try Document.parseJSON(body)
    } catch {
      throw Conflict("the \(object.kind.rawValue) \(object.id) has a body that could not be read back: \(error)")
    }
    try self.execute(
      """
      INSERT INTO object (kind, id, customer, body, salt) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (kind, id) DO UPDATE SET customer = excluded.customer, body = excluded.body, salt = excluded.salt
      """,
      [
        object.kind.rawValue, try storable(object.id, "id"), object.customer?.description, String(decoding: body, as: UTF8.self),
        Data(object.salt),
      ])
  }

  private func open(_ hold: HoldRecord) throws {
    try self.execute(
      """
      INSERT INTO hold (usage, boot, decision, customer, project, key, model, price, currency, amount, tokens, prompt_tokens,
        held_at, is_prepaid, delivered, high_water)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        hold.usage.text, hold.boot.text, hold.decision.text, hold.customer.text, hold.project?.text, hold.key.text,
        try storable(hold.model.name, "model"), hold.price.text, hold.currency.description, try storable(hold.amount, "amount"),
        hold.tokens.value, hold.promptTokens.value, hold.heldAt.nanoseconds, hold.isPrepaid, hold.delivered.value,
        hold.highWater.value,
      ])
  }

  private func extend(_ usage: UsageID, by amount: NanoAmount, tokens: TokenCount) throws {
    // A sum beyond 64 bits would become a floating-point number, which the STRICT column refuses.
    try self.execute(
      "UPDATE hold SET amount = amount + ?, tokens = tokens + ? WHERE usage = ?",
      [try storable(amount, "amount"), tokens.value, usage.text])
    try self.expectOne("there is no open hold \(usage) to extend")
  }

  private func mark(_ usage: UsageID, delivered: TokenCount, highWater: TokenCount) throws {
    try self.execute(
      "UPDATE hold SET delivered = ?1, high_water = ?2 WHERE usage = ?3 AND delivered <= ?1 AND high_water <= ?2",
      [delivered.value, highWater.value, usage.text])
    try self.expectOne("there is no open hold \(usage) with a mark at or below \(delivered) and \(highWater)")
  }

  private func close(_ record: UsageRecord) throws {
    let amount = try storable(record.amount, "amount")
    try self.execute(
      "DELETE FROM hold WHERE usage = ? AND customer = ? AND key = ? AND currency = ? AND amount >= ?",
      [record.usage.text, record.customer.text, record.key.text, record.currency.description, amount])
    try self.expectOne(
      """
      there is no open hold \(record.usage) of customer \(record.customer) and key \(record.key) \
      that covers \(record.amount) \(record.currency)
      """)
    try self.execute(
      """
      INSERT INTO usage (id, decision, customer, project, key, model, price, currency, amount, prompt_uncached, prompt_cached,
        completion, training, undelivered, outcome, finish, policy, source, held_at, settled_at, is_prepaid, loss)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        record.usage.text, record.decision.text, record.customer.text, record.project?.text, record.key.text,
        try storable(record.model.name, "model"), record.price.text, record.currency.description, amount,
        record.tokens.promptUncached.value, record.tokens.promptCached.value, record.tokens.completion.value,
        record.tokens.training.value, record.undelivered.value, record.outcome.rawValue, try storable(record.finish, "finish"),
        record.policy.rawValue, record.source.rawValue, record.heldAt.nanoseconds, record.settledAt.nanoseconds, record.isPrepaid,
        try storable(record.loss, "loss"),
      ])
  }

  private func write(_ use: CreditUse) throws {
    func halves(_ amount: NanoAmount, _ field: String) throws -> (Int64, Int64) {
      guard amount >= .zero, let units = Int64(exactly: amount.nano / 1_000_000_000) else {
        throw Conflict("\(field) of the credit \(use.grant) is \(amount), which is no amount of credit")
      }
      return (units, Int64(amount.nano % 1_000_000_000))
    }
    let used = try halves(use.used, "what is used")
    let expired = try halves(use.expired, "what has expired")
    try self.execute(
      """
      INSERT INTO credit_use (credit, customer, currency, used_units, used_nano, expired_units, expired_nano)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      ON CONFLICT (credit) DO UPDATE SET
        used_units = used_units + ?4 + (used_nano + ?5) / 1000000000, used_nano = (used_nano + ?5) % 1000000000,
        expired_units = expired_units + ?6 + (expired_nano + ?7) / 1000000000,
        expired_nano = (expired_nano + ?7) % 1000000000
      """,
      [
        use.grant.text, use.customer.text, use.currency.description, used.0, used.1, expired.0, expired.1,
      ])
  }

  private func write(_ attempt: AttemptRecord) throws {
    try self.execute(
      """
      INSERT INTO attempt (usage, ordinal, engine, outcome, reason, prompt_uncached, prompt_cached, completion, source, nanoseconds)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        attempt.usage.text, attempt.ordinal, try storable(attempt.engine, "engine"), attempt.outcome.rawValue,
        try attempt.reason.map { try storable($0, "reason") }, attempt.tokens.promptUncached.value,
        attempt.tokens.promptCached.value, attempt.tokens.completion.value, attempt.source.rawValue,
        max(0, attempt.nanoseconds),
      ])
  }

  /// A key that is bound stays bound until it expires; binding it again to the same request changes nothing.
  private func bind(_ record: IdempotencyRecord) throws {
    try self.execute(
      """
      INSERT INTO idempotency (customer, key_digest, request_digest, usage, expires) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (customer, key_digest) DO UPDATE
        SET request_digest = excluded.request_digest, usage = excluded.usage, expires = excluded.expires
        WHERE expires <= ?6 OR (request_digest = excluded.request_digest AND usage = excluded.usage)
      """,
      [
        record.customer.text, Data(record.keyDigest.bytes), Data(record.requestDigest.bytes), record.usage.text,
        record.expires.nanoseconds, self.now.nanoseconds,
      ])
    try self.expectOne("the idempotency key is bound to another request of customer \(record.customer)")
  }

  private func expectOne(_ otherwise: @autoclosure () -> String) throws {
    guard self.database.changesCount == 1 else { throw Conflict(otherwise()) }
  }
}

extension CalendarMonth {
  /// Months since the year 0, as the database counts them.
  var number: Int { self.year * 12 + self.month - 1 }

  init?(number: Int) { self.init(year: number / 12, month: number % 12 + 1) }
}
