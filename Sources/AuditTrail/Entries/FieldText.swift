/// A decimal number without sign or leading zeros, from 0 to `largest`; nil for anything else.
func parseDecimal(_ bytes: [UInt8], _ range: Range<Int>, atMost largest: Int128) -> Int128? {
  guard !range.isEmpty, range.count <= 30, range.count == 1 || bytes[range.lowerBound] != UInt8(ascii: "0") else { return nil }
  // Eighteen digits fit a machine word; longer numbers are put together from two.
  var high: UInt64 = 0
  var low: UInt64 = 0
  let split = max(range.lowerBound, range.upperBound - 18)
  for index in range {
    let digit = bytes[index] &- UInt8(ascii: "0")
    guard digit < 10 else { return nil }
    if index < split { high = high * 10 + UInt64(digit) } else { low = low * 10 + UInt64(digit) }
  }
  let value = Int128(high) * 1_000_000_000_000_000_000 + Int128(low)
  return value <= largest ? value : nil
}

/// The value of an identifier, `prefix` and 26 characters of Crockford's base 32 in lower case; nil for anything else.
func parseIdentifier(_ bytes: [UInt8], _ range: Range<Int>, prefix: [UInt8]) -> UInt128? {
  guard range.count == prefix.count + 26 else { return nil }
  for (offset, byte) in prefix.enumerated() where bytes[range.lowerBound + offset] != byte { return nil }
  // Twenty-six digits of five bits are 130: the first may be at most 7.
  let digits = range.lowerBound + prefix.count..<range.upperBound
  guard bytes[digits.lowerBound] <= UInt8(ascii: "7") else { return nil }
  // They are gathered in machine words: two digits, twelve, and twelve.
  var (high, middle, low): (UInt64, UInt64, UInt64) = (0, 0, 0)
  for (offset, index) in digits.enumerated() {
    let digit = crockfordValues[Int(bytes[index])]
    guard digit < 32 else { return nil }
    if offset < 2 {
      high = high << 5 | UInt64(digit)
    } else if offset < 14 {
      middle = middle << 5 | UInt64(digit)
    } else {
      low = low << 5 | UInt64(digit)
    }
  }
  return UInt128(high) << 120 | UInt128(middle) << 60 | UInt128(low)
}

/// By byte, the value of a digit of Crockford's base 32 in lower case; 255 for all other bytes.
private let crockfordValues: [UInt8] = {
  var values = [UInt8](repeating: 255, count: 256)
  for (value, byte) in "0123456789abcdefghjkmnpqrstvwxyz".utf8.enumerated() { values[Int(byte)] = UInt8(value) }
  return values
}()

/// Three upper-case letters; nil for anything else.
func parseCurrency(_ bytes: [UInt8], _ range: Range<Int>) -> PackedText? {
  guard range.count == 3 else { return nil }
  for index in range where bytes[index] < UInt8(ascii: "A") || bytes[index] > UInt8(ascii: "Z") { return nil }
  return PackedText(bytes, range)
}

/// Whether bytes are `2026-11-23T09:03:54.123Z` with every number in its range.
func isTimestamp(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
  guard range.count == 24 else { return false }
  let start = range.lowerBound
  func number(_ offset: Int, _ count: Int) -> Int? {
    parseTwoOrMoreDigits(bytes, start + offset..<start + offset + count)
  }
  for (offset, mark) in timestampMarks where bytes[start + offset] != mark { return false }
  guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
    let minute = number(14, 2), let second = number(17, 2), number(20, 3) != nil
  else { return false }
  return (1970...2200).contains(year) && (1...12).contains(month) && (1...31).contains(day) && hour < 24 && minute < 60
    && second < 60
}

private let timestampMarks: [(Int, UInt8)] = [
  (4, UInt8(ascii: "-")), (7, UInt8(ascii: "-")), (10, UInt8(ascii: "T")), (13, UInt8(ascii: ":")), (16, UInt8(ascii: ":")),
  (19, UInt8(ascii: ".")), (23, UInt8(ascii: "Z")),
]

private func parseTwoOrMoreDigits(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
  var value = 0
  for index in range {
    let digit = bytes[index] &- UInt8(ascii: "0")
    guard digit < 10 else { return nil }
    value = value * 10 + Int(digit)
  }
  return value
}

/// Whether bytes are one to sixteen lower-case letters and underscores, a letter first.
func isTypeName(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
  guard (1...16).contains(range.count), bytes[range.lowerBound] != UInt8(ascii: "_") else { return false }
  return range.allSatisfy { bytes[$0] == UInt8(ascii: "_") || (bytes[$0] >= UInt8(ascii: "a") && bytes[$0] <= UInt8(ascii: "z")) }
}
