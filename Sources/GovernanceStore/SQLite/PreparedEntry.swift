internal import Documents
internal import Governance
internal import GovernanceTypes

/// A log entry as far as it can be written before its place in the log is known: the canonical line in pieces, with blanks between.
///
/// It is made by the thread that submits, so that the one thread that writes does not sort and escape for all of them.
struct PreparedEntry: Sendable {
  /// What only the place in the log tells. In the order of the keys.
  private enum Blank: String, CaseIterable {
    case at
    case customerSequence = "customer_seq"
    case sequence = "seq"
    case totals
  }

  let type: LogEntry.EntryType
  let at: Timestamp
  let lookup: String?
  /// Whom the entry concerns: its `customer`.
  let customer: CustomerID?
  /// Bytes, and the blank behind them; the last piece has none.
  private let pieces: [(bytes: [UInt8], blank: Blank?)]

  /// The most bytes of one line: what an entry tile of C2SP, and so a bundle, can hold.
  static let longestLine = 65_535
  /// What the blanks may take.
  private static let blankBytes = 128

  init(_ entry: LogEntry, boot: String) throws {
    self.type = entry.type
    self.at = entry.at
    self.lookup = try entry.lookup.map { try storable($0, "lookup") }
    self.customer = entry.customer
    let place = [JSONMember("boot", .string(boot)), JSONMember("type", .string(entry.type.rawValue))]
    let members = (entry.fields + place).sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    for (member, next) in zip(members, members.dropFirst()) where member.key == next.key { throw Self.twice(next.key, entry) }
    for member in members where Blank(rawValue: member.key) != nil { throw Self.twice(member.key, entry) }
    var blanks: [Blank] = [.at, .sequence]
    if self.customer != nil { blanks.insert(.customerSequence, at: 1) }
    if entry.type == .heartbeat { blanks.append(.totals) }
    self.pieces = Self.pieces(members, blanks)
    let size = self.pieces.reduce(Self.blankBytes) { $0 + $1.bytes.count }
    guard size <= Self.longestLine else {
      throw Conflict("the entry of type \(entry.type.rawValue) has \(size) bytes; a log line has at most \(Self.longestLine)")
    }
    // Strings escape control characters; only a number whose digits are no number could bring one in and break the line.
    for piece in self.pieces where piece.bytes.contains(where: { $0 < 0x20 }) {
      throw Conflict("the entry of type \(entry.type.rawValue) has a number that is no number")
    }
  }

  private static func twice(_ key: String, _ entry: LogEntry) -> Conflict {
    Conflict(
      "the entry of type \(entry.type.rawValue) has the field \(key) twice; at, boot, customer_seq, seq, totals and type are the journal's"
    )
  }

  private static func pieces(_ members: [JSONMember], _ blanks: [Blank]) -> [(bytes: [UInt8], blank: Blank?)] {
    var pieces: [(bytes: [UInt8], blank: Blank?)] = []
    var rest = members[...]
    var opening = Array("{".utf8)
    for blank in blanks {
      let before = rest.prefix { $0.key.utf8.lexicographicallyPrecedes(blank.rawValue.utf8) }
      rest = rest.dropFirst(before.count)
      pieces.append((opening + Self.written(before, before: "\"\(blank.rawValue)\":"), blank))
      opening = Array(",".utf8)
    }
    // `type` sorts behind all blanks, so there is always a last piece.
    pieces.append((opening + Self.written(rest, before: nil) + Array("}".utf8), nil))
    return pieces
  }

  /// Members as canonical JSON without braces, and what follows them.
  private static func written(_ members: ArraySlice<JSONMember>, before next: String?) -> [UInt8] {
    guard !members.isEmpty else { return Array((next ?? "").utf8) }
    let object = JSON.object(Array(members)).canonicalBytes
    var bytes = Array(object.dropFirst().dropLast())
    if let next { bytes += Array(",\(next)".utf8) }
    return bytes
  }

  /// The canonical line at its place.
  ///
  /// - Parameters:
  ///   - customerSequence: The place among the entries that concern the same customer; taken where there is one.
  ///   - totals: What was settled up to this entry, as canonical JSON; taken by a heartbeat.
  func line(seq: Int, at: String, customerSequence: Int?, totals: () -> [UInt8]) -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(self.pieces.reduce(Self.blankBytes) { $0 + $1.bytes.count })
    for piece in self.pieces {
      line.append(contentsOf: piece.bytes)
      switch piece.blank {
      case .at:
        line.append(UInt8(ascii: "\""))
        line.append(contentsOf: at.utf8)
        line.append(UInt8(ascii: "\""))
      case .customerSequence: line.append(contentsOf: String(customerSequence ?? 0).utf8)
      case .sequence: line.append(contentsOf: String(seq).utf8)
      case .totals: line.append(contentsOf: totals())
      case nil: break
      }
    }
    return line
  }
}

/// A record whose entry is prepared.
struct PreparedRecord: Sendable {
  let entry: PreparedEntry?
  let effects: [StoreEffect]

  init(_ record: JournalRecord, boot: String) throws {
    self.entry = try record.entry.map { try PreparedEntry($0, boot: boot) }
    self.effects = record.effects
  }
}
