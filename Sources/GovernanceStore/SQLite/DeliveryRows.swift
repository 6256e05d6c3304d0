internal import GRDB
public import Governance
public import GovernanceTypes

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

  /// How many deliveries of a receiver wait or were given up, and when the oldest that waits was put in. O(those).
  public func backlog(of receiver: String) async throws -> DeliveryBacklog {
    try await self.read { database in
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT state, count(*), min(put_at) FROM delivery WHERE receiver = ? AND state IN ('pending', 'dead') GROUP BY state
          """, arguments: [receiver])
      var backlog = DeliveryBacklog()
      while let row = try rows.next() {
        let stored = StoredRow(row: row, name: "delivery")
        let state: DeliveryRecord.State = try stored.value(0)
        if state == .dead { backlog.dead = row[1] }
        if state == .pending { (backlog.waiting, backlog.oldest) = (row[1], stored.instant(2)) }
      }
      return backlog
    }
  }

  public func bookmark(_ name: String) async throws -> String? {
    try await self.read { try String.fetchOne($0, sql: "SELECT value FROM bookmark WHERE name = ?", arguments: [name]) }
  }
}

/// What of a receiver's deliveries has not arrived.
public struct DeliveryBacklog: Sendable, Equatable {
  public var waiting = 0
  public var dead = 0
  /// When the one that waits longest was put in.
  public var oldest: Timestamp?

  public init() {}
}

extension DeliveryRecord {
  /// The longest message that is kept.
  static let longestPayload = 1 << 20

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
