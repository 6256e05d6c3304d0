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
    func halves(_ column: String) -> String { "sum(\(column) >> 20), sum(\(column) & 1048575)" }
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT currency, outcome = 'settled', count(*), \(halves("amount")), \(halves("prompt_uncached")),
          \(halves("prompt_cached")), \(halves("completion")) FROM usage GROUP BY 1, 2
        """)
    while let row = try rows.next() {
      func sum(_ column: Int) -> Int128 { Int128(row[column] as Int64) << 20 + Int128(row[column + 1] as Int64) }
      let currency = try StoredRow(row: row, name: "usage").currency(0)
      guard row[1] as Bool else {
        self.totals[currency, default: Total()].voided = row[2]
        continue
      }
      let voided = self.totals[currency]?.voided ?? 0
      self.totals[currency] = Total(
        amount: sum(3), requests: row[2], voided: voided, promptUncached: sum(5), promptCached: sum(7), completion: sum(9))
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
