internal import GRDB
public import Governance
internal import GovernanceTypes

extension SQLiteStore {
  /// Deliveries of a receiver in one state, in the order in which they came, at most `limit`.
  public func deliveries(to receiver: String, _ state: DeliveryRecord.State, limit: Int) async throws -> [DeliveryRecord] {
    try await self.read { database in
      try DeliveryRecord.stored("receiver = ? AND state = ?", [receiver, state.rawValue], limit: limit, in: database)
    }
  }

  /// Which of these deliveries are there, whatever became of them.
  public func deliveries(to receiver: String, named ids: [String]) async throws -> [DeliveryRecord] {
    try await self.read { database in
      var found: [DeliveryRecord] = []
      for id in ids where !id.utf8.contains(0) {
        found += try DeliveryRecord.stored("receiver = ? AND id = ?", [receiver, id], limit: 1, in: database)
      }
      return found
    }
  }

  /// How many deliveries of each receiver are in each state.
  public func deliveryCounts() async throws -> [(receiver: String, state: DeliveryRecord.State, count: Int)] {
    try await self.read { database in
      let rows = try Row.fetchCursor(
        database, sql: "SELECT receiver, state, count(*) FROM delivery GROUP BY receiver, state ORDER BY receiver, state")
      var counts: [(receiver: String, state: DeliveryRecord.State, count: Int)] = []
      while let row = try rows.next() {
        let row = StoredRow(row: row, name: "delivery")
        counts.append((row.text(0), try row.value(1), row.row[2]))
      }
      return counts
    }
  }

  public func bookmark(_ name: String) async throws -> String? {
    try await self.read { try String.fetchOne($0, sql: "SELECT value FROM bookmark WHERE name = ?", arguments: [name]) }
  }
}

extension DeliveryRecord {
  /// The longest message that is kept.
  static let longestPayload = 1 << 20

  /// Writes a delivery, or what became of it.
  func write(to database: Database) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO delivery (receiver, id, lane, payload, state, at, attempts, failure) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (receiver, id) DO UPDATE SET state = ?5, at = ?6, attempts = ?7, failure = ?8
        """
    ).execute(arguments: [
      try storable(self.receiver, "receiver"), try storable(self.id, "id"), try self.lane.map { try storable($0, "lane") },
      try storable(self.payload, "payload", most: Self.longestPayload), self.state.rawValue, self.at.nanoseconds, self.attempts,
      try self.failure.map { try storable(String($0.prefix(1000)), "failure") },
    ])
  }

  static func forget(_ receiver: String, acknowledgedBefore instant: Timestamp, in database: Database) throws {
    try database.cachedStatement(sql: "DELETE FROM delivery WHERE receiver = ? AND state = 'acknowledged' AND at < ?")
      .execute(arguments: [receiver, instant.nanoseconds])
  }

  static func setBookmark(_ name: String, _ value: String, in database: Database) throws {
    try database.cachedStatement(
      sql: "INSERT INTO bookmark (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2"
    ).execute(arguments: [try storable(name, "name"), try storable(value, "value")])
  }

  fileprivate static func stored(
    _ condition: String, _ arguments: StatementArguments, limit: Int, in database: Database
  ) throws -> [DeliveryRecord] {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT receiver, id, lane, payload, state, at, attempts, failure FROM delivery WHERE \(condition) ORDER BY place LIMIT ?
        """, arguments: arguments + [max(0, limit)])
    var records: [DeliveryRecord] = []
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "delivery")
      records.append(
        DeliveryRecord(
          receiver: row.text(0), id: row.text(1), lane: row.row[2], payload: row.text(3), state: try row.value(4),
          at: row.instant(5), attempts: row.row[6], failure: row.row[7]))
    }
    return records
  }
}
