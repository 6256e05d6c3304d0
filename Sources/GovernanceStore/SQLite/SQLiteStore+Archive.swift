internal import GRDB
public import Governance
public import GovernanceTypes

extension SQLiteStore {
  public func entry(lookup: String) async throws -> String? {
    guard lookup.utf8.count <= 4096, !lookup.utf8.contains(0) else { return nil }
    return try await self.read {
      try String.fetchOne(
        $0, sql: "SELECT line FROM entry JOIN entry_lookup USING (seq) WHERE id = ?", arguments: [lookup])
    }
  }

  /// Sums of settled requests by the query's grouping and by currency, in that order. Voided requests are not counted.
  ///
  /// - Throws: ``StoreError`` where a sum of tokens is beyond a ``TokenCount``, or the report would have more than
  ///   ``longestReport`` lines.
  public func usage(_ query: UsageQuery) async throws -> [UsageRow] {
    let report = UsageReport(query)
    return try await self.read { try report.rows(in: $0) }
  }

  /// The most lines of one usage report.
  public static let longestReport = UsageReport.longest

  /// Settled and voided requests in order of settlement. A whole run of pages reads the table once, whatever it filters.
  ///
  /// - Throws: ``StoreError`` where `after` names no usage record.
  public func usageRecords(_ query: UsageQuery, after: UsageID?, limit: Int) async throws -> [UsageRecord] {
    guard limit > 0 else { return [] }
    let filter = UsageFilter(query, usingIndexes: false)
    return try await self.read { database in
      var start: Row?
      if let after {
        start = try Row.fetchOne(
          database, sql: "SELECT number, held_at FROM usage WHERE id = ?", arguments: [after.description])
        guard start != nil else { throw Unanswerable("there is no usage record \(after) to continue after") }
      }
      let (place, order, arguments): (String, String, StatementArguments) =
        switch query.order {
        case .settlement: ("number > ?", "number", [start.map { $0[0] as Int } ?? 0])
        case .hold:
          (
            "(held_at, number) > (?, ?)", "held_at, number",
            [start.map { $0[1] as Int64 } ?? (query.from?.nanoseconds ?? .min), start.map { $0[0] as Int } ?? 0]
          )
        }
      var reader = try UsageRecordReader("WHERE \(place) AND \(filter.sql) ORDER BY \(order) LIMIT ?", in: database)
      let length = min(limit, Self.longestPage)
      return try reader.records(arguments + filter.arguments + [length], capacity: length)
    }
  }

  public func usageRecord(_ id: UsageID) async throws -> UsageRecord? {
    try await self.read { database in
      var reader = try UsageRecordReader("WHERE id = ?", in: database)
      return try reader.records([id.description], capacity: 1).first
    }
  }

  public func settled(before record: UsageRecord) async throws -> PeriodTotal? {
    try await self.read { try PeriodTotal.settled(before: record, in: $0) }
  }

  public func attempts(of usage: UsageID) async throws -> [AttemptRecord] {
    try await self.read { try AttemptRecord.all(of: usage, in: $0) }
  }

  public func openHolds() async throws -> [HoldRecord] { try await self.read { try HoldRecord.open(in: $0) } }
}
