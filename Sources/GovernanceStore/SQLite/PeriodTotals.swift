internal import GRDB
internal import Governance
internal import GovernanceTypes

extension PeriodTotal {
  /// Sums of settled requests by customer, price and the month of their hold, from the first instant of `month` on. Halves of
  /// counts are summed apart, so that no sum leaves 64 bits.
  static func all(from month: CalendarMonth, in database: Database) throws -> [PeriodTotal] {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT customer, price, \(monthColumn(from: month, to: month.next)) AS day, count(*), \(SplitSum.of("prompt_uncached")), \(SplitSum.of("prompt_cached")),
          \(SplitSum.of("completion")), \(SplitSum.of("training"))
        FROM usage WHERE outcome = 'settled' AND held_at >= ?
        GROUP BY customer, price, day ORDER BY customer, price, day
        """, arguments: [month.firstDay.start.nanoseconds])
    var totals: [PeriodTotal] = []
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "usage")
      totals.append(
        PeriodTotal(
          customer: try row.id(0), price: try row.id(1), month: CalendarDay(number: row.row[2]).month,
          tokens: TokenUsage(
            promptUncached: row.sumOfTokens(4), promptCached: row.sumOfTokens(6), completion: row.sumOfTokens(8),
            training: row.sumOfTokens(10)),
          requests: row.row[3]))
    }
    return totals
  }

  /// The sum of what was settled before `record` of its customer, price and month. O(requests of the customer's month).
  static func settled(before record: UsageRecord, in database: Database) throws -> PeriodTotal? {
    let month = record.heldAt.month
    let row = try Row.fetchOne(
      database,
      sql: """
        SELECT count(*), \(SplitSum.of("prompt_uncached")), \(SplitSum.of("prompt_cached")), \(SplitSum.of("completion")),
          \(SplitSum.of("training"))
        FROM usage WHERE outcome = 'settled' AND customer = ? AND held_at >= ? AND held_at < ? AND price = ?
          AND number < (SELECT number FROM usage WHERE id = ?)
        """,
      arguments: [
        record.customer.description, month.firstDay.start.nanoseconds, month.end.nanoseconds, record.price.description,
        record.usage.description,
      ])
    guard let row, (row[0] as Int) > 0 else { return nil }
    let sums = StoredRow(row: row, name: "usage")
    return PeriodTotal(
      customer: record.customer, price: record.price, month: month,
      tokens: TokenUsage(
        promptUncached: sums.sumOfTokens(1), promptCached: sums.sumOfTokens(3), completion: sums.sumOfTokens(5),
        training: sums.sumOfTokens(7)),
      requests: row[0])
  }
}

/// The month of a hold as SQL, by the number of its first day: of holds from the first instant of `from` on. Those after `to`, or after
/// some years, are told by day.
private func monthColumn(from: CalendarMonth, to: CalendarMonth) -> String {
  let day = "held_at / 86400000000000"
  var cases = ""
  var month = from
  for _ in 0..<24 where month <= to {
    cases += " WHEN held_at < \(month.end.nanoseconds) THEN \(month.firstDay.number)"
    month = month.next
  }
  return cases.isEmpty ? day : "CASE\(cases) ELSE \(day) END"
}
