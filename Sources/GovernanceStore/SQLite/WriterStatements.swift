internal import GRDB
internal import GRDBSQLite
internal import GovernanceTypes

/// The compiled statements of the writer's connection, and the one place that calls SQLite's own functions: a statement's values are
/// taken from where they lie, without a copy and without a value of a type that SQLite does not know.
///
/// It is made on the writer's thread and stays there, inside the connection's queue.
final class WriterStatements {
  /// Keeps them compiled; finalised with this object, which goes before the connection is closed.
  private var statements: [Statement?] = Array(repeating: nil, count: WriteStatement.allCases.count)

  private var control: (begin: Statement, commit: Statement, rollback: Statement)?

  /// Runs `work` as one transaction, whose two ends are compiled once as well.
  func inTransaction(_ database: Database, _ work: () throws -> Void) throws {
    let control = try self.control(in: database)
    try control.begin.execute()
    do {
      try work()
      try control.commit.execute()
    } catch {
      // SQLite ends the transaction by itself where it can no longer be written. What failed is told, not what failed because of it.
      if database.isInsideTransaction { try? control.rollback.execute() }
      throw error
    }
  }

  private func control(in database: Database) throws -> (begin: Statement, commit: Statement, rollback: Statement) {
    if let known = self.control { return known }
    let made = (
      begin: try database.makeStatement(sql: "BEGIN IMMEDIATE"), commit: try database.makeStatement(sql: "COMMIT"),
      rollback: try database.makeStatement(sql: "ROLLBACK")
    )
    self.control = made
    return made
  }

  /// Writes the rows in order.
  ///
  /// - Parameters:
  ///   - sequence: That of the record's own entry; -1 where it has none.
  ///   - conflict: What a row contradicts that changes nothing, by the effect that it writes.
  /// - Throws: `Conflict`, or SQLite's error; the rows before it are then written, and it is the transaction's to take them back.
  func write(
    _ rows: PreparedRows, sequence: Int, now: Timestamp, in database: Database, conflict: (Int) -> String = { _ in "" }
  ) throws {
    for (place, row) in rows.rows.enumerated() {
      let statement = try self.statement(row.statement, in: database)
      let changes = try self.run(
        statement, rows: rows, values: rows.values(of: place), sequence: sequence, now: now, in: database)
      guard changes == 1 || !row.statement.changesOne else { throw Conflict(conflict(row.effect)) }
    }
  }

  private func statement(_ name: WriteStatement, in database: Database) throws -> OpaquePointer {
    if let known = self.statements[name.rawValue] { return known.sqliteStatement }
    let statement = try database.makeStatement(sql: name.sql)
    self.statements[name.rawValue] = statement
    return statement.sqliteStatement
  }

  /// The number of rows that the statement changed.
  private func run(
    _ statement: OpaquePointer, rows: PreparedRows, values: Range<Int>, sequence: Int, now: Timestamp, in database: Database
  ) throws -> Int32 {
    guard values.count == Int(sqlite3_bind_parameter_count(statement)) else {
      throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "a statement has another number of parameters than it was given")
    }
    let code = rows.bytes.withUnsafeBytes { bytes in
      // The buffer outlives the step, and the bindings end with it: SQLite needs no copy. A null destructor says so. The buffer is never
      // empty, so that an empty text has an address and is not NULL; lengths are bounded by what a record may hold.
      for (place, value) in zip(Int32(1)..., rows.values[values]) {
        switch value {
        case .null: sqlite3_bind_null(statement, place)
        case .integer(let value): sqlite3_bind_int64(statement, place, value)
        case .text(let start, let count):
          let text = bytes.baseAddress.map { ($0 + start).assumingMemoryBound(to: CChar.self) }
          sqlite3_bind_text(statement, place, text, Int32(clamping: count), nil)
        case .blob(let start, let count):
          sqlite3_bind_blob(statement, place, bytes.baseAddress.map { $0 + start }, Int32(clamping: count), nil)
        case .now: sqlite3_bind_int64(statement, place, now.nanoseconds)
        case .sequence: sqlite3_bind_int64(statement, place, Int64(sequence))
        }
      }
      return sqlite3_step(statement)
    }
    let message = code == SQLITE_DONE ? nil : sqlite3_errmsg(database.sqliteConnection).map { String(cString: $0) }
    // Its result is the step's once more.
    sqlite3_reset(statement)
    sqlite3_clear_bindings(statement)
    guard code == SQLITE_DONE else { throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message) }
    return sqlite3_changes(database.sqliteConnection)
  }
}
