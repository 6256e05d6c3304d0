/// Whole numbers, big-endian, one after the other.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  init(capacity: Int) { self.bytes.reserveCapacity(capacity) }

  mutating func append(_ value: UInt64, bytes count: Int) {
    for place in stride(from: count - 1, through: 0, by: -1) {
      self.bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place)))
    }
  }

  /// The checksum of all that was written.
  mutating func appendChecksum() { self.append(UInt64(Checksum.of(self.bytes[...])), bytes: 4) }
}

/// Reads what ``ByteWriter`` wrote, out of bytes that may be anything.
struct ByteReader {
  private let bytes: ArraySlice<UInt8>
  private var position: Int
  /// The offset that an error tells for the first of the bytes.
  private let base: Int

  init(_ bytes: ArraySlice<UInt8>, base: Int = 0) {
    self.bytes = bytes
    self.position = bytes.startIndex
    self.base = base
  }

  var offset: Int { self.base + self.position - self.bytes.startIndex }
  var remaining: Int { self.bytes.endIndex - self.position }

  /// Up to eight bytes as one number.
  mutating func number(bytes count: Int, _ field: String) throws(AudienceFormatError) -> UInt64 {
    guard self.remaining >= count else { throw AudienceFormatError(.truncated, at: self.offset, field) }
    var value: UInt64 = 0
    for index in self.position..<self.position + count { value = value << 8 | UInt64(self.bytes[index]) }
    self.position += count
    return value
  }

  /// A number that must have this value.
  mutating func expect(
    _ expected: UInt64, bytes count: Int, _ field: String, else reason: AudienceFormatError.Reason
  ) throws(AudienceFormatError) {
    let offset = self.offset
    guard try self.number(bytes: count, field) == expected else { throw AudienceFormatError(reason, at: offset, field) }
  }

  /// A number that must be within a range.
  mutating func number(
    bytes count: Int, in range: ClosedRange<UInt64>, _ field: String
  ) throws(AudienceFormatError) -> Int {
    let offset = self.offset
    let value = try self.number(bytes: count, field)
    guard range.contains(value), let whole = Int(exactly: value) else {
      throw AudienceFormatError(.impossible, at: offset, field)
    }
    return whole
  }

  /// The last four bytes must be the checksum of all before them, from the start.
  mutating func expectChecksum() throws(AudienceFormatError) {
    let sum = Checksum.of(self.bytes[self.bytes.startIndex..<self.position])
    try self.expect(UInt64(sum), bytes: 4, "checksum", else: .checksum)
  }

  func expectEnd() throws(AudienceFormatError) {
    guard self.remaining == 0 else { throw AudienceFormatError(.trailing, at: self.offset, "end") }
  }
}

/// CRC-32 as in ISO 3309, Ethernet and zlib. It finds accidents; against intent the caller has the digest of the bytes in its
/// log.
enum Checksum {
  /// Eight tables of 256: the k-th is for a byte that k more bytes follow.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      tables[byte] = (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
    for index in 256..<8 * 256 {
      let before = tables[index - 256]
      tables[index] = before >> 8 ^ tables[Int(before & 255)]
    }
    return tables
  }()

  static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    let tables = self.tables
    var sum: UInt32 = 0xFFFF_FFFF
    var index = bytes.startIndex
    while bytes.endIndex - index >= 8 {
      var next: UInt32 = 0
      for place in 0..<4 {
        let byte = UInt8(truncatingIfNeeded: sum >> UInt32(8 * place)) ^ bytes[index + place]
        next ^= tables[(7 - place) << 8 | Int(byte)]
      }
      for place in 4..<8 { next ^= tables[(7 - place) << 8 | Int(bytes[index + place])] }
      sum = next
      index += 8
    }
    while index < bytes.endIndex {
      sum = sum >> 8 ^ tables[Int(UInt8(truncatingIfNeeded: sum) ^ bytes[index])]
      index += 1
    }
    return ~sum
  }
}
