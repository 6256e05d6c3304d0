internal import AuditTrail
internal import Foundation
internal import GRDB
internal import Governance
internal import GovernanceTypes

/// Where the log ends: what the next entry needs to know. A value, so that a failed transaction leaves no trace in it.
struct LogState: Sendable, Equatable {
  var frontier = MerkleFrontier()
  var lastAt = Timestamp(nanoseconds: 0)
  var totals = RunningTotals()

  var nextSeq: Int { self.frontier.size }
}

/// Appends entries to the log inside the writer's transaction.
struct LogAppender: Sendable {
  let tree: MerkleTree
  var customers: CustomerSequences
  /// The text of the newest time, by its millisecond: entries come many to a millisecond.
  private var clock: (millisecond: Int64, text: String)

  init(tree: MerkleTree, customers: CustomerSequences) {
    self.tree = tree
    self.customers = customers
    self.clock = (0, Timestamp(nanoseconds: 0).description)
  }

  /// - Returns: Where the entry stands, which is what its customer is told.
  mutating func append(_ entry: PreparedEntry, to log: inout LogState, in database: Database) throws -> EntryReceipt {
    let at = max(entry.at, log.lastAt)
    let seq = log.nextSeq
    let customerSequence = entry.customer.map { self.customers.take($0) }
    let totals = log.totals
    let line = entry.line(
      seq: seq, at: self.text(of: at), customerSequence: customerSequence, totals: { totals.bytes })
    let leaf = self.tree.leafHash(line)
    try database.cachedStatement(sql: "INSERT INTO entry (seq, type, at_ns, leaf, line) VALUES (?, ?, ?, ?, ?)").execute(
      arguments: [seq, entry.type.rawValue, at.nanoseconds, Data(leaf.bytes), String(decoding: line, as: UTF8.self)])
    if let lookup = entry.lookup {
      try database.cachedStatement(sql: "INSERT INTO entry_lookup (id, seq) VALUES (?, ?)").execute(arguments: [lookup, seq])
    }
    log.frontier.append(leaf, in: self.tree)
    log.lastAt = at
    return EntryReceipt(sequence: seq, customerSequence: customerSequence, leaf: leaf)
  }

  /// - Precondition: `at` is not before 1970; the log's time starts there and never runs backwards.
  private mutating func text(of at: Timestamp) -> String {
    let millisecond = at.nanoseconds / 1_000_000
    if millisecond != self.clock.millisecond { self.clock = (millisecond, at.description) }
    return self.clock.text
  }
}
