internal import GRDB
public import Governance
internal import GovernanceTypes

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
        state.settled = try SettledTotal.all(in: database)
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
  /// Sums by key and day. Quotients and remainders are summed apart, so that no sum leaves 64 bits before it is put together.
  static func all(in database: Database) throws -> [SettledTotal] {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT customer, project, key, currency, is_prepaid, held_at / 86400000000000 AS day,
          sum(amount / 1000000000), sum(amount % 1000000000), sum(tokens >> 20), sum(tokens & 1048575)
        FROM (
          SELECT customer, project, key, currency, is_prepaid, held_at, amount,
            prompt_uncached + prompt_cached + completion + training AS tokens
          FROM usage WHERE outcome = 'settled'
        )
        GROUP BY customer, project, key, currency, is_prepaid, day ORDER BY day, customer, project, key, currency, is_prepaid
        """)
    var totals: [SettledTotal] = []
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "usage")
      var total = SettledTotal(
        customer: try row.id(0), project: try row.optionalID(1), key: try row.id(2), currency: try row.currency(3),
        isPrepaid: row.row[4], day: CalendarDay(number: row.row[5]),
        amount: NanoAmount(Int128(row.row[6] as Int64) * 1_000_000_000 + Int128(row.row[7] as Int64)), tokens: .zero)
      var rest = Int128(row.row[8] as Int64) << 20 + Int128(row.row[9] as Int64)
      repeat {
        let part = min(rest, Int128(TokenCount.largest.value))
        total.tokens = TokenCount(Int(clamping: part))
        totals.append(total)
        total.amount = .zero
        rest -= part
      } while rest > 0
    }
    return totals
  }
}
