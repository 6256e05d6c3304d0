internal import GRDB
public import Governance
internal import GovernanceTypes

extension SQLiteStore {
  /// The most rows of one answer: spans times groups.
  static let mostBucketRows = 100_000

  /// Reads by the index of hold times: O(requests in the span asked about).
  public func usageBuckets(_ query: UsageBucketQuery) async throws -> [UsageBucketRow] {
    let columns = UsageBucketQuery.Grouping.allCases.map { query.grouping.contains($0) ? $0.rawValue : "NULL AS \($0.rawValue)" }
    var conditions = ["outcome = 'settled'", "held_at >= ?", "held_at < ?"]
    var arguments: StatementArguments = [query.from.nanoseconds, query.to.nanoseconds]
    func restrict(_ column: String, to values: [String]) {
      guard !values.isEmpty else { return }
      conditions.append("\(column) IN (\(Array(repeating: "?", count: values.count).joined(separator: ", ")))")
      arguments += StatementArguments(values)
    }
    restrict("project", to: query.projects.map(\.description))
    restrict("key", to: query.keys.map(\.description))
    // A name with a zero was never stored, and bound it would end there.
    restrict("model", to: query.models.map { $0.name.utf8.contains(0) ? "" : $0.name })
    let sums = ["prompt_uncached", "prompt_cached", "completion", "training"].map(SplitSum.of).joined(separator: ", ")
    let sql = """
      SELECT held_at / \(query.width.seconds * 1_000_000_000) * \(query.width.seconds * 1_000_000_000), \(columns.joined(separator: ", ")),
        currency, count(*), \(SplitSum.ofAmounts("amount")), \(sums)
      FROM usage WHERE \(conditions.joined(separator: " AND ")) GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5 LIMIT ?
      """
    arguments += [Self.mostBucketRows + 1]
    let asked = arguments
    return try await self.read { database in
      let rows = try Row.fetchCursor(database, sql: sql, arguments: asked)
      var buckets: [UsageBucketRow] = []
      while let row = try rows.next() { buckets.append(try UsageBucketRow(StoredRow(row: row, name: "usage"))) }
      guard buckets.count <= Self.mostBucketRows else {
        throw Unanswerable("the answer has more than \(Self.mostBucketRows) rows; ask for fewer spans or group by less")
      }
      return buckets
    }
  }
}

extension UsageBucketRow {
  fileprivate init(_ row: StoredRow) throws {
    self.init(
      start: row.instant(0), project: try row.optionalID(1), key: try row.optionalID(2),
      model: (row.row[3] as String?).map { ModelID($0) }, currency: try row.currency(4), requests: row.row[5],
      tokens: TokenUsage(
        promptUncached: row.sumOfTokens(8), promptCached: row.sumOfTokens(10), completion: row.sumOfTokens(12),
        training: row.sumOfTokens(14)),
      amount: row.sumOfAmounts(6))
  }
}
