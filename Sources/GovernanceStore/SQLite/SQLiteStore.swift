public import AuditTrail
internal import Foundation
internal import GRDB
public import Governance
public import GovernanceTypes
internal import Synchronization

/// The journal and the archive in one SQLite database, `weighbridge.sqlite` in a directory that one process holds.
///
/// All writing is group commit by one thread: what is submitted while a transaction is being synced goes into the next one. An
/// entry's sequence number, time and leaf hash are given inside its transaction, so the log has no gaps.
public final class SQLiteStore: Journal, Archive, Sendable {
  public let directory: String
  let path: String
  private let boot: String
  let tree: MerkleTree
  let queue: CommitQueue
  let readers: ReaderPool
  private let committed: CommittedState
  private let lock: DirectoryLock
  /// The log as of the newest checkpoint that was checked against it.
  let checked: Mutex<MerkleFrontier>
  /// Completed by the writer's thread as the last thing it does.
  private let ended = CommitTicket()

  public static let fileName = "weighbridge.sqlite"

  /// Opens the store of a directory, or creates both.
  ///
  /// Brings the schema up to date, recomputes the log's tree from its leaf hashes and compares it with the newest checkpoint:
  /// O(entries), about a microsecond each.
  ///
  /// - Throws: ``StoreError``; nothing is then left open or locked.
  public static func open(
    directory: String, boot: BootID, digest: @escaping DigestFunction, options: StoreOptions = StoreOptions()
  ) throws(StoreError) -> SQLiteStore {
    try self.open(directory: directory, boot: boot, digest: digest, options: options, freeBytes: freeBytes(at:))
  }

  static func open(
    directory: String, boot: BootID, digest: @escaping DigestFunction, options: StoreOptions,
    freeBytes: @escaping @Sendable (String) -> Int?
  ) throws(StoreError) -> SQLiteStore {
    let lock = try DirectoryLock(directory: directory)
    let path = directory + "/" + Self.fileName
    try createPrivateFile(path)
    let tree = MerkleTree(digest: digest)
    do {
      let connection = try openWritingConnection(path: path)
      let log = try Self.prepare(connection, path: path, boot: boot, tree: tree, options: options)
      try widenCache(of: connection)
      let readers = try ReaderPool(path: path, count: options.readers)
      let committed = CommittedState(log: log)
      let queue = CommitQueue(limit: options.queueLimit)
      let writer = CommitWriter(
        connection: connection, queue: queue, committed: committed,
        transactions: TransactionWriter(
          tree: tree, customers: try connection.inDatabase { try CustomerSequences(in: $0) }), options: options,
        directory: directory, freeBytes: freeBytes)
      let store = SQLiteStore(
        directory: directory, path: path, boot: boot, tree: tree, queue: queue, readers: readers, committed: committed,
        lock: lock)
      store.start(writer)
      return store
    } catch {
      throw storeError(error, path: path)
    }
  }

  private init(
    directory: String, path: String, boot: BootID, tree: MerkleTree, queue: CommitQueue, readers: ReaderPool,
    committed: CommittedState, lock: DirectoryLock
  ) {
    self.directory = directory
    self.path = path
    self.boot = boot.description
    self.tree = tree
    self.queue = queue
    self.readers = readers
    self.committed = committed
    self.lock = lock
    self.checked = Mutex(committed.log.frontier)
  }

  /// A store that is let go without ``close()`` finishes what was submitted and ends its thread by itself.
  deinit { self.queue.close() }

  private func start(_ writer: CommitWriter) {
    let thread = Thread { [readers, lock, ended] in
      var writer = writer
      writer.run()
      // Readers first: the last connection to close runs a checkpoint, and that must be the writer's.
      writer.close(after: readers)
      lock.release()
      ended.complete(.success(0))
    }
    thread.name = "store-writer"
    thread.stackSize = 4 << 20
    thread.start()
  }

  /// Brings the schema up to date and verifies settings and log.
  private static func prepare(
    _ connection: DatabaseQueue, path: String, boot: BootID, tree: MerkleTree, options: StoreOptions
  ) throws -> LogState {
    let migrator = Schema.migrator
    guard try !connection.inDatabase(migrator.hasBeenSuperseded) else {
      throw StoreError(
        .newerSchema, path: path,
        "the database was written by a later version of the gateway; start that version, or a newer one")
    }
    try connection.inDatabase { database in
      try database.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
      try limitPages(of: database, toBytes: options.maximumBytes)
    }
    try migrator.migrate(connection)
    return try connection.inDatabase { database in
      if let setting = try unsafeSetting(of: database) {
        throw StoreError(
          .unsafeSettings, path: path,
          "SQLite did not take a setting that durability needs: \(setting); put the data directory on a local file system")
      }
      if options.checksIntegrity, let answer = try String.fetchOne(database, sql: "PRAGMA quick_check(1)"), answer != "ok" {
        throw corrupt(path, "SQLite's check found: \(answer)")
      }
      // Also makes sure that the log file exists before readers come, and that the file can be written at all.
      try database.execute(
        sql: "INSERT INTO meta (name, value) VALUES ('boot', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        arguments: [boot.description])
      return try verifiedLog(in: database, tree: tree, path: path)
    }
  }

  // MARK: Journal

  public func submit(_ records: [JournalRecord]) -> CommitTicket {
    do {
      return self.queue.submit(.records(try records.map { try PreparedRecord($0, boot: self.boot) }))
    } catch {
      return self.queue.refuse(journalError(error))
    }
  }

  /// Entries in the log, as far as they are on disk.
  public var logSize: Int { self.frontier.size }
  /// The right edge of the log's tree, as far as it is on disk.
  public var frontier: MerkleFrontier { self.committed.log.frontier }

  public var statistics: StoreStatistics {
    var statistics = self.committed.statistics
    statistics.queueDepth = self.queue.depth
    let refusals = self.queue.refusals
    statistics.rejections = refusals.full
    statistics.conflicts += refusals.conflicts
    return statistics
  }

  /// Bounds the size of the database file from now on; nil lifts the bound. A bound below the present size stops growth only.
  public func setMaximumBytes(_ bytes: Int?) async throws(JournalError) {
    try await self.queue.submit(.maximumBytes(bytes)).durable()
  }

  /// Writes what was submitted, ends the thread and gives the directory free. Submissions after it fail with `closed`.
  public func close() async {
    self.queue.close()
    do {
      try await self.ended.durable()
    } catch {
      preconditionFailure("the writer's end is never a failure")
    }
  }
}
