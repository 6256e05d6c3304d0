internal import GRDBSQLite
internal import Glibc
internal import Governance
internal import GovernanceStore

/// The store's writer at full load beside raw SQLite with the same settings, in turn, at the same number of log entries a transaction.
func measureRows(in directory: String) async throws {
  guard mkdir(directory, 0o700) == 0 else {
    say("\(directory) is there already, or cannot be made")
    exit(1)
  }
  for batch in [99, 999] {
    var store: [Double] = []
    var raw: [Double] = []
    for round in 0..<3 {
      store.append(try await storeRate(batch: batch, in: "\(directory)/store-\(batch)-\(round)"))
      raw.append(rawRate(batch: batch, file: "\(directory)/raw-\(batch)-\(round).sqlite"))
    }
    let (best, bestRaw) = (store.max() ?? 0, raw.max() ?? 1)
    say(
      "\(batch) a transaction: store \(fixed(best, 0)) entries/s (each with its rows, hashed into the log), raw SQLite "
        + "\(fixed(bestRaw, 0)) rows/s: \(fixed(best / bestRaw, 2)) of it; median \(fixed(store.sorted()[1] / raw.sorted()[1], 2))"
    )
  }
}

/// Log entries per second: pairs of hold and settle, three entries each, with all rows that belong to them.
private func storeRate(batch: Int, in directory: String) async throws -> Double {
  let store = try freshStore(in: directory)
  let total = batch == 99 ? 19_800 : 59_940
  let pairs = (0..<total / 3).map { PairRecords(number: $0) }
  let perBatch = batch / 3
  let start = ContinuousClock.now
  var number = 0
  while number < pairs.count {
    // The queue is filled with one transaction's worth, twice over, so that the writer never waits for records.
    let tickets = pairs[number..<min(pairs.count, number + perBatch)].flatMap {
      [store.submit($0.opening), store.submit($0.closing)]
    }
    for ticket in tickets { try await ticket.durable() }
    number += perBatch
  }
  let rate = Double(store.statistics.entries) / (ContinuousClock.now - start).seconds
  await store.close()
  return rate
}

/// Rows of 230 bytes with a unique index over 32 of them, per second.
private func rawRate(batch: Int, file: String) -> Double {
  var database: OpaquePointer?
  var statement: OpaquePointer?
  func run(_ sql: String) {
    guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else {
      say("raw SQLite: \(String(cString: sqlite3_errmsg(database)))")
      exit(1)
    }
  }
  guard sqlite3_open(file, &database) == SQLITE_OK else { exit(1) }
  defer { sqlite3_close(database) }
  run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -32768")
  run("CREATE TABLE entry (seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL UNIQUE, line TEXT NOT NULL) STRICT")
  guard sqlite3_prepare_v2(database, "INSERT INTO entry VALUES (?, ?, ?)", -1, &statement, nil) == SQLITE_OK else { exit(1) }
  defer { sqlite3_finalize(statement) }
  let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
  let line = String(repeating: "x", count: 190)
  let total = batch == 99 ? 19_800 : 59_940
  let start = ContinuousClock.now
  for number in 0..<total {
    if number % batch == 0 { run("BEGIN IMMEDIATE") }
    var leaf = [UInt64](repeating: 0, count: 4)
    for place in 0..<4 { leaf[place] = UInt64(number * 4 + place) &* 0x9E37_79B9_7F4A_7C15 }
    sqlite3_bind_int64(statement, 1, Int64(number))
    leaf.withUnsafeBytes { _ = sqlite3_bind_blob(statement, 2, $0.baseAddress, 32, transient) }
    sqlite3_bind_text(statement, 3, line, -1, transient)
    guard sqlite3_step(statement) == SQLITE_DONE else { exit(1) }
    sqlite3_reset(statement)
    if number % batch == batch - 1 || number == total - 1 { run("COMMIT") }
  }
  return Double(total) / (ContinuousClock.now - start).seconds
}
