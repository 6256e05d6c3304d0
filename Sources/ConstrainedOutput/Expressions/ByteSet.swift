/// A set of byte values.
struct ByteSet: Sendable, Equatable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  init(_ ranges: [ClosedRange<UInt8>]) {
    for range in ranges { for byte in range { self.insert(byte) } }
  }

  init(_ text: StaticString) {
    text.withUTF8Buffer { for byte in $0 { self.insert(byte) } }
  }

  func contains(_ byte: UInt8) -> Bool {
    let bit = UInt64(1) << UInt64(byte & 63)
    switch byte >> 6 {
    case 0: return self.words.0 & bit != 0
    case 1: return self.words.1 & bit != 0
    case 2: return self.words.2 & bit != 0
    default: return self.words.3 & bit != 0
    }
  }

  private mutating func insert(_ byte: UInt8) {
    let bit = UInt64(1) << UInt64(byte & 63)
    switch byte >> 6 {
    case 0: self.words.0 |= bit
    case 1: self.words.1 |= bit
    case 2: self.words.2 |= bit
    default: self.words.3 |= bit
    }
  }

  static func == (a: ByteSet, b: ByteSet) -> Bool {
    a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2 && a.words.3 == b.words.3
  }
}
