/// What the writer does for requests, again and again: each compiled once, with parameters in the order of the columns.
enum WriteStatement: Int, CaseIterable, Sendable {
  case entry, entryLookup, logEnd, customerSequence
  case object, holdOpened, holdExtended, progress, holdClosed, usage, activeUser, idempotency, idempotencyFreed, creditUse,
    attempt, invoice, delivery, deliveriesForgotten, bookmark

  /// Whether it contradicts what is stored where it changes no row.
  var changesOne: Bool {
    switch self {
    case .holdExtended, .progress, .holdClosed, .idempotency: true
    default: false
    }
  }

  var sql: String {
    switch self {
    case .entry: "INSERT INTO entry (seq, type, at_ns, leaf, line) VALUES (?, ?, ?, ?, ?)"
    case .entryLookup: "INSERT INTO entry_lookup (id, seq) VALUES (?, ?)"
    case .logEnd: "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    case .customerSequence:
      "INSERT INTO customer_sequence (customer, next) VALUES (?, ?) ON CONFLICT (customer) DO UPDATE SET next = excluded.next"
    case .object:
      """
      INSERT INTO object (kind, id, customer, body, salt) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (kind, id) DO UPDATE SET customer = excluded.customer, body = excluded.body, salt = excluded.salt
      """
    case .holdOpened:
      """
      INSERT INTO hold (usage, boot, decision, customer, project, key, model, price, currency, amount, tokens, prompt_tokens,
        held_at, is_prepaid, delivered, high_water)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    // A sum beyond 64 bits would become a floating-point number, which the STRICT column refuses.
    case .holdExtended: "UPDATE hold SET amount = amount + ?, tokens = tokens + ? WHERE usage = ?"
    case .progress:
      "UPDATE hold SET delivered = ?1, high_water = ?2 WHERE usage = ?3 AND delivered <= ?1 AND high_water <= ?2"
    case .holdClosed: "DELETE FROM hold WHERE usage = ? AND customer = ? AND key = ? AND currency = ? AND amount >= ?"
    case .usage:
      """
      INSERT INTO usage (id, decision, customer, project, key, model, price, currency, amount, prompt_uncached, prompt_cached,
        completion, training, undelivered, outcome, finish, policy, source, held_at, settled_at, is_prepaid, loss)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    case .activeUser: "INSERT OR IGNORE INTO active_user (month, scope, fingerprint) VALUES (?, ?, ?)"
    // A key that is bound stays bound until it expires; binding it again to the same request changes nothing.
    case .idempotency:
      """
      INSERT INTO idempotency (customer, key_digest, request_digest, usage, expires) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (customer, key_digest) DO UPDATE
        SET request_digest = excluded.request_digest, usage = excluded.usage, expires = excluded.expires
        WHERE expires <= ?6 OR (request_digest = excluded.request_digest AND usage = excluded.usage)
      """
    case .idempotencyFreed: "DELETE FROM idempotency WHERE customer = ? AND key_digest = ? AND usage = ?"
    case .creditUse:
      """
      INSERT INTO credit_use (credit, customer, currency, used_units, used_nano, expired_units, expired_nano)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      ON CONFLICT (credit) DO UPDATE SET
        used_units = used_units + ?4 + (used_nano + ?5) / 1000000000, used_nano = (used_nano + ?5) % 1000000000,
        expired_units = expired_units + ?6 + (expired_nano + ?7) / 1000000000,
        expired_nano = (expired_nano + ?7) % 1000000000
      """
    case .attempt:
      """
      INSERT INTO attempt (usage, ordinal, engine, outcome, reason, prompt_uncached, prompt_cached, completion, source, nanoseconds)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    case .invoice:
      """
      INSERT INTO invoice (id, series, number, customer, period, currency, gross, corrects, finalised_at, digest, body)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    case .delivery:
      """
      INSERT INTO delivery (receiver, id, lane, payload, state, at, attempts, failure, put_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?6)
      ON CONFLICT (receiver, id) DO UPDATE SET state = ?5, at = ?6, attempts = ?7, failure = ?8
      """
    case .deliveriesForgotten: "DELETE FROM delivery WHERE receiver = ? AND state = 'acknowledged' AND at < ?"
    case .bookmark: "INSERT INTO bookmark (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2"
    }
  }
}
