internal import GRDB
public import Governance
internal import GovernanceTypes
internal import UsageLedger

extension SQLiteStore {
  /// What earlier runs left behind, in one consistent read. For the start: it blocks the calling thread, O(settled requests).
  public func load() throws(StoreError) -> StoredState {
    do {
      return try self.readers.readNow { database in
        var state = StoredState()
        let end = try LogEnd(in: database)
        state.entries = end.entries
        state.lastAt = end.lastAt
        state.objects = try StoredObject.all(in: database)
        state.openHolds = try HoldRecord.open(in: database)
        state.settled = try SettledTotal.all(
          seenFrom: SettledTotal.reference(end.lastAt, openHolds: state.openHolds), in: database)
        state.recent = try RecentRequests.since(end.lastAt.advanced(by: .zero - RecentRequests.span), in: database)
        state.periods = try PeriodTotal.all(
          from: PeriodTotal.from(end.lastAt, openHolds: state.openHolds), in: database)
        state.invoices = try InvoiceSummary.all(in: database)
        state.creditUse = try CreditUse.all(in: database)
        state.activeUsers = try ActiveUserMark.from(end.lastAt.month.previous, in: database)
        state.idempotency = try IdempotencyRecord.unexpired(at: end.lastAt, in: database)
        return state
      }
    } catch {
      throw storeError(error, path: self.path)
    }
  }
}

extension SettledTotal {
  /// Sums by key and by as much of the time as a ledger needs, seen from a day. Quotients and remainders are summed apart, so that no sum
  /// leaves 64 bits before it is put together.
  static func all(seenFrom day: CalendarDay, in database: Database) throws -> [SettledTotal] {
    let (kept, fine) = Ledger.detail(seenFrom: day)
    let spans = fine.map { "held_at >= \($0.lowerBound.nanoseconds) AND held_at < \($0.upperBound.nanoseconds)" }
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT customer, project, key, currency, is_prepaid,
          CASE WHEN held_at < ? THEN 0 WHEN \(spans.joined(separator: " OR ")) THEN held_at / 900000000000 * 900000000000
            ELSE held_at / 86400000000000 * 86400000000000 END AS since,
          \(SplitSum.ofAmounts("amount")), \(SplitSum.of("tokens")),
          \(SplitSum.ofAmounts("loss"))
        FROM (
          SELECT customer, project, key, currency, is_prepaid, held_at, amount, loss,
            prompt_uncached + prompt_cached + completion + training AS tokens
          FROM usage WHERE outcome = 'settled' OR loss > 0
        )
        GROUP BY customer, project, key, currency, is_prepaid, since
        ORDER BY since, customer, project, key, currency, is_prepaid
        """, arguments: [kept.nanoseconds])
    var totals: [SettledTotal] = []
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "usage")
      var total = SettledTotal(
        customer: try row.id(0), project: try row.optionalID(1), key: try row.id(2), currency: try row.currency(3),
        isPrepaid: row.row[4], since: row.instant(5),
        amount: row.sumOfAmounts(6), tokens: .zero, loss: row.sumOfAmounts(10))
      var rest = row.sum(8)
      repeat {
        let part = min(rest, Int128(TokenCount.largest.value))
        total.tokens = TokenCount(Int(clamping: part))
        totals.append(total)
        total.amount = .zero
        total.loss = .zero
        rest -= part
      } while rest > 0
    }
    return totals
  }
}

extension RecentRequests {
  /// By key and second, in the order of time. O(requests since then). No sum of a second's tokens leaves 64 bits: each has at most 50.
  static func since(_ instant: Timestamp, in database: Database) throws -> [RecentRequests] {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT customer, project, key, held_at / 1000000000 AS second, count(*),
          min(sum(prompt_uncached + prompt_cached + completion + training), 1125899906842624)
        FROM usage WHERE held_at > ? GROUP BY customer, project, key, second ORDER BY second
        """, arguments: [instant.nanoseconds])
    var recent: [RecentRequests] = []
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "usage")
      recent.append(
        RecentRequests(
          customer: try row.id(0), project: try row.optionalID(1), key: try row.id(2),
          heldAt: Timestamp(seconds: row.row[3]), requests: row.row[4], tokens: try row.tokens(5)))
    }
    return recent
  }
}

extension CreditUse {
  static func all(in database: Database) throws -> [CreditUse] {
    let rows = try Row.fetchCursor(
      database,
      sql: "SELECT credit, customer, currency, used_units, used_nano, expired_units, expired_nano FROM credit_use ORDER BY credit"
    )
    var uses: [CreditUse] = []
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "credit_use")
      uses.append(
        CreditUse(
          grant: try row.id(0), customer: try row.id(1), currency: try row.currency(2), used: row.sumOfAmounts(3),
          expired: row.sumOfAmounts(5)))
    }
    return uses
  }
}

extension AttemptRecord {
  static func all(of usage: UsageID, in database: Database) throws -> [AttemptRecord] {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT usage, ordinal, engine, outcome, reason, prompt_uncached, prompt_cached, completion, source, nanoseconds
        FROM attempt WHERE usage = ? ORDER BY ordinal
        """, arguments: [usage.description])
    var attempts: [AttemptRecord] = []
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "attempt")
      attempts.append(
        AttemptRecord(
          usage: try row.id(0), ordinal: row.row[1], engine: row.text(2), outcome: try row.value(3), reason: row.row[4],
          tokens: TokenUsage(
            promptUncached: try row.tokens(5), promptCached: try row.tokens(6), completion: try row.tokens(7)),
          source: try row.value(8), nanoseconds: row.row[9]))
    }
    return attempts
  }
}
