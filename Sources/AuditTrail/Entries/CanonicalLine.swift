/// Why a line is no entry.
struct LineError: Error, Equatable {
  let message: String

  init(_ message: String) { self.message = message }
}

/// Reads a line byte by byte and accepts exactly the canonical texts of entries: JSON of RFC 8785 restricted to ASCII keys,
/// integers below 2^53 in size, strings, booleans, null, arrays and objects.
///
/// It finds the members of the outermost object; nothing is copied and nothing is kept of what lies deeper. One value serves for
/// many lines, so that the list of members is allocated once.
struct CanonicalLine {
  enum Kind { case string, number, other }

  struct Member {
    /// The key's bytes, packed; 0 for keys longer than a ``PackedText`` holds.
    var key: PackedText
    /// Where the key stands, without its quotes.
    var name: Range<Int>
    var kind: Kind
    /// A string without its quotes, escapes left as they are.
    var value: Range<Int>
  }

  static let depthMaximum = 32
  static let membersMaximum = 256

  private(set) var members: [Member] = []
  private var index = 0

  /// - Parameter start: Where in `bytes` the line begins; it ends with them.
  mutating func scan(_ bytes: [UInt8], from start: Int) throws(LineError) {
    self.members.removeAll(keepingCapacity: true)
    self.index = start
    guard start < bytes.count, bytes[start] == UInt8(ascii: "{") else { throw LineError("is no JSON object") }
    try self.object(bytes, depth: 1)
    guard self.index == bytes.count else { throw LineError("has bytes after the end of its object") }
  }

  private mutating func object(_ bytes: [UInt8], depth: Int) throws(LineError) {
    self.index += 1
    if self.take(UInt8(ascii: "}"), bytes) { return }
    var previous: Range<Int>?
    while true {
      let key = try self.key(bytes)
      if let previous, !precedes(previous, key, in: bytes) {
        throw LineError("has a key twice or out of order: not canonical JSON")
      }
      previous = key
      guard self.take(UInt8(ascii: ":"), bytes) else { throw LineError("lacks a colon after a key: not canonical JSON") }
      let start = self.index
      let kind = try self.value(bytes, depth: depth + 1)
      if depth == 1 {
        guard self.members.count < Self.membersMaximum else { throw LineError("has more than \(Self.membersMaximum) members") }
        let value = kind == .string ? start + 1..<self.index - 1 : start..<self.index
        self.members.append(Member(key: PackedText(bytes, key), name: key, kind: kind, value: value))
      }
      if self.take(UInt8(ascii: ","), bytes) { continue }
      guard self.take(UInt8(ascii: "}"), bytes) else { throw LineError("lacks a comma or a brace: not canonical JSON") }
      return
    }
  }

  private mutating func array(_ bytes: [UInt8], depth: Int) throws(LineError) {
    self.index += 1
    if self.take(UInt8(ascii: "]"), bytes) { return }
    while true {
      _ = try self.value(bytes, depth: depth + 1)
      if self.take(UInt8(ascii: ","), bytes) { continue }
      guard self.take(UInt8(ascii: "]"), bytes) else { throw LineError("lacks a comma or a bracket: not canonical JSON") }
      return
    }
  }

  private mutating func value(_ bytes: [UInt8], depth: Int) throws(LineError) -> Kind {
    guard depth <= Self.depthMaximum else { throw LineError("is nested deeper than \(Self.depthMaximum) levels") }
    guard self.index < bytes.count else { throw LineError("ends where a value belongs") }
    switch bytes[self.index] {
    case UInt8(ascii: "\""):
      try self.string(bytes)
      return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      try self.number(bytes)
      return .number
    case UInt8(ascii: "{"): try self.object(bytes, depth: depth)
    case UInt8(ascii: "["): try self.array(bytes, depth: depth)
    case UInt8(ascii: "t"): try self.word([0x74, 0x72, 0x75, 0x65], bytes)
    case UInt8(ascii: "f"): try self.word([0x66, 0x61, 0x6C, 0x73, 0x65], bytes)
    case UInt8(ascii: "n"): try self.word([0x6E, 0x75, 0x6C, 0x6C], bytes)
    default: throw LineError("has something that is no JSON value: not canonical JSON")
    }
    return .other
  }

  private mutating func take(_ byte: UInt8, _ bytes: [UInt8]) -> Bool {
    guard self.index < bytes.count, bytes[self.index] == byte else { return false }
    self.index += 1
    return true
  }

  private mutating func word(_ word: [UInt8], _ bytes: [UInt8]) throws(LineError) {
    for byte in word {
      guard self.take(byte, bytes) else { throw LineError("has something that is no JSON value: not canonical JSON") }
    }
  }

  /// A key of printable ASCII without escapes.
  private mutating func key(_ bytes: [UInt8]) throws(LineError) -> Range<Int> {
    guard self.take(UInt8(ascii: "\""), bytes) else { throw LineError("lacks a key in quotes: not canonical JSON") }
    let start = self.index
    while self.index < bytes.count, bytes[self.index] != UInt8(ascii: "\"") {
      let byte = bytes[self.index]
      guard byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\\") else { throw LineError("has a key that is not plain ASCII") }
      self.index += 1
    }
    guard self.index < bytes.count else { throw LineError("ends inside a key") }
    self.index += 1
    return start..<self.index - 1
  }

  private mutating func number(_ bytes: [UInt8]) throws(LineError) {
    let isNegative = self.take(UInt8(ascii: "-"), bytes)
    let start = self.index
    var value = 0
    while self.index < bytes.count, bytes[self.index] >= UInt8(ascii: "0"), bytes[self.index] <= UInt8(ascii: "9") {
      value = value * 10 + Int(bytes[self.index] - UInt8(ascii: "0"))
      self.index += 1
      guard value <= largestSequence else { throw LineError("has an integer of 2^53 or more") }
    }
    let digits = self.index - start
    guard digits > 0, digits == 1 || bytes[start] != UInt8(ascii: "0"), !(isNegative && value == 0) else {
      throw LineError("has a number that is not canonical")
    }
  }

  private mutating func string(_ bytes: [UInt8]) throws(LineError) {
    self.index += 1
    while self.index < bytes.count {
      let byte = bytes[self.index]
      if byte == UInt8(ascii: "\"") {
        self.index += 1
        return
      } else if byte == UInt8(ascii: "\\") {
        try self.escape(bytes)
      } else if byte >= 0x80 {
        try self.multibyteScalar(bytes)
      } else {
        guard byte >= 0x20 else { throw LineError("has a bare control character in a string") }
        self.index += 1
      }
    }
    throw LineError("ends inside a string")
  }

  /// The escapes of RFC 8785 section 3.2.2.2: short ones where they exist, else `\u00` and two lower-case digits.
  private mutating func escape(_ bytes: [UInt8]) throws(LineError) {
    let rest = bytes[self.index...].dropFirst().prefix(5)
    switch rest.first {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "b"), UInt8(ascii: "t"), UInt8(ascii: "n"), UInt8(ascii: "f"),
      UInt8(ascii: "r"):
      self.index += 2
    case UInt8(ascii: "u"):
      let digits = Array(rest.dropFirst())
      guard digits.count == 4, digits[0] == 0x30, digits[1] == 0x30, let high = lowerHexadecimal(digits[2]),
        let low = lowerHexadecimal(digits[3]), high < 2, !shortEscapes.contains(high << 4 | low)
      else { throw LineError("has an escape that canonical JSON writes otherwise") }
      self.index += 6
    default: throw LineError("has an escape that canonical JSON writes otherwise")
    }
  }

  /// One scalar of two to four bytes, well-formed by table 3-7 of the Unicode standard.
  private mutating func multibyteScalar(_ bytes: [UInt8]) throws(LineError) {
    let first = bytes[self.index]
    let (count, second): (Int, ClosedRange<UInt8>)
    switch first {
    case 0xC2...0xDF: (count, second) = (2, 0x80...0xBF)
    case 0xE0: (count, second) = (3, 0xA0...0xBF)
    case 0xED: (count, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: (count, second) = (3, 0x80...0xBF)
    case 0xF0: (count, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: (count, second) = (4, 0x80...0xBF)
    case 0xF4: (count, second) = (4, 0x80...0x8F)
    default: throw LineError("is not valid UTF-8")
    }
    guard self.index + count <= bytes.count, second.contains(bytes[self.index + 1]),
      bytes[self.index + 2..<self.index + count].allSatisfy({ $0 & 0xC0 == 0x80 })
    else { throw LineError("is not valid UTF-8") }
    self.index += count
  }
}

/// The characters that have an escape of two characters.
private let shortEscapes: [UInt8] = [0x08, 0x09, 0x0A, 0x0C, 0x0D]

private func lowerHexadecimal(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  default: nil
  }
}

private func precedes(_ left: Range<Int>, _ right: Range<Int>, in bytes: [UInt8]) -> Bool {
  for (first, second) in zip(left, right) where bytes[first] != bytes[second] { return bytes[first] < bytes[second] }
  return left.count < right.count
}

/// Up to sixteen bytes of text as one number, for comparisons without allocation; longer texts are all 0.
struct PackedText: Hashable {
  private let value: UInt128

  init(_ bytes: [UInt8], _ range: Range<Int>) {
    var value: UInt128 = 0
    if range.count <= 16 { for index in range { value = value << 8 | UInt128(bytes[index]) } }
    self.value = value
  }

  init(_ text: StaticString) {
    let bytes = Array("\(text)".utf8)
    self.init(bytes, bytes.indices)
  }

  /// The text; empty for texts that were too long.
  var text: String {
    let bytes = stride(from: 120, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self.value >> UInt128($0)) }
    return String(decoding: bytes.drop { $0 == 0 }, as: UTF8.self)
  }
}
