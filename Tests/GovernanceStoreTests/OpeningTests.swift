import AuditTrail
import Foundation
import GRDB
import Governance
import GovernanceTypes
import Testing

@testable import GovernanceStore

@Suite("Opening") struct OpeningTests {
  let directory = TemporaryDirectory()

  private func mode(_ name: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: "\(self.directory.path)\(name)")[.posixPermissions] as? Int
  }

  private func failure(_ body: () throws -> SQLiteStore) -> StoreError? {
    do {
      _ = try body()
      return nil
    } catch {
      return error as? StoreError
    }
  }

  @Test("the directory and all files in it are for their owner alone")
  func modes() async throws {
    let store = try SQLiteStore.open(directory: self.directory.path + "/a/b", boot: BootID(1), digest: sha256)
    try await store.submit([JournalRecord(entry())]).durable()
    #expect(try self.mode("/a") == 0o700)
    #expect(try self.mode("/a/b") == 0o700)
    for name in ["lock", SQLiteStore.fileName, "\(SQLiteStore.fileName)-wal", "\(SQLiteStore.fileName)-shm"] {
      #expect(try self.mode("/a/b/" + name) == 0o600, "\(name)")
    }
    await store.close()
  }

  @Test("a directory is held by one; the refusal names the directory and the holder")
  func locked() async throws {
    let store = try self.directory.open()
    let error = self.failure { try self.directory.open() }
    #expect(error?.code == .locked)
    #expect(error?.path == self.directory.path)
    #expect(error?.message.contains("pid \(ProcessInfo.processInfo.processIdentifier)") == true)
    await store.close()
    let again = try self.directory.open()
    await again.close()
  }

  @Test("a store that is let go unclosed finishes what was submitted and gives the directory free")
  func letGo() async throws {
    let ticket = try self.directory.open().submit([JournalRecord(entry())])
    try await ticket.durable()
    var again: SQLiteStore?
    for _ in 0..<6000 where again == nil {
      again = try? self.directory.open()
      if again == nil { try await Task.sleep(for: .milliseconds(10)) }
    }
    #expect(again?.logSize == 1)
    await again?.close()
  }

  @Test("a path that is no directory is refused")
  func noDirectory() throws {
    #expect(FileManager.default.createFile(atPath: self.directory.path, contents: Data("x".utf8)))
    #expect(self.failure { try self.directory.open() }?.code == .notWritable)
    #expect(
      self.failure { try SQLiteStore.open(directory: self.directory.path + "/x", boot: BootID(1), digest: sha256) }?.code
        == .notWritable)
  }

  @Test("a file that is no database is refused and left as it is")
  func noDatabase() throws {
    try FileManager.default.createDirectory(atPath: self.directory.path, withIntermediateDirectories: true)
    let path = self.directory.path + "/" + SQLiteStore.fileName
    let bytes = Data((0..<5000).map { UInt8(truncatingIfNeeded: $0) })
    try bytes.write(to: URL(fileURLWithPath: path))
    let error = self.failure { try self.directory.open() }
    #expect(error?.code == .corrupt)
    #expect(error?.path == path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
  }

  @Test("a database of another program is refused and left as it is")
  func foreign() throws {
    try FileManager.default.createDirectory(atPath: self.directory.path, withIntermediateDirectories: true)
    let path = self.directory.path + "/" + SQLiteStore.fileName
    try DatabaseQueue(path: path).write { try $0.execute(sql: "CREATE TABLE theirs (x)") }
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    let error = self.failure { try self.directory.open() }
    #expect(error?.code == .corrupt)
    #expect(error?.message.contains("another program") == true)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }

  @Test("a later version's database is refused")
  func newerSchema() async throws {
    try await self.directory.open().close()
    try self.edit { try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('9999 from the future')") }
    let error = self.failure { try self.directory.open() }
    #expect(error?.code == .newerSchema)
    #expect(error?.message.contains("later version") == true)
  }

  @Test(
    "settings on which durability rests are read back",
    arguments: ["synchronous = NORMAL", "foreign_keys = OFF", "wal_autocheckpoint = 1000"])
  func settings(pragma: String) throws {
    try FileManager.default.createDirectory(atPath: self.directory.path, withIntermediateDirectories: true)
    let connection = try openWritingConnection(path: self.directory.path + "/x.sqlite")
    try connection.inDatabase { database in
      #expect(try unsafeSetting(of: database) == nil)
      try database.execute(sql: "PRAGMA \(pragma)")
      let name = pragma.prefix { $0 != " " }
      #expect(try unsafeSetting(of: database)?.hasPrefix(name) == true)
    }
  }

  @Test("readers cannot write")
  func readers() async throws {
    let store = try self.directory.open()
    #expect(throws: (any Error).self) { try store.readNow { try $0.execute(sql: "DELETE FROM meta") } }
    #expect(throws: (any Error).self) { try store.readNow { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") } }
    await store.close()
  }

  // MARK: What the start finds

  /// Changes the closed database as someone with write access to the file could.
  private func edit(_ change: (Database) throws -> Void) throws {
    let connection = try DatabaseQueue(path: self.directory.path + "/" + SQLiteStore.fileName)
    try connection.inDatabase(change)
    try connection.close()
  }

  private func dropTriggers(_ database: Database) throws {
    for name in try String.fetchAll(database, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'") {
      try database.execute(sql: "DROP TRIGGER \(name)")
    }
  }

  @Test(
    "a log that was changed beside the store is found at the start",
    arguments: [
      "DELETE FROM entry WHERE seq = 9", "DELETE FROM entry WHERE seq = 4", "DELETE FROM entry",
      "UPDATE entry SET leaf = (SELECT leaf FROM entry WHERE seq = 3) WHERE seq = 4",
      "DELETE FROM entry WHERE seq = 9; UPDATE meta SET value = 9 WHERE name = 'log_size'",
      "DELETE FROM entry WHERE seq >= 5; DELETE FROM meta WHERE name LIKE 'log_%'",
      "INSERT INTO entry SELECT 10, type, at_ns, leaf, line FROM entry WHERE seq = 9",
    ], [true, false])
  func tampered(sql: String, isSigned: Bool) async throws {
    let store = try self.directory.open()
    for _ in 0..<10 { try await store.submit([JournalRecord(entry())]).durable() }
    if isSigned { try await store.saveCheckpoint(size: 10, root: store.frontier.root(in: store.tree), note: "note") }
    await store.close()
    try self.edit {
      try $0.execute(sql: "PRAGMA foreign_keys = OFF")
      try self.dropTriggers($0)
      try $0.execute(sql: sql)
    }
    let error = self.failure { try self.directory.open() }
    #expect(error?.code == .corrupt)
    #expect(error?.message.contains("evidence") == true)
  }

  @Test("a log that does not lead to the signed checkpoint is refused, and the checkpoint is named")
  func tamperedWithNotes() async throws {
    let store = try self.directory.open()
    for _ in 0..<4 { try await store.submit([JournalRecord(entry())]).durable() }
    try await store.saveCheckpoint(size: 3, root: self.root(of: store, size: 3), note: "note")
    await store.close()
    // An attacker who also knows how the end of the log is noted.
    try self.edit { database in
      try self.dropTriggers(database)
      let root = sha256([1] + sha256([1] + sha256([7]).bytes + sha256([8]).bytes).bytes + sha256([9]).bytes)
      for (seq, byte) in [(0, 7), (1, 8), (2, 9)] as [(Int, UInt8)] {
        try database.execute(sql: "UPDATE entry SET leaf = ? WHERE seq = ?", arguments: [Data(sha256([byte]).bytes), seq])
      }
      try database.execute(sql: "DELETE FROM entry WHERE seq = 3")
      try database.execute(sql: "UPDATE meta SET value = 3 WHERE name = 'log_size'")
      try database.execute(sql: "UPDATE meta SET value = ? WHERE name = 'log_root'", arguments: [Data(root.bytes)])
    }
    let error = self.failure { try self.directory.open() }
    #expect(error?.code == .corrupt)
    #expect(error?.message.contains("the checkpoint of that size") == true)
  }

  private func root(of store: SQLiteStore, size: Int) throws -> Digest {
    try store.tree.root(size: size, subtree: store.tree.subtrees { try store.leavesNow(in: $0) })
  }

  @Test("the optional check of the whole file finds a damaged page")
  func damagedPage() async throws {
    let store = try self.directory.open()
    for number in 0..<200 {
      try await store.submit([held(hold(UInt128(number)))]).durable()
    }
    await store.close()
    let path = self.directory.path + "/" + SQLiteStore.fileName
    let page = try await DatabaseQueue(path: path).read {
      try Int.fetchOne($0, sql: "SELECT rootpage FROM sqlite_master WHERE name = 'usage_customer'")
    }
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let start = ((page ?? 1) - 1) * 4096
    bytes.replaceSubrange(start..<start + 4096, with: Data(repeating: 0xFF, count: 4096))
    try bytes.write(to: URL(fileURLWithPath: path))
    let error = self.failure { try self.directory.open(StoreOptions(checksIntegrity: true)) }
    #expect(error?.code == .corrupt)
  }
}
