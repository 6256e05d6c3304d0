internal import Documents
internal import GRDB
public import Governance
public import GovernanceTypes

extension SQLiteStore: BillingArchive {
  public func settled(by customer: CustomerID, in month: CalendarMonth) async throws -> [SettledMonth] {
    try await self.read { database in
      var months = try SettledMonth.sums(in: month, of: "customer = ?", [customer.description], in: database)
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT price, seq FROM usage JOIN entry_lookup ON entry_lookup.id = usage.id
          WHERE customer = ? AND held_at >= ? AND held_at < ? AND outcome = 'settled' ORDER BY price, seq
          """, arguments: [customer.description, month.start.nanoseconds, month.end.nanoseconds])
      while let row = try rows.next() {
        let price: PriceID = try StoredRow(row: row, name: "usage").id(0)
        guard let place = months.firstIndex(where: { $0.price == price }) else { continue }
        months[place].positions.append(row[1])
      }
      for month in months where month.positions.count != month.requests {
        throw CorruptRow(
          "\(month.requests) requests of \(customer) are settled at \(month.price), and the log has \(month.positions.count)")
      }
      return months
    }
  }

  public func settled(in month: CalendarMonth, customers: [CustomerID]) async throws -> [SettledMonth] {
    guard let first = customers.first?.description, let last = customers.last?.description else { return [] }
    return try await self.read { database in
      try SettledMonth.sums(in: month, of: "customer BETWEEN ? AND ?", [first, last], in: database)
    }
  }

  /// From the entries that settled: the rows beside the log keep sums of all time only.
  public func creditUsed(by customer: CustomerID, in month: CalendarMonth) async throws -> [CreditUse] {
    try await self.read { database in
      let lines = try String.fetchCursor(
        database,
        sql: """
          SELECT line FROM usage JOIN entry_lookup ON entry_lookup.id = usage.id JOIN entry USING (seq)
          WHERE customer = ? AND held_at >= ? AND held_at < ? AND outcome = 'settled' AND is_prepaid = 1
          """, arguments: [customer.description, month.start.nanoseconds, month.end.nanoseconds])
      var uses: [CreditID: CreditUse] = [:]
      while let line = try lines.next() {
        let entry = JSON(try Document.parseJSON(Array(line.utf8)))
        guard case .string(let code)? = entry["currency"], let currency = Currency(code) else {
          throw CorruptRow("a settlement of \(customer) has no currency")
        }
        guard case .array(let slices)? = entry["credits"] else { continue }
        for slice in slices {
          guard case .string(let text)? = slice["credit"], let grant = CreditID(text),
            case .string(let nano)? = slice["amount_nano"],
            let amount = Int128(nano)
          else { throw CorruptRow("a settlement of \(customer) has a faulty slice of credit") }
          uses[
            grant,
            default: CreditUse(grant: grant, customer: customer, currency: currency, used: .zero, expired: .zero)
          ].used += NanoAmount(amount)
        }
      }
      return uses.values.sorted { $0.grant < $1.grant }
    }
  }

  public func invoice(_ id: InvoiceID) async throws -> InvoiceRecord? {
    try await self.read { try InvoiceRecord.stored(id, in: $0) }
  }
}

extension SettledMonth {
  /// Sums of a month's holds by customer and price. Halves of counts and of amounts are summed apart, so that no sum leaves 64 bits.
  fileprivate static func sums(
    in month: CalendarMonth, of condition: String, _ arguments: StatementArguments, in database: Database
  ) throws -> [SettledMonth] {
    let columns = ["prompt_uncached", "prompt_cached", "completion", "training", "undelivered"].map(SplitSum.of).joined(
      separator: ", ")
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT customer, price, sum(outcome = 'settled'), \(SplitSum.ofAmounts("amount")),
          \(SplitSum.ofAmounts("(is_prepaid * amount)")), \(columns),
          \(SplitSum.ofAmounts("loss"))
        FROM usage WHERE \(condition) AND held_at >= ? AND held_at < ?
        GROUP BY customer, price ORDER BY customer, price
        """, arguments: arguments + [month.start.nanoseconds, month.end.nanoseconds])
    var months: [SettledMonth] = []
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "usage")
      months.append(
        SettledMonth(
          customer: try row.id(0), price: try row.id(1),
          tokens: TokenUsage(
            promptUncached: row.sumOfTokens(7), promptCached: row.sumOfTokens(9), completion: row.sumOfTokens(11),
            training: row.sumOfTokens(13)),
          requests: row.row[2], amount: row.sumOfAmounts(3), prepaid: row.sumOfAmounts(5), undelivered: row.sumOfTokens(15).value,
          loss: row.sumOfAmounts(17)))
    }
    return months
  }
}
