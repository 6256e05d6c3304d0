internal import GRDB

// SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode when one connection resets the log while another runs a
// checkpoint. That needs two connections that write or checkpoint, and here there is one: the writer's. It alone writes, it
// alone runs checkpoints (automatic ones are off), readers are opened read-only with `query_only` and without automatic
// checkpoints, they are closed before the writer so that none is the last connection (which would checkpoint on close), and
// the directory lock keeps other gateways out. No other program may write to the live file or run a checkpoint on it.

/// The one connection that writes. It is used by the thread of ``CommitWriter`` only.
func openWritingConnection(path: String) throws -> DatabaseQueue {
  var configuration = Configuration()
  configuration.label = "GovernanceStore.writer"
  configuration.foreignKeysEnabled = true
  configuration.busyMode = .timeout(5)
  let queue = try DatabaseQueue(path: path, configuration: configuration)
  try queue.inDatabase { database in
    try refuseForeignFile(database)
    // WAL is set here and not by GRDB, which would lower `synchronous`: FULL is what keeps an acknowledged commit in a power cut.
    try database.execute(
      sql: """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA mmap_size = 0;
        PRAGMA trusted_schema = OFF;
        PRAGMA temp_store = MEMORY;
        """)
  }
  return queue
}

/// Gives the writer the memory that the tables' growing ends need: not before the log was read once at the start, which would fill
/// it with pages that nobody asks for again.
func widenCache(of queue: DatabaseQueue) throws {
  try queue.inDatabase { try $0.execute(sql: "PRAGMA cache_size = -16384") }
}

/// Reads back what durability and integrity rest on; the first setting that is not as it must be, nil if all are.
func unsafeSetting(of database: Database) throws -> String? {
  let wanted = [
    ("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1"), ("wal_autocheckpoint", "0"), ("mmap_size", "0"),
  ]
  for (name, value) in wanted {
    // `mmap_size` answers with no row where memory mapping is compiled out.
    let got = try String.fetchOne(database, sql: "PRAGMA \(name)") ?? (name == "mmap_size" ? "0" : "not known to it")
    if got.lowercased() != value { return "\(name) is \(got), not \(value)" }
  }
  return nil
}

/// A connection for reports and proofs.
func openReadingConnection(path: String, number: Int) throws -> DatabaseQueue {
  var configuration = Configuration()
  configuration.label = "GovernanceStore.reader.\(number)"
  configuration.readonly = true
  configuration.busyMode = .timeout(5)
  let queue = try DatabaseQueue(path: path, configuration: configuration)
  try queue.inDatabase { database in
    try database.execute(
      sql: """
        PRAGMA query_only = ON;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA mmap_size = 0;
        PRAGMA cache_size = -2048;
        """)
  }
  return queue
}

/// A file that holds a database which is not ours is left as it is.
struct ForeignFile: Error {
  let reason: String
}

private func refuseForeignFile(_ database: Database) throws {
  let id = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
  let tables = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
  guard id == Schema.applicationID || (id == 0 && tables == 0) else {
    throw ForeignFile(reason: "the file is an SQLite database of another program (application id \(id), \(tables) tables)")
  }
}
