internal import AuditTrail
internal import Foundation
internal import GRDB
internal import Governance
internal import GovernanceTypes

/// Where what a command wrote stands in the log.
struct CommitPlace: Sendable, Equatable {
  /// The sequence number of its first entry, or of the next one where it has none.
  var first: Int
  var last: EntryReceipt?
}

/// What is done inside a transaction of the writer's, and what keeps memory and database in step around it.
struct TransactionWriter: Sendable {
  private var appender: LogAppender

  /// Expired idempotency keys that one call deletes.
  private static let purgeLimit = 4096

  init(tree: MerkleTree, customers: CustomerSequences) { self.appender = LogAppender(tree: tree, customers: customers) }

  /// What the transaction counted stands, or never was.
  mutating func end(committed: Bool) {
    if committed { self.appender.customers.commit() } else { self.appender.customers.restore() }
  }

  /// Writes commands in order. When `isolating`, each stands behind a savepoint, and a conflict is its own result.
  mutating func write(
    _ batch: ArraySlice<Submission>, isolating: Bool, to log: inout LogState, with statements: WriterStatements,
    in database: Database
  ) throws -> [Result<CommitPlace, JournalError>] {
    let start = log
    var results: [Result<CommitPlace, JournalError>] = []
    results.reserveCapacity(batch.count)
    for submission in batch {
      if isolating {
        results.append(try self.writeIsolated(submission.command, to: &log, with: statements, in: database))
      } else {
        results.append(.success(try self.write(submission.command, to: &log, with: statements, in: database)))
      }
    }
    if log != start { try self.writeEnd(of: log, with: statements, in: database) }
    return results
  }

  private mutating func writeIsolated(
    _ command: Command, to log: inout LogState, with statements: WriterStatements, in database: Database
  ) throws -> Result<CommitPlace, JournalError> {
    let (before, pending) = (log, self.appender.customers.pending)
    var place = CommitPlace(first: log.nextSeq)
    do {
      try database.inSavepoint {
        place = try self.write(command, to: &log, with: statements, in: database)
        return .commit
      }
      return .success(place)
    } catch let error where journalError(error).code == .conflict {
      log = before
      self.appender.customers.restore(pending)
      return .failure(journalError(error))
    }
  }

  private mutating func write(
    _ command: Command, to log: inout LogState, with statements: WriterStatements, in database: Database
  ) throws -> CommitPlace {
    var place = CommitPlace(first: log.nextSeq)
    switch command {
    case .records(let records):
      for record in records {
        place.last = try self.write(record, to: &log, with: statements, in: database) ?? place.last
      }
    case .checkpoint(let checkpoint): try self.write(checkpoint, in: database)
    case .secret(let name, let value): try self.write(secret: value, named: name, in: database)
    case .maximumBytes(let bytes): try limitPages(of: database, toBytes: bytes)
    }
    return place
  }

  private mutating func write(
    _ record: PreparedRecord, to log: inout LogState, with statements: WriterStatements, in database: Database
  ) throws -> EntryReceipt? {
    let receipt = try record.entry.map { try self.appender.append($0, to: &log, with: statements, in: database) }
    try statements.write(record.rows, sequence: receipt?.sequence ?? -1, now: log.lastAt, in: database) {
      record.effects[$0].contradiction
    }
    for effect in record.effects {
      if case .usage(let record) = effect { log.totals.add(record) }
    }
    return receipt
  }

  private func write(_ checkpoint: StoredCheckpoint, in database: Database) throws {
    if let known = try StoredCheckpoint.newest(atOrBefore: checkpoint.size, in: database), known.size == checkpoint.size {
      guard known == checkpoint else { throw Conflict("there is another checkpoint of size \(checkpoint.size)") }
      return
    }
    try database.cachedStatement(sql: "INSERT INTO checkpoint (size, root, note) VALUES (?, ?, ?)").execute(
      arguments: [checkpoint.size, Data(checkpoint.root.bytes), try storable(checkpoint.note, "note", most: 1 << 16)])
  }

  private func write(secret value: [UInt8], named name: String, in database: Database) throws {
    guard value.count <= 1 << 16 else { throw Conflict("the secret \(name) has \(value.count) bytes; at most 65536 are kept") }
    let sql = "SELECT value FROM secret WHERE name = ?"
    if let known = try Data.fetchOne(database, sql: sql, arguments: [try storable(name, "name")]) {
      guard known == Data(value) else { throw Conflict("there is a secret named \(name); it is created once") }
      return
    }
    try database.execute(sql: "INSERT INTO secret (name, value) VALUES (?, ?)", arguments: [name, Data(value)])
  }

  // MARK: The end of the log

  /// Notes the end of the log beside it, so that a log that was cut off is seen at the next start, and that of each customer's entries.
  private func writeEnd(of log: LogState, with statements: WriterStatements, in database: Database) throws {
    var rows = PreparedRows()
    rows.begin(.logEnd)
    rows.text("log_size")
    rows.integer(log.nextSeq)
    rows.begin(.logEnd)
    rows.text("log_root")
    rows.blob(log.frontier.root(in: self.appender.tree).bytes)
    self.appender.customers.addRows(to: &rows)
    try statements.write(rows, sequence: -1, now: log.lastAt, in: database)
  }

  /// Refuses to go on where the database holds another end of the log than memory does.
  func review(_ log: LogState, in database: Database) throws {
    let end = try LogEnd(in: database)
    let root = log.nextSeq == 0 ? nil : log.frontier.root(in: self.appender.tree)
    guard end.entries == log.nextSeq, end.notedRoot == root || log.nextSeq == 0 else {
      throw JournalError(
        .failed, "after a failed write the log on disk ends at \(end.entries), not at \(log.nextSeq); start the gateway again")
    }
  }

  /// Deletes idempotency keys that expired before `now`.
  func purge(before now: Timestamp, in database: Database) throws {
    let expired = "SELECT customer, key_digest FROM idempotency WHERE expires <= ? LIMIT \(Self.purgeLimit)"
    guard try Row.fetchOne(database, sql: expired, arguments: [now.nanoseconds]) != nil else { return }
    try database.execute(
      sql: "DELETE FROM idempotency WHERE (customer, key_digest) IN (\(expired))", arguments: [now.nanoseconds])
  }
}

/// Bounds the database file; nil lifts the bound.
func limitPages(of database: Database, toBytes bytes: Int?) throws {
  let pageSize = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 4096
  let pages = bytes.map { min(max(1, $0 / max(1, pageSize)), 4_294_967_294) } ?? 4_294_967_294
  _ = try Int.fetchOne(database, sql: "PRAGMA max_page_count = \(pages)")
}
