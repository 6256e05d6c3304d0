internal import Documents
internal import GRDB
internal import Governance
internal import GovernanceTypes

/// What was settled and voided since the log began, by currency: what a heartbeat states.
struct RunningTotals: Sendable, Equatable {
  struct Total: Sendable, Equatable {
    var amount: Int128 = 0
    var requests = 0
    var voided = 0
    var promptUncached: Int128 = 0
    var promptCached: Int128 = 0
    var completion: Int128 = 0
  }

  private var totals: [Currency: Total] = [:]

  init() {}

  /// Sums up all usage records; quotients and remainders are summed apart, so that no sum leaves 64 bits. O(records).
  init(in database: Database) throws {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT currency, outcome = 'settled', count(*), \(SplitSum.of("amount")), \(SplitSum.of("prompt_uncached")),
          \(SplitSum.of("prompt_cached")), \(SplitSum.of("completion")) FROM usage GROUP BY 1, 2
        """)
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "usage")
      let currency = try row.currency(0)
      guard row.row[1] as Bool else {
        self.totals[currency, default: Total()].voided = row.row[2]
        continue
      }
      let voided = self.totals[currency]?.voided ?? 0
      self.totals[currency] = Total(
        amount: row.sum(3), requests: row.row[2], voided: voided, promptUncached: row.sum(5), promptCached: row.sum(7),
        completion: row.sum(9))
    }
  }

  mutating func add(_ record: UsageRecord) {
    var total = self.totals[record.currency] ?? Total()
    switch record.outcome {
    case .voided: total.voided += 1
    case .settled:
      total.requests += 1
      total.amount += record.amount.nano
      total.promptUncached += Int128(record.tokens.promptUncached.value)
      total.promptCached += Int128(record.tokens.promptCached.value)
      total.completion += Int128(record.tokens.completion.value)
    }
    self.totals[record.currency] = total
  }

  /// Canonical JSON, a member for each currency.
  var bytes: [UInt8] {
    JSON.object(
      self.totals.map { currency, total in
        JSONMember(
          currency.description,
          [
            "amount_nano": .string(String(total.amount)), "requests": .integer(total.requests), "voided": .integer(total.voided),
            "prompt_uncached": .string(String(total.promptUncached)), "prompt_cached": .string(String(total.promptCached)),
            "completion": .string(String(total.completion)),
          ])
      }
    ).canonicalBytes
  }
}
