/// The 256 characters that byte-level vocabularies write bytes with: printable Latin-1 as itself, the others from U+0100 on.
///
/// Reference: `bytes_to_unicode` of the first published byte-level encoder (2019).
enum ByteAlphabet {
  /// By byte: its character.
  static let scalars: [UInt32] = {
    var next: UInt32 = 0x100
    return (0..<256).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return UInt32(byte)
      default:
        defer { next += 1 }
        return next
      }
    }
  }()

  /// By character below U+0144: its byte; -1 for none.
  private static let bytes: [Int16] = {
    var table = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in Self.scalars.enumerated() { table[Int(scalar)] = Int16(byte) }
    return table
  }()

  /// How a piece of these bytes is written.
  static func encode(_ bytes: [UInt8]) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes {
      if let scalar = Unicode.Scalar(Self.scalars[Int(byte)]) { text.append(scalar) }
    }
    return String(text)
  }

  /// The bytes that a piece is written for; `nil` where it has a character of another alphabet.
  static func decode(_ piece: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    for scalar in piece.unicodeScalars {
      guard scalar.value < 0x144, case let byte = Self.bytes[Int(scalar.value)], byte >= 0 else { return nil }
      bytes.append(UInt8(byte))
    }
    return bytes
  }
}
