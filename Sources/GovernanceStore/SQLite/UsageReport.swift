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

/// One usage report: rows are read in one pass and summed by what they have in common. SQL would sort them for that.
struct UsageReport: Sendable {
  static let longest = 100_000

  private let query: UsageQuery

  init(_ query: UsageQuery) { self.query = query }

  /// O(rows that are read), and memory for the lines of the report.
  func rows(in database: Database) throws -> [UsageRow] {
    let filter = UsageFilter(self.query, usingIndexes: try self.isNarrow(in: database))
    let statement = try database.makeStatement(
      sql: "SELECT \(UsageLineReader.columns) FROM usage WHERE outcome = 'settled' AND \(filter.sql)")
    let rows = try Row.fetchCursor(statement, arguments: filter.arguments)
    var reader = UsageLineReader(statement, self.query.grouping)
    var places: [UsageLine.Key: Int] = [:]
    var lines: [UsageLine] = []
    while try rows.next() != nil {
      let key = try reader.key()
      let place = places[key] ?? lines.count
      if place == lines.count {
        guard place < Self.longest else {
          throw Unanswerable("the report has more than \(Self.longest) lines; narrow the period or group by less")
        }
        places[key] = place
        lines.append(UsageLine(key))
      }
      reader.add(to: &lines[place])
    }
    return try lines.sorted { $0.key < $1.key }.map { try $0.row() }
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
}

/// A line of a report while it is summed, in numbers that cannot overflow.
private struct UsageLine {
  struct Key: Hashable, Comparable {
    var customer: CustomerID?
    var project: ProjectID?
    var key: KeyID?
    var model: ModelID?
    var day: CalendarDay?
    var month: CalendarMonth?
    var currency: Currency

    /// In the order of the groupings; what has no project comes before what has one.
    static func < (left: Self, right: Self) -> Bool {
      if left.customer != right.customer { return precedes(left.customer, right.customer) }
      if left.project != right.project { return precedes(left.project, right.project) }
      if left.key != right.key { return precedes(left.key, right.key) }
      if left.model != right.model { return precedes(left.model, right.model) }
      if left.day != right.day { return precedes(left.day, right.day) }
      if left.month != right.month { return precedes(left.month, right.month) }
      return left.currency < right.currency
    }

    private static func precedes<Value: Comparable>(_ left: Value?, _ right: Value?) -> Bool {
      guard let right else { return false }
      return left.map { $0 < right } ?? true
    }
  }

  let key: Key
  private var requests = 0
  private var promptUncached: Int128 = 0
  private var promptCached: Int128 = 0
  private var completion: Int128 = 0
  private var training: Int128 = 0
  private var amount: Int128 = 0

  init(_ key: Key) { self.key = key }

  mutating func add(promptUncached: Int64, promptCached: Int64, completion: Int64, training: Int64, amount: Int64) {
    self.requests += 1
    self.promptUncached += Int128(promptUncached)
    self.promptCached += Int128(promptCached)
    self.completion += Int128(completion)
    self.training += Int128(training)
    self.amount += Int128(amount)
  }

  func row() throws -> UsageRow {
    guard self.promptUncached + self.promptCached + self.completion + self.training <= Int128(TokenCount.largest.value) else {
      throw Unanswerable("a line of the report sums more tokens than a count holds (\(TokenCount.largest)); narrow the period")
    }
    func count(_ sum: Int128) -> TokenCount { TokenCount(Int(clamping: sum)) }
    var row = UsageRow(
      requests: self.requests,
      tokens: TokenUsage(
        promptUncached: count(self.promptUncached), promptCached: count(self.promptCached), completion: count(self.completion),
        training: count(self.training)),
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

/// Reads of each row what a report asks for.
private struct UsageLineReader {
  static let columns = """
    customer, project, key, model, currency, amount, prompt_uncached, prompt_cached, completion, training, held_at
    """

  private let values: ColumnValues
  private let grouping: [UsageQuery.Grouping]
  private var models = RecurringValue { ModelID($0) }
  private var currencies = RecurringValue { Currency($0) }
  /// The month of the day that was last met.
  private var lastDay: (day: CalendarDay, month: CalendarMonth)?

  init(_ statement: Statement, _ grouping: [UsageQuery.Grouping]) {
    self.values = ColumnValues(of: statement, name: "usage")
    self.grouping = grouping
  }

  mutating func key() throws -> UsageLine.Key {
    var key = UsageLine.Key(currency: try self.currencies.value(of: 4, in: self.values))
    for group in self.grouping {
      switch group {
      case .customer: key.customer = try self.values.id(0)
      case .project: key.project = try self.values.optionalID(1)
      case .key: key.key = try self.values.id(2)
      case .model: key.model = try self.models.value(of: 3, in: self.values)
      case .day: key.day = self.values.instant(10).day
      case .month: key.month = self.month(of: self.values.instant(10).day)
      }
    }
    return key
  }

  func add(to line: inout UsageLine) {
    line.add(
      promptUncached: self.values.integer(6), promptCached: self.values.integer(7), completion: self.values.integer(8),
      training: self.values.integer(9), amount: self.values.integer(5))
  }

  private mutating func month(of day: CalendarDay) -> CalendarMonth {
    if let last = self.lastDay, last.day == day { return last.month }
    let month = day.month
    self.lastDay = (day, month)
    return month
  }
}
