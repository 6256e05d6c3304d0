internal import GRDBSQLite
internal import Glibc

/// A connection with the store's settings, and statements run by SQLite's own functions.
struct RawSQLite {
  enum Value {
    case null
    case integer(Int64)
    case text([UInt8])
    case blob([UInt8])

    var size: Int {
      switch self {
      case .null: 0
      case .integer: 8
      case .text(let bytes), .blob(let bytes): bytes.count
      }
    }
  }

  private let database: OpaquePointer

  init(file: String) {
    var database: OpaquePointer?
    guard sqlite3_open(file, &database) == SQLITE_OK, let database else { Self.give(up: "cannot open \(file)") }
    self.database = database
    self.run(
      """
      PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -32768;
      PRAGMA foreign_keys = ON
      """)
  }

  func close() { sqlite3_close(self.database) }

  private static func give(up message: String) -> Never {
    say("raw SQLite: \(message)")
    exit(1)
  }

  func run(_ sql: String) {
    guard sqlite3_exec(self.database, sql, nil, nil, nil) == SQLITE_OK else {
      Self.give(up: String(cString: sqlite3_errmsg(self.database)))
    }
  }

  func prepare(_ sql: String) -> OpaquePointer {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(self.database, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
      Self.give(up: String(cString: sqlite3_errmsg(self.database)))
    }
    return statement
  }

  /// Runs a statement with values, which SQLite takes from where they lie.
  func run(_ statement: OpaquePointer, _ values: [Value]) {
    for (place, value) in zip(Int32(1)..., values) {
      switch value {
      case .null: sqlite3_bind_null(statement, place)
      case .integer(let value): sqlite3_bind_int64(statement, place, value)
      // The arrays are kept by the caller until the statement is done, and are not changed meanwhile.
      case .text(let bytes):
        bytes.withUnsafeBytes {
          _ = sqlite3_bind_text(statement, place, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count), nil)
        }
      case .blob(let bytes):
        bytes.withUnsafeBytes { _ = sqlite3_bind_blob(statement, place, $0.baseAddress, Int32($0.count), nil) }
      }
    }
    guard sqlite3_step(statement) == SQLITE_DONE else { Self.give(up: String(cString: sqlite3_errmsg(self.database))) }
    sqlite3_reset(statement)
    withExtendedLifetime(values) {}
  }

  /// All rows of a query.
  func rows(_ sql: String) -> [[Value]] {
    let statement = self.prepare(sql)
    defer { sqlite3_finalize(statement) }
    var rows: [[Value]] = []
    while sqlite3_step(statement) == SQLITE_ROW {
      rows.append(
        (0..<sqlite3_column_count(statement)).map { column in
          func bytes() -> [UInt8] {
            Array(
              UnsafeRawBufferPointer(
                start: sqlite3_column_blob(statement, column), count: Int(sqlite3_column_bytes(statement, column))))
          }
          switch sqlite3_column_type(statement, column) {
          case SQLITE_NULL: return .null
          case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, column))
          case SQLITE_BLOB: return .blob(bytes())
          default: return .text(bytes())
          }
        })
    }
    return rows
  }

  /// Runs `step` for each place, `batch` of them in a transaction, and copies the write-ahead log back after `interval` of them. Gives the
  /// seconds that it took.
  func time(_ count: Int, batch: Int, interval: Int, _ step: (Int) -> Void) -> Double {
    let start = ContinuousClock.now
    var uncheckpointed = 0
    for place in 0..<count {
      if place % batch == 0 { self.run("BEGIN IMMEDIATE") }
      step(place)
      uncheckpointed += 1
      guard place % batch == batch - 1 || place == count - 1 else { continue }
      self.run("COMMIT")
      if uncheckpointed >= interval {
        self.run("PRAGMA wal_checkpoint(PASSIVE)")
        uncheckpointed = 0
      }
    }
    return (ContinuousClock.now - start).seconds
  }
}

/// What the store wrote, read back from its file.
struct WrittenRows {
  /// By request: the rows in the order in which they were written.
  let requests: [[(statement: Int, values: [RawSQLite.Value])]]
  /// What makes the tables, indices and triggers.
  let schema: [String]
  let requestsPerTransaction: Int
  /// Rows, without the deletions.
  let count: Int
  /// Bytes of the values of a row.
  let meanSize: Int

  /// Requests after which the store copies its write-ahead log back: 4096 records, three for each.
  static let interval = 4096 / 3

  static let statements = [
    "INSERT INTO entry VALUES (?, ?, ?, ?, ?)",
    "INSERT INTO entry_lookup VALUES (?, ?)",
    "INSERT INTO hold VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "DELETE FROM hold WHERE usage = ? AND customer = ? AND key = ? AND currency = ? AND amount >= ?",
    "INSERT INTO usage VALUES (\(Array(repeating: "?", count: 23).joined(separator: ", ")))",
  ]

  init(file: String, entriesPerTransaction: Int) {
    let database = RawSQLite(file: file)
    defer { database.close() }
    self.schema = database.rows(
      "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type = 'trigger', type = 'index'"
    ).compactMap { if case .text(let sql)? = $0.first { String(decoding: sql, as: UTF8.self) } else { nil } }
    let entries = database.rows("SELECT seq, type, at_ns, leaf, line FROM entry ORDER BY seq")
    // Those of each request follow one another: decision, settlement.
    let lookups = database.rows("SELECT id, seq FROM entry_lookup ORDER BY seq")
    let usage = database.rows("SELECT * FROM usage ORDER BY number")
    let holds = database.rows(
      """
      SELECT id, id, decision, customer, project, key, model, price, currency, 15360000, 266, 10, held_at, is_prepaid, 0, 64 FROM usage
      ORDER BY number
      """)
    self.requests = usage.indices.map { place in
      let (hold, row) = (holds[place], usage[place])
      return [
        (0, entries[3 * place]), (1, lookups[2 * place]), (0, entries[3 * place + 1]), (2, hold), (0, entries[3 * place + 2]),
        (1, lookups[2 * place + 1]), (3, [row[1], row[3], row[5], row[8], row[9]]), (4, row),
      ]
    }
    self.requestsPerTransaction = entriesPerTransaction / 3
    self.count = 7 * usage.count
    let size = self.requests.reduce(0) {
      $0 + $1.filter { $0.statement != 3 }.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.size } }
    }
    self.meanSize = size / max(1, self.count)
  }
}

/// The store's own rows into the store's own tables, per second.
func sameRate(_ written: WrittenRows, file: String) -> Double {
  let database = RawSQLite(file: file)
  defer { database.close() }
  for sql in written.schema { database.run(sql) }
  let statements = WrittenRows.statements.map(database.prepare)
  defer { for statement in statements { sqlite3_finalize(statement) } }
  let seconds = database.time(written.requests.count, batch: written.requestsPerTransaction, interval: WrittenRows.interval) {
    request in
    for (statement, values) in written.requests[request] { database.run(statements[statement], values) }
  }
  return Double(written.count) / seconds
}

/// Rows of one size into one table with a unique index, per second.
func plainRate(_ written: WrittenRows, file: String) -> Double {
  let database = RawSQLite(file: file)
  defer { database.close() }
  database.run("CREATE TABLE entry (seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL UNIQUE, line TEXT NOT NULL) STRICT")
  let statement = database.prepare("INSERT INTO entry VALUES (?, ?, ?)")
  defer { sqlite3_finalize(statement) }
  let line = RawSQLite.Value.text(Array(repeating: UInt8(ascii: "x"), count: max(1, written.meanSize - 40)))
  let leaves = (0..<written.count).map { number in
    (0..<4).flatMap { (word: Int) -> [UInt8] in
      let value = UInt64(number * 4 + word) &* 0x9E37_79B9_7F4A_7C15
      return (0..<8).map { (place: UInt64) -> UInt8 in UInt8(truncatingIfNeeded: value >> (8 * place)) }
    }
  }
  let seconds = database.time(written.count, batch: 7 * written.requestsPerTransaction, interval: 7 * WrittenRows.interval) {
    number in
    database.run(statement, [.integer(Int64(number)), .blob(leaves[number]), line])
  }
  return Double(written.count) / seconds
}
