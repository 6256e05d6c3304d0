/// A SHA-256 value.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
  @usableFromInline let words: (UInt64, UInt64, UInt64, UInt64)

  /// Takes exactly 32 bytes; nil for any other number. Inlinable, so that each caller gets a version for its own collection.
  @inlinable
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    var index = bytes.startIndex
    func word() -> UInt64 {
      var word: UInt64 = 0
      for _ in 0..<8 {
        word = word << 8 | UInt64(bytes[index])
        bytes.formIndex(after: &index)
      }
      return word
    }
    self.words = (word(), word(), word(), word())
  }

  /// Takes 64 hexadecimal digits; nil for anything else.
  public init?(hexadecimal text: String) {
    let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    for index in stride(from: 0, to: 64, by: 2) {
      guard let high = digits[index], let low = digits[index + 1] else { return nil }
      bytes.append(UInt8(high << 4 | low))
    }
    self.init(bytes)
  }

  @inlinable
  public var bytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 32)
    for place in 0..<8 {
      let shift = UInt64(56 - 8 * place)
      bytes[place] = UInt8(truncatingIfNeeded: self.words.0 >> shift)
      bytes[8 + place] = UInt8(truncatingIfNeeded: self.words.1 >> shift)
      bytes[16 + place] = UInt8(truncatingIfNeeded: self.words.2 >> shift)
      bytes[24 + place] = UInt8(truncatingIfNeeded: self.words.3 >> shift)
    }
    return bytes
  }

  /// 64 lower-case hexadecimal digits.
  public var hexadecimal: String { hexadecimalText(self.bytes) }
  public var description: String { self.hexadecimal }

  /// Compares without a branch that depends on the values, so that time tells nothing of where they differ.
  public static func == (left: Self, right: Self) -> Bool {
    (left.words.0 ^ right.words.0) | (left.words.1 ^ right.words.1) | (left.words.2 ^ right.words.2)
      | (left.words.3 ^ right.words.3) == 0
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(self.words.0)
    hasher.combine(self.words.1)
  }
}

/// Lower-case hexadecimal digits of bytes.
public func hexadecimalText(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

/// SHA-256 of bytes, supplied by whoever has a cryptographic library.
public typealias DigestFunction = @Sendable ([UInt8]) -> Digest
/// HMAC-SHA-256 of a message under a key, supplied likewise.
public typealias KeyedDigestFunction = @Sendable (_ key: [UInt8], _ message: [UInt8]) -> Digest
