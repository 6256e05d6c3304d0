internal import AuditTrail
internal import Foundation
internal import GRDB
internal import GovernanceTypes

/// How the log on disk ends, and what was noted of it in the same transaction.
struct LogEnd {
  let entries: Int
  let lastAt: Timestamp
  let notedSize: Int
  let notedRoot: Digest?

  init(in database: Database) throws {
    let last = try Row.fetchOne(database, sql: "SELECT seq, at_ns FROM entry ORDER BY seq DESC LIMIT 1")
    let noted = try Data.fetchOne(database, sql: "SELECT value FROM meta WHERE name = 'log_root'")
    self.entries = (last.map { $0[0] as Int } ?? -1) + 1
    self.lastAt = Timestamp(nanoseconds: last.map { $0[1] } ?? 0)
    self.notedSize = try Int.fetchOne(database, sql: "SELECT value FROM meta WHERE name = 'log_size'") ?? 0
    self.notedRoot = noted.flatMap { Digest($0) }
  }
}

/// Recomputes the tree from all leaf hashes, and compares it with what was noted beside the log and with the newest checkpoint.
/// O(entries), about a microsecond for each.
func verifiedLog(in database: Database, tree: MerkleTree, path: String) throws -> LogState {
  let end = try LogEnd(in: database)
  let checkpoint = try StoredCheckpoint.newest(atOrBefore: .max, in: database)
  guard end.entries == end.notedSize, end.lastAt >= Timestamp(nanoseconds: 0) else {
    throw corrupt(path, "the log ends at entry \(end.entries), and \(end.notedSize) were written")
  }
  if let checkpoint, checkpoint.size > end.entries {
    throw corrupt(path, "the log has \(end.entries) entries, and the checkpoint of size \(checkpoint.size) was signed")
  }
  var frontier = MerkleFrontier()
  let leaves = try Row.fetchCursor(database, sql: "SELECT seq, leaf FROM entry ORDER BY seq")
  while frontier.size <= end.entries {
    if let checkpoint, checkpoint.size == frontier.size, checkpoint.root != frontier.root(in: tree) {
      throw corrupt(path, "the first \(checkpoint.size) entries are not those that the checkpoint of that size was signed for")
    }
    guard let row = try leaves.next() else { break }
    guard row[0] as Int == frontier.size, let leaf = Digest(row[1] as Data) else {
      throw corrupt(path, "entry \(frontier.size) of the log is missing or has no leaf hash")
    }
    frontier.append(leaf, in: tree)
  }
  guard frontier.size == end.entries, end.entries == 0 || end.notedRoot == frontier.root(in: tree) else {
    throw corrupt(path, "the log's leaf hashes do not lead to the root that was noted when the last entry was written")
  }
  return LogState(frontier: frontier, lastAt: end.lastAt, totals: try RunningTotals(in: database))
}

extension StoredCheckpoint {
  /// The newest checkpoint of at most `size` entries.
  static func newest(atOrBefore size: Int, in database: Database) throws -> StoredCheckpoint? {
    let sql = "SELECT size, root, note FROM checkpoint WHERE size <= ? ORDER BY size DESC LIMIT 1"
    guard let row = try Row.fetchOne(database, sql: sql, arguments: [size]) else { return nil }
    guard let root = Digest(row[1] as Data) else { throw CorruptRow("the checkpoint of size \(row[0] as Int) has no root") }
    return StoredCheckpoint(size: row[0], root: root, note: row[2])
  }
}
