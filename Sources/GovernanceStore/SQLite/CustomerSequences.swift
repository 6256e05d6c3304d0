internal import GRDB
internal import GovernanceTypes

/// How many entries concern each customer: the `customer_seq` of the next one.
///
/// What a transaction adds is kept apart until it is on disk, so that a failed one leaves no gap, and costs nothing to forget.
struct CustomerSequences: Sendable {
  private var committed: [CustomerID: Int] = [:]
  private(set) var pending: [CustomerID: Int] = [:]

  init() {}

  /// Those that the store noted with the last entry of each customer.
  init(in database: Database) throws {
    let rows = try Row.fetchCursor(database, sql: "SELECT customer, next FROM customer_sequence")
    while let row = try rows.next() {
      let row = StoredRow(row: row, name: "customer_sequence")
      self.committed[try row.id(0)] = row.row[1]
    }
  }

  mutating func take(_ customer: CustomerID) -> Int {
    let next = self.pending[customer] ?? self.committed[customer] ?? 0
    self.pending[customer] = next + 1
    return next
  }

  /// The transaction is back where it was: at its start, or at a savepoint.
  mutating func restore(_ pending: [CustomerID: Int] = [:]) { self.pending = pending }

  /// Notes what the transaction added. O(customers that it concerns).
  func write(in database: Database) throws {
    guard !self.pending.isEmpty else { return }
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO customer_sequence (customer, next) VALUES (?, ?) ON CONFLICT (customer) DO UPDATE SET next = excluded.next
        """)
    for (customer, next) in self.pending { try statement.execute(arguments: [customer.text, next]) }
  }

  /// The transaction is on disk.
  mutating func commit() {
    for (customer, next) in self.pending { self.committed[customer] = next }
    self.pending.removeAll(keepingCapacity: true)
  }
}
