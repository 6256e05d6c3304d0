internal import AuditTrail
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
  /// The row of the newest entry; its memory serves the next one.
  private var row = PreparedRows()

  init(tree: MerkleTree, customers: CustomerSequences) {
    self.tree = tree
    self.customers = customers
    self.clock = (0, Timestamp(nanoseconds: 0).description)
  }

  /// - Returns: Where the entry stands, which is what its customer is told.
  mutating func append(
    _ entry: PreparedEntry, to log: inout LogState, with statements: WriterStatements, in database: Database
  ) throws -> EntryReceipt {
    let at = max(entry.at, log.lastAt)
    let seq = log.nextSeq
    let customerSequence = entry.customer.map { self.customers.take($0) }
    self.row.removeAll()
    let text = self.text(of: at)
    entry.write(seq: seq, at: text, customerSequence: customerSequence, totals: log.totals, to: &self.row.bytes)
    let leaf = self.tree.hash(prefixedLeaf: self.row.bytes)
    let line = self.row.bytes.count - 1
    self.row.begin(.entry)
    self.row.integer(seq)
    self.row.text(entry.type.rawValue)
    self.row.integer(at.nanoseconds)
    self.row.blob(leaf.bytes)
    self.row.text(start: 1, count: line)
    try statements.write(self.row, sequence: seq, now: at, in: database)
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
