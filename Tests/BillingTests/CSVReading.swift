internal import Billing

/// Reads RFC 4180 text strictly, by another road than the writer: a quote may only open a field or end it, and every row ends
/// with LF.
func readCSV(_ bytes: [UInt8]) -> [[String]]? {
  var rows: [[String]] = []
  var row: [String] = []
  var field: [UInt8] = []
  var index = 0
  while index < bytes.count {
    if bytes[index] == UInt8(ascii: "\"") {
      index += 1
      while true {
        guard index < bytes.count else { return nil }
        if bytes[index] == UInt8(ascii: "\"") {
          guard index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\"") else { break }
          index += 1
        }
        field.append(bytes[index])
        index += 1
      }
      index += 1
    } else {
      while index < bytes.count, bytes[index] != UInt8(ascii: ","), bytes[index] != UInt8(ascii: "\n") {
        guard bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\r") else { return nil }
        field.append(bytes[index])
        index += 1
      }
    }
    guard index < bytes.count else { return nil }
    row.append(String(decoding: field, as: UTF8.self))
    field = []
    if bytes[index] == UInt8(ascii: "\n") {
      rows.append(row)
      row = []
    } else if bytes[index] != UInt8(ascii: ",") {
      return nil
    }
    index += 1
  }
  return row.isEmpty ? rows : nil
}

/// What ``CSVText`` documents for readers who want the exact text of a field.
func exactText(_ field: String) -> String {
  let triggers = Array("=+-@\t\n\r".utf8)
  guard field.utf8.first == UInt8(ascii: "'"), let first = field.utf8.first(where: { $0 != UInt8(ascii: "'") }),
    triggers.contains(first)
  else { return field }
  return String(decoding: field.utf8.dropFirst(), as: UTF8.self)
}

/// A decimal as units of 10^-`scale`; nil unless it is plain (`-12.050`) and fits that scale exactly.
func units(_ text: String, scale: Int) -> Int128? {
  let isNegative = text.hasPrefix("-")
  let parts = text.dropFirst(isNegative ? 1 : 0).split(separator: ".", omittingEmptySubsequences: false)
  guard (1...2).contains(parts.count), !parts[0].isEmpty else { return nil }
  let fraction = parts.count == 2 ? String(parts[1]) : ""
  guard parts.count == 1 || (1...scale).contains(fraction.utf8.count) else { return nil }
  let digits = parts[0] + fraction + String(repeating: "0", count: scale - fraction.utf8.count)
  guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let value = Int128(digits) else {
    return nil
  }
  return isNegative ? -value : value
}

extension FocusTable {
  /// The whole table at once.
  func csv() -> [UInt8] {
    var bytes: [UInt8] = []
    self.write { bytes.append(contentsOf: $0) }
    return bytes
  }
}
