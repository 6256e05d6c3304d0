internal import GovernanceTypes

/// Rows to be written, as statements with their values: text and blobs lie in one buffer, from which SQLite takes them.
///
/// They are made by the thread that submits, so that the one thread that writes neither formats nor checks for all of them.
struct PreparedRows: Sendable {
  enum Value: Sendable, Equatable {
    case null
    case integer(Int64)
    case text(start: Int, count: Int)
    case blob(start: Int, count: Int)
    /// The time of the newest entry: what has expired before it may be replaced.
    case now
    /// The sequence number of the record's own entry.
    case sequence
  }

  struct Row: Sendable {
    let statement: WriteStatement
    /// Which of the record's effects it writes.
    let effect: Int
    /// Its first value; they end where those of the next row begin.
    let start: Int
  }

  /// Begins with a zero, which is before a line what a leaf's hash begins with.
  var bytes: [UInt8] = [0]
  private(set) var values: [Value] = []
  private(set) var rows: [Row] = []

  init() {}

  /// Begins anew, in the memory that is there.
  mutating func removeAll() {
    self.bytes.removeSubrange(1...)
    self.values.removeAll(keepingCapacity: true)
    self.rows.removeAll(keepingCapacity: true)
  }

  /// Begins a row; its values follow in the order of the statement's parameters.
  mutating func begin(_ statement: WriteStatement, effect: Int = 0) {
    self.rows.append(Row(statement: statement, effect: effect, start: self.values.count))
  }

  func values(of row: Int) -> Range<Int> {
    self.rows[row].start..<(row + 1 < self.rows.count ? self.rows[row + 1].start : self.values.count)
  }

  mutating func null() { self.values.append(.null) }
  mutating func now() { self.values.append(.now) }
  mutating func sequence() { self.values.append(.sequence) }
  mutating func integer(_ value: Int64) { self.values.append(.integer(value)) }
  mutating func integer(_ value: Int) { self.values.append(.integer(Int64(value))) }
  mutating func bool(_ value: Bool) { self.values.append(.integer(value ? 1 : 0)) }

  mutating func id<Kind>(_ id: Identifier<Kind>) {
    let start = self.bytes.count
    id.write(to: &self.bytes)
    self.text(from: start)
  }

  mutating func id<Kind>(_ id: Identifier<Kind>?) {
    if let id { self.id(id) } else { self.null() }
  }

  /// Text of the program's own, which holds no zero.
  mutating func text(_ text: String) {
    let start = self.bytes.count
    self.bytes.append(contentsOf: text.utf8)
    self.text(from: start)
  }

  /// Text from outside.
  mutating func text(_ text: String, _ field: String) throws { self.text(try storable(text, field)) }

  mutating func text(_ text: String?, _ field: String) throws {
    if let text { try self.text(text, field) } else { self.null() }
  }

  /// What lies in the buffer already, as a text.
  mutating func text(start: Int, count: Int) { self.values.append(.text(start: start, count: count)) }

  private mutating func text(from start: Int) { self.text(start: start, count: self.bytes.count - start) }

  mutating func blob(_ bytes: [UInt8]) {
    self.values.append(.blob(start: self.bytes.count, count: bytes.count))
    self.bytes.append(contentsOf: bytes)
  }
}
