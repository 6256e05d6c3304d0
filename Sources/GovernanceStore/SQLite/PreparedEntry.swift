internal import Documents
internal import Governance
internal import GovernanceTypes

/// A log entry as far as it can be written before its place in the log is known: the canonical line in three pieces.
///
/// It is made by the thread that submits, so that the one thread that writes does not sort and escape for all of them.
struct PreparedEntry: Sendable {
  let type: LogEntry.EntryType
  let at: Timestamp
  let lookup: String?
  /// Up to the value of `at`, from there to that of `seq`, and the rest.
  private let pieces: ([UInt8], [UInt8], [UInt8])

  /// The most bytes of one line.
  static let longestLine = 1 << 20

  init(_ entry: LogEntry, boot: String) throws {
    self.type = entry.type
    self.at = entry.at
    self.lookup = try entry.lookup.map { try storable($0, "lookup") }
    let place = [JSONMember("boot", .string(boot)), JSONMember("type", .string(entry.type.rawValue))]
    let members = (entry.fields + place).sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    for (member, next) in zip(members, members.dropFirst()) where member.key == next.key { throw Self.twice(next.key, entry) }
    for key in ["at", "seq"] where members.contains(where: { $0.key == key }) { throw Self.twice(key, entry) }
    let first = members.firstIndex { !$0.key.utf8.lexicographicallyPrecedes("at".utf8) } ?? members.endIndex
    let second = members.firstIndex { !$0.key.utf8.lexicographicallyPrecedes("seq".utf8) } ?? members.endIndex
    self.pieces = (
      Array("{".utf8) + Self.written(members[..<first], before: "\"at\":\""),
      Array("\",".utf8) + Self.written(members[first..<second], before: "\"seq\":"),
      // `type` sorts behind `seq`, so there is always a last piece.
      Array(",".utf8) + Self.written(members[second...], before: nil) + Array("}".utf8)
    )
    let size = self.pieces.0.count + self.pieces.1.count + self.pieces.2.count + 64
    guard size <= Self.longestLine else {
      throw Conflict("the entry of type \(entry.type.rawValue) has \(size) bytes; a log line has at most \(Self.longestLine)")
    }
    // Strings escape control characters; only a number whose digits are no number could bring one in and break the line.
    for piece in [self.pieces.0, self.pieces.1, self.pieces.2] where piece.contains(where: { $0 < 0x20 }) {
      throw Conflict("the entry of type \(entry.type.rawValue) has a number that is no number")
    }
  }

  private static func twice(_ key: String, _ entry: LogEntry) -> Conflict {
    Conflict("the entry of type \(entry.type.rawValue) has the field \(key) twice; at, boot, seq and type are the journal's")
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
  func line(seq: Int, at: String) -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(self.pieces.0.count + self.pieces.1.count + self.pieces.2.count + 48)
    line.append(contentsOf: self.pieces.0)
    line.append(contentsOf: at.utf8)
    line.append(contentsOf: self.pieces.1)
    line.append(contentsOf: String(seq).utf8)
    line.append(contentsOf: self.pieces.2)
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
