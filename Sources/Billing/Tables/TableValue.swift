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

  /// The most bytes that the value has as a field of CSV.
  var longest: Int {
    if case .text(let text) = self { CSVText.longest(text) } else { OutputSpan<UInt8>.longestCell }
  }

  /// Writes the value as a field of CSV.
  func append(asCSV bytes: inout [UInt8]) {
    bytes.append(addingCapacity: self.longest) { self.append(asCSV: &$0) }
  }

  /// The same, where there is room for ``longest`` bytes.
  func append(asCSV row: inout OutputSpan<UInt8>) {
    if case .text(let text) = self { CSVText.append(text, to: &row) } else { self.append(plain: &row) }
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
    bytes.append(addingCapacity: self.longest) { self.append(plain: &$0) }
  }

  private func append(plain row: inout OutputSpan<UInt8>) {
    switch self {
    case .none: break
    case .text(let text): row.append(text)
    case .identifier(let prefix, let value): row.append(identifier: value, prefix: prefix)
    case .number(let units, let scale, let decimals): row.append(units, scale: scale, decimals: decimals)
    case .instant(let time): row.append(instant: time)
    case .midnight(let day):
      row.append(day: day)
      row.append("T00:00:00Z")
    }
  }
}
