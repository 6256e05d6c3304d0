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
