internal import Documents
internal import Governance
internal import GovernanceTypes

/// A log entry as far as it can be written before its place in the log is known: the canonical line, with blanks in it.
///
/// It is made by the thread that submits, so that the one thread that writes does not sort and escape for all of them.
struct PreparedEntry: Sendable {
  /// What only the place in the log tells.
  private enum Blank: String, CaseIterable {
    case at
    case customerSequence = "customer_seq"
    case sequence = "seq"
    case totals
  }

  let type: LogEntry.EntryType
  let at: Timestamp
  /// Whom the entry concerns: its `customer`.
  let customer: CustomerID?
  private var bytes: [UInt8] = []
  /// In order; each is filled in before the byte at its place.
  private var blanks: [(place: Int, blank: Blank)] = []

  /// The most bytes of one line: what an entry tile of C2SP, and so a bundle, can hold.
  static let longestLine = 65_535
  /// What the blanks may take.
  private static let blankBytes = 128

  init(_ entry: LogEntry, boot: String) throws {
    self.type = entry.type
    self.at = entry.at
    self.customer = entry.customer
    self.bytes.reserveCapacity(48 * entry.fields.count + 64)
    try self.write(entry, boot: boot)
    let size = self.bytes.count + Self.blankBytes
    guard size <= Self.longestLine else {
      throw Conflict("the entry of type \(entry.type.rawValue) has \(size) bytes; a log line has at most \(Self.longestLine)")
    }
    // Strings escape control characters; only a number whose digits are no number could bring one in and break the line.
    guard self.bytes.allSatisfy({ $0 >= 0x20 }) else {
      throw Conflict("the entry of type \(entry.type.rawValue) has a number that is no number")
    }
  }

  /// Writes fields and blanks in the order of their keys.
  private mutating func write(_ entry: LogEntry, boot: String) throws {
    let place = [JSONMember("boot", .string(boot)), JSONMember("type", .string(entry.type.rawValue))]
    let members = entry.fields + place
    let blanks = Blank.allCases
    // Every key by its first bytes, as a number that sorts as they do; blanks come behind the members.
    var order = members.indices.map { (start: Self.start(of: members[$0].key), place: $0) }
    for (place, blank) in blanks.enumerated() {
      order.append((Self.start(of: blank.rawValue), members.count + place))
    }
    func key(_ place: Int) -> String {
      place < members.count ? members[place].key : blanks[place - members.count].rawValue
    }
    order.sort {
      $0.start != $1.start
        ? $0.start < $1.start : key($0.place).utf8.lexicographicallyPrecedes(key($1.place).utf8)
    }
    for (one, next) in zip(order, order.dropFirst()) where one.start == next.start && key(one.place) == key(next.place) {
      throw Self.twice(key(one.place), entry)
    }
    for (_, place) in order {
      guard place < members.count else {
        self.leave(blanks[place - members.count])
        continue
      }
      self.write(key: members[place].key)
      members[place].value.appendCanonical(to: &self.bytes)
    }
    self.bytes.append(UInt8(ascii: "}"))
  }

  private mutating func leave(_ blank: Blank) {
    switch blank {
    case .customerSequence: guard self.customer != nil else { return }
    case .totals: guard self.type == .heartbeat else { return }
    case .at, .sequence: break
    }
    self.write(key: blank.rawValue)
    self.blanks.append((self.bytes.count, blank))
  }

  private mutating func write(key: String) {
    self.bytes.append(self.bytes.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
    JSON.string(key).appendCanonical(to: &self.bytes)
    self.bytes.append(UInt8(ascii: ":"))
  }

  /// The first eight bytes of a key, big-endian; zeros follow a shorter one.
  private static func start(of key: String) -> UInt64 {
    var start: UInt64 = 0
    var shift: UInt64 = 64
    for byte in key.utf8.prefix(8) {
      shift -= 8
      start |= UInt64(byte) << shift
    }
    return start
  }

  private static func twice(_ key: String, _ entry: LogEntry) -> Conflict {
    Conflict(
      "the entry of type \(entry.type.rawValue) has the field \(key) twice; at, boot, customer_seq, seq, totals and type are the journal's"
    )
  }

  /// Appends the canonical line at its place.
  ///
  /// - Parameters:
  ///   - customerSequence: The place among the entries that concern the same customer; taken where there is one.
  ///   - totals: What was settled up to this entry; taken by a heartbeat.
  func write(seq: Int, at: String, customerSequence: Int?, totals: RunningTotals, to line: inout [UInt8]) {
    line.reserveCapacity(line.count + self.bytes.count + Self.blankBytes)
    var start = 0
    for (place, blank) in self.blanks {
      line.append(contentsOf: self.bytes[start..<place])
      start = place
      switch blank {
      case .at:
        line.append(UInt8(ascii: "\""))
        line.append(contentsOf: at.utf8)
        line.append(UInt8(ascii: "\""))
      case .customerSequence: line.append(contentsOf: String(customerSequence ?? 0).utf8)
      case .sequence: line.append(contentsOf: String(seq).utf8)
      case .totals: line.append(contentsOf: totals.bytes)
      }
    }
    line.append(contentsOf: self.bytes[start...])
  }
}

/// A record whose entry is prepared, and the rows that follow from it.
struct PreparedRecord: Sendable {
  let entry: PreparedEntry?
  let rows: PreparedRows
  let effects: [StoreEffect]

  init(_ record: JournalRecord, boot: String) throws {
    self.entry = try record.entry.map { try PreparedEntry($0, boot: boot) }
    var rows = PreparedRows()
    if let lookup = record.entry?.lookup {
      rows.begin(.entryLookup)
      try rows.text(lookup, "lookup")
      rows.sequence()
    }
    for (place, effect) in record.effects.enumerated() { try rows.add(effect, at: place) }
    self.rows = rows
    self.effects = record.effects
  }
}
