internal import AuditTrail
internal import Foundation
internal import GRDB
public import Governance
public import GovernanceTypes
internal import Synchronization

extension SQLiteStore {
  /// The most lines or leaves that one call reads.
  public static let longestPage = 65_536

  /// Canonical lines of the log from entry `seq` on, at most `limit` of them and at most ``longestPage``.
  public func lines(from seq: Int, limit: Int) async throws -> [String] {
    try await self.read { try Self.lines(from: seq, limit: limit, in: $0) }
  }

  /// As ``lines(from:limit:)``, blocking the calling thread.
  public func linesNow(from seq: Int, limit: Int) throws(StoreError) -> [String] {
    try self.readNow { try Self.lines(from: seq, limit: limit, in: $0) }
  }

  /// Leaf hashes of entries that are on disk; all of `range`.
  ///
  /// - Throws: ``StoreError`` where the range leaves the log or is longer than ``longestPage``.
  public func leaves(in range: Range<Int>) async throws -> [Digest] {
    try await self.read { try Self.leaves(in: range, in: $0) }
  }

  /// As ``leaves(in:)``, blocking the calling thread: the form that `MerkleTree.subtrees(fromLeaves:)` takes.
  public func leavesNow(in range: Range<Int>) throws(StoreError) -> [Digest] {
    try self.readNow { try Self.leaves(in: range, in: $0) }
  }

  /// The newest entry under a lookup id: its sequence number and its line.
  public func place(lookup: String) async throws -> (sequence: Int, line: String)? {
    guard lookup.utf8.count <= 4096, !lookup.utf8.contains(0) else { return nil }
    return try await self.read {
      let row = try Row.fetchOne(
        $0, sql: "SELECT seq, line FROM entry JOIN entry_lookup USING (seq) WHERE id = ?", arguments: [lookup])
      return row.map { ($0[0], $0[1]) }
    }
  }

  private static func lines(from seq: Int, limit: Int, in database: Database) throws -> [String] {
    guard limit > 0 else { return [] }
    return try String.fetchAll(
      database, sql: "SELECT line FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?",
      arguments: [max(0, seq), min(limit, Self.longestPage)])
  }

  private static func leaves(in range: Range<Int>, in database: Database) throws -> [Digest] {
    guard range.count <= Self.longestPage else {
      throw Unanswerable("\(range.count) leaf hashes were asked for; at most \(Self.longestPage) are read at once")
    }
    let rows = try Row.fetchCursor(
      database, sql: "SELECT leaf FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq",
      arguments: [range.lowerBound, range.upperBound])
    var leaves: [Digest] = []
    while let row = try rows.next() { leaves.append(try StoredRow(row: row, name: "entry").digest(0)) }
    guard leaves.count == range.count else {
      throw Unanswerable("the log does not hold all entries from \(range.lowerBound) to \(range.upperBound)")
    }
    return leaves
  }

  // MARK: Checkpoints

  /// Keeps a signed checkpoint. The same one again changes nothing; another one of the same size is a conflict.
  ///
  /// The root is computed again from the leaf hashes first: what the next start would refuse is never kept. O(entries since the
  /// last checkpoint).
  public func saveCheckpoint(size: Int, root: Digest, note: String) async throws {
    let log = self.frontier
    guard (0...log.size).contains(size) else {
      throw JournalError(.conflict, "the log has \(log.size) entries on disk; a checkpoint of \(size) cannot be kept")
    }
    var frontier = self.checked.withLock { $0 }
    if size < frontier.size { frontier = MerkleFrontier() }
    while frontier.size < size {
      let page = frontier.size..<min(size, frontier.size + Self.longestPage)
      for leaf in try await self.leaves(in: page) { frontier.append(leaf, in: self.tree) }
    }
    let computed = frontier.root(in: self.tree)
    guard computed == root else {
      throw JournalError(.conflict, "the root of the first \(size) entries is \(computed), not \(root)")
    }
    try await self.queue.submit(.checkpoint(StoredCheckpoint(size: size, root: root, note: note))).durable()
    self.checked.withLock { if frontier.size > $0.size { $0 = frontier } }
  }

  public func latestCheckpoint() async throws -> StoredCheckpoint? { try await self.checkpoint(atOrBefore: .max) }

  /// The newest checkpoint of at most `size` entries.
  public func checkpoint(atOrBefore size: Int) async throws -> StoredCheckpoint? {
    try await self.read { try StoredCheckpoint.newest(atOrBefore: size, in: $0) }
  }

  // MARK: Secrets

  /// A secret of the gateway's own (a log key, a hashing key), kept here because it must be as durable as what it made.
  public func secret(named name: String) async throws -> [UInt8]? {
    guard !name.utf8.contains(0) else { return nil }
    return try await self.read {
      try Data.fetchOne($0, sql: "SELECT value FROM secret WHERE name = ?", arguments: [name]).map { Array($0) }
    }
  }

  /// Creates a secret. The same value again changes nothing; another one under the same name is a conflict.
  public func setSecret(_ value: [UInt8], named name: String) async throws(JournalError) {
    try await self.queue.submit(.secret(name: name, value: value)).durable()
  }
}

extension SQLiteStore {
  func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    do {
      return try await self.readers.read(body)
    } catch let error as CancellationError {
      throw error
    } catch {
      throw storeError(error, path: self.path)
    }
  }

  func readNow<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
    do {
      return try self.readers.readNow(body)
    } catch {
      throw storeError(error, path: self.path)
    }
  }
}
