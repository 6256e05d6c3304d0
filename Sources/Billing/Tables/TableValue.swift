internal import GovernanceTypes

/// A cell of a usage table, before it is known whether CSV or JSON is written.
enum TableValue {
  /// No value: an empty field of CSV, `null` in JSON.
  case none
  case text(String)
  case identifier(prefix: String, value: UInt128)
  /// `units` times ten to the power of minus `scale`, written with at least `decimals` decimals and no more than it needs.
  case number(_ units: Int128, scale: Int = 0, decimals: Int = 0)
  case instant(Timestamp)
  /// The first instant of a day, in whole seconds.
  case midnight(CalendarDay)

  static func identifier<Kind>(_ id: Identifier<Kind>) -> TableValue { .identifier(prefix: Kind.prefix, value: id.value) }
  static func identifier<Kind>(_ id: Identifier<Kind>?) -> TableValue { id.map { .identifier($0) } ?? .none }
  static func count(_ count: TokenCount) -> TableValue { .number(Int128(count.value)) }
  /// Major units, as ``NanoAmount/description`` writes them.
  static func amount(_ amount: NanoAmount) -> TableValue { .number(amount.nano, scale: 9, decimals: 2) }

  /// Writes the value as a field of CSV.
  func append(asCSV bytes: inout [UInt8]) {
    if case .text(let text) = self { CSVText.append(text, to: &bytes) } else { self.append(plain: &bytes) }
  }

  /// Writes the value as a JSON string, or `null`; numbers too, so that no reader rounds them to a binary fraction.
  func append(asJSON bytes: inout [UInt8]) {
    switch self {
    case .none: bytes.append(contentsOf: "null".utf8)
    case .text(let text): JSONText.append(text, to: &bytes)
    default:
      bytes.append(UInt8(ascii: "\""))
      self.append(plain: &bytes)
      bytes.append(UInt8(ascii: "\""))
    }
  }

  /// Writes the value without quotes or escapes.
  func append(plain bytes: inout [UInt8]) {
    bytes.append(writing: self.longest) { self.write(to: &$0, at: &$1) }
  }

  /// The room that ``write(to:at:)`` needs, in bytes.
  private var longest: Int {
    if case .text(let text) = self { text.utf8.count } else { MutableRawSpan.longestCell }
  }

  /// Writes the value without quotes or escapes at `place`, and moves it behind.
  func write(to room: inout MutableRawSpan, at place: inout Int) {
    switch self {
    case .none: break
    case .text(let text): for byte in text.utf8 { room.write(byte, at: &place) }
    case .identifier(let prefix, let value): room.write(identifier: value, prefix: prefix, at: &place)
    case .number(let units, let scale, let decimals): room.write(units, scale: scale, decimals: decimals, at: &place)
    case .instant(let time): room.write(instant: time, at: &place)
    case .midnight(let day): room.write(midnightOf: day, at: &place)
    }
  }
}

extension [UInt8] {
  /// Appends what `write` writes into the room that it gets, up to the place where it ends.
  mutating func append(writing room: Int, _ write: (inout MutableRawSpan, _ place: inout Int) -> Void) {
    self.append(addingCapacity: room) { output in
      output.append(repeating: 0, count: room)
      var place = 0
      var bytes = output.mutableSpan
      var words = bytes.mutableBytes
      write(&words, &place)
      output.removeLast(room - place)
    }
  }
}
