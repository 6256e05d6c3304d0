@_spi(_Unicode) internal import Swift

/// Where UTF-8 characters begin and end in bytes that need not be valid (Unicode 16, table 3-7).
enum UTF8Scan {
  /// The length a character with this first byte has, and what its second byte may be; `nil` where none begins so.
  private static func shape(_ lead: UInt8) -> (length: Int, second: ClosedRange<UInt8>)? {
    switch lead {
    case 0x00...0x7F: (1, 0x80...0xBF)
    case 0xC2...0xDF: (2, 0x80...0xBF)
    case 0xE0: (3, 0xA0...0xBF)
    case 0xED: (3, 0x80...0x9F)
    case 0xE1...0xEF: (3, 0x80...0xBF)
    case 0xF0: (4, 0x90...0xBF)
    case 0xF1...0xF3: (4, 0x80...0xBF)
    case 0xF4: (4, 0x80...0x8F)
    default: nil
    }
  }

  /// How many bytes at `start` agree with one character, and how many that character has in all.
  private static func match(_ bytes: [UInt8], at start: Int) -> (agreeing: Int, length: Int)? {
    guard let (length, second) = self.shape(bytes[start]) else { return nil }
    var agreeing = 1
    while agreeing < length, start + agreeing < bytes.count {
      let allowed = agreeing == 1 ? second : 0x80...0xBF
      guard allowed.contains(bytes[start + agreeing]) else { break }
      agreeing += 1
    }
    return (agreeing, length)
  }

  /// The length of the character at `start`; 1 for a byte that begins none or is left alone.
  static func characterLength(_ bytes: [UInt8], at start: Int) -> Int {
    guard let (agreeing, length) = self.match(bytes, at: start), agreeing == length else { return 1 }
    return length
  }

  /// The character whose `length` valid bytes begin at `start`.
  static func scalar(_ bytes: [UInt8], at start: Int, length: Int) -> Unicode.Scalar? {
    let lead = UInt32(bytes[start])
    var value = length == 1 ? lead : lead & (0x7F >> UInt32(length))
    for offset in 1..<max(length, 1) { value = value << 6 | UInt32(bytes[start + offset] & 0x3F) }
    return Unicode.Scalar(value)
  }

  /// A text in Unicode's composed form (NFC); bytes that are no UTF-8 stay as they are.
  static func composed(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.contains(where: { $0 >= 0x80 }) else { return bytes }
    var result: [UInt8] = []
    var valid = String.UnicodeScalarView()
    let flush = { (valid: inout String.UnicodeScalarView, result: inout [UInt8]) in
      for scalar in String(valid)._nfc { if let units = UTF8.encode(scalar) { result.append(contentsOf: units) } }
      valid.removeAll()
    }
    var offset = 0
    while offset < bytes.count {
      let length = Self.characterLength(bytes, at: offset)
      if length > 1 || bytes[offset] < 0x80, let scalar = Self.scalar(bytes, at: offset, length: length) {
        valid.append(scalar)
      } else {
        flush(&valid, &result)
        result.append(bytes[offset])
      }
      offset += length
    }
    flush(&valid, &result)
    return result
  }

  /// How many bytes at the end are the beginning of a character that further bytes could complete: 0 to 3.
  static func unfinishedTail(_ bytes: [UInt8]) -> Int {
    for tail in 1...3 where tail <= bytes.count {
      let start = bytes.count - tail
      if let (agreeing, length) = self.match(bytes, at: start) {
        return agreeing == tail && tail < length ? tail : 0
      }
    }
    return 0
  }
}
