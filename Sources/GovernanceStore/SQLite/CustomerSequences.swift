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

  /// The rows that note what the transaction added. O(customers that it concerns).
  func addRows(to rows: inout PreparedRows) {
    for (customer, next) in self.pending {
      rows.begin(.customerSequence)
      rows.id(customer)
      rows.integer(next)
    }
  }

  /// The transaction is on disk.
  mutating func commit() {
    for (customer, next) in self.pending { self.committed[customer] = next }
    self.pending.removeAll(keepingCapacity: true)
  }
}
