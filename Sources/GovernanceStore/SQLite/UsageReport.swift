internal import GRDB
internal import Governance
internal import GovernanceTypes
internal import UsageLedger

/// The rows that a query asks about, as a condition in SQL.
struct UsageFilter: Sendable {
  let sql: String
  let arguments: StatementArguments

  /// Without indexes a run of pages reads in the order of the table; with them a report reads only what it sums.
  init(_ query: UsageQuery, usingIndexes: Bool) {
    let mark = usingIndexes ? "" : "+"
    var conditions: [String] = []
    var arguments = StatementArguments()
    func add(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
      guard let value else { return }
      conditions.append(mark + condition)
      arguments += [value]
    }
    add("customer = ?", query.customer?.description)
    add("key = ?", query.key?.description)
    add("held_at >= ?", query.from?.nanoseconds)
    add("held_at < ?", query.to?.nanoseconds)
    if let model = query.model?.name {
      // A name with a zero was never stored, and bound it would end there.
      if model.utf8.contains(0) { conditions.append("0") } else { add("model = ?", model) }
    }
    self.sql = conditions.isEmpty ? "1" : conditions.joined(separator: " AND ")
    self.arguments = arguments
  }
}

/// One usage report: SQL sums by day or month, and what it could not put together is put together here.
struct UsageReport: Sendable {
  static let longest = 100_000

  private let grouping: [UsageQuery.Grouping]
  private let query: UsageQuery

  init(_ query: UsageQuery) {
    self.query = query
    self.grouping = UsageQuery.Grouping.allCases.filter { query.grouping.contains($0) }
  }

  func rows(in database: Database) throws -> [UsageRow] {
    let filter = UsageFilter(self.query, usingIndexes: try self.isNarrow(in: database))
    let columns = self.grouping.map(self.column).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } } + ["currency"]
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT \(columns.joined(separator: ", ")), count(*), sum(prompt_uncached), sum(prompt_cached), sum(completion),
          sum(training), sum(amount / 1000000000), sum(amount % 1000000000)
        FROM usage WHERE outcome = 'settled' AND \(filter.sql)
        GROUP BY \((1...columns.count).map(String.init).joined(separator: ", "))
        ORDER BY \((1...columns.count).map(String.init).joined(separator: ", "))
        """,
      arguments: filter.arguments)
    var places: [UsageLine.Key: Int] = [:]
    var lines: [UsageLine] = []
    while let row = try rows.next() {
      let line = try UsageLine(StoredRow(row: row, name: "usage"), columns: columns, grouping: self.grouping, in: self.column)
      if let place = places[line.key] {
        try lines[place].add(line)
      } else {
        guard lines.count < Self.longest else {
          throw Unanswerable("the report has more than \(Self.longest) lines; narrow the period or group by less")
        }
        places[line.key] = lines.count
        lines.append(line)
      }
    }
    return try lines.map { try $0.row() }
  }
}

extension UsageReport {
  /// Whether an index leads to so few rows that it is worth the way: a large part of all is read faster in the order of the table. Rows
  /// stand nearly in the order of their holds, so the first and the last of a span tell how many it has.
  private func isNarrow(in database: Database) throws -> Bool {
    if self.query.customer != nil { return true }
    func number(_ condition: String, _ order: String, _ instant: Timestamp?) throws -> Int? {
      guard let instant else { return nil }
      return try Int.fetchOne(
        database, sql: "SELECT number FROM usage WHERE held_at \(condition) ? ORDER BY held_at \(order) LIMIT 1",
        arguments: [instant.nanoseconds])
    }
    let all = try Int.fetchOne(database, sql: "SELECT max(number) FROM usage") ?? 0
    let first = try number(">=", "ASC", self.query.from) ?? 0
    let last = try number("<", "DESC", self.query.to) ?? all
    return last - first < all / 4
  }

  /// What a grouping is read from; a month from any of its days.
  private func column(_ grouping: UsageQuery.Grouping) -> String {
    switch grouping {
    case .customer, .project, .key, .model: grouping.rawValue
    case .day: dayColumn
    case .month:
      if let from = self.query.from, let to = self.query.to, !self.grouping.contains(.day) {
        monthColumn(from: from.month, to: to.month)
      } else {
        dayColumn
      }
    }
  }
}

/// The day of a hold as SQL, by its number since 1970.
let dayColumn = "held_at / 86400000000000"

/// The month of a hold as SQL, by the number of its first day: of holds from the first instant of `from` on. Those after `to`, or after
/// some years, are told by day.
func monthColumn(from: CalendarMonth, to: CalendarMonth) -> String {
  var cases = ""
  var month = from
  for _ in 0..<24 where month <= to {
    cases += " WHEN held_at < \(month.end.nanoseconds) THEN \(month.firstDay.number)"
    month = month.next
  }
  return cases.isEmpty ? dayColumn : "CASE\(cases) ELSE \(dayColumn) END"
}

/// A line of a report while it is summed, in numbers that cannot overflow.
private struct UsageLine {
  struct Key: Hashable {
    var customer: CustomerID?
    var project: ProjectID?
    var key: KeyID?
    var model: ModelID?
    var day: CalendarDay?
    var month: CalendarMonth?
    var currency: Currency
  }

  let key: Key
  private var requests: Int
  /// Prompt uncached, prompt cached, completion, training.
  private var tokens: [Int128]
  private var amount: Int128

  init(
    _ row: StoredRow, columns: [String], grouping: [UsageQuery.Grouping], in place: (UsageQuery.Grouping) -> String
  ) throws {
    let sums = columns.count
    var key = Key(currency: try row.currency(sums - 1))
    for group in grouping {
      guard let column = columns.firstIndex(of: place(group)) else { continue }
      switch group {
      case .customer: key.customer = try row.id(column)
      case .project: key.project = try row.optionalID(column)
      case .key: key.key = try row.id(column)
      case .model: key.model = ModelID(row.text(column))
      case .day: key.day = CalendarDay(number: row.row[column])
      case .month: key.month = CalendarDay(number: row.row[column]).month
      }
    }
    self.key = key
    self.requests = row.row[sums]
    self.tokens = (1...4).map { Int128(row.row[sums + $0] as Int64) }
    self.amount = Int128(row.row[sums + 5] as Int64) * 1_000_000_000 + Int128(row.row[sums + 6] as Int64)
  }

  mutating func add(_ other: UsageLine) throws {
    self.requests += other.requests
    for place in self.tokens.indices { self.tokens[place] += other.tokens[place] }
    self.amount += other.amount
  }

  func row() throws -> UsageRow {
    guard self.tokens.reduce(0, +) <= Int128(TokenCount.largest.value) else {
      throw Unanswerable("a line of the report sums more tokens than a count holds (\(TokenCount.largest)); narrow the period")
    }
    let counts = self.tokens.map { TokenCount(Int(clamping: $0)) }
    var row = UsageRow(
      requests: self.requests,
      tokens: TokenUsage(
        promptUncached: counts[0], promptCached: counts[1], completion: counts[2], training: counts[3]),
      amount: NanoAmount(self.amount), currency: self.key.currency)
    row.customer = self.key.customer
    row.project = self.key.project
    row.key = self.key.key
    row.model = self.key.model
    row.day = self.key.day
    row.month = self.key.month
    return row
  }
}
