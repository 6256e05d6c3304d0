// The byte form of a sketch, for storage, for other nodes and for the digest that a log entry holds. Numbers are big-endian.
//
//   0   4  "WBUS"
//   4   1  version, 1
//   5   1  form: 0 fingerprints, 1 registers
//   6   3  t, d, p of the registers: 2, 20, 14
//   9   4  users up to which the set is exact
//   13  4  length of the payload
//   17     payload: fingerprints of 8 bytes, ascending; or registers of 28 bits, two to 7 bytes
//          4  CRC-32 of everything before
//
// One set of users and one limit have exactly one such form.

extension UserSketch {
  private static let magic: UInt64 = 0x5742_5553
  private static let version: UInt64 = 1
  private static let headerLength = 17
  private static let registerBytes = RegisterSketch.registerCount / 2 * 7

  /// The canonical bytes: 57,365 for a sketch, 21 and 8 a user while exact.
  public var bytes: [UInt8] {
    let length = self.isExact ? self.exact.count * 8 : Self.registerBytes
    var writer = ByteWriter(capacity: Self.headerLength + length + 4)
    writer.append(Self.magic, bytes: 4)
    writer.append(Self.version, bytes: 1)
    writer.append(self.isExact ? 0 : 1, bytes: 1)
    for parameter in Self.parameters { writer.append(parameter, bytes: 1) }
    writer.append(UInt64(self.exactLimit), bytes: 4)
    writer.append(UInt64(length), bytes: 4)
    if let registers = self.registers?.registers {
      for index in stride(from: 0, to: registers.count, by: 2) {
        writer.append(UInt64(registers[index]) << 28 | UInt64(registers[index + 1]), bytes: 7)
      }
    } else {
      for fingerprint in self.exact.sorted() { writer.append(fingerprint, bytes: 8) }
    }
    writer.appendChecksum()
    return writer.bytes
  }

  private static let parameters = [
    UInt64(RegisterSketch.blockBits), UInt64(RegisterSketch.windowBits), UInt64(RegisterSketch.indexBits),
  ]

  /// Reads what ``bytes`` gives, and nothing else: any other bytes are refused, so that a sketch has one digest.
  ///
  /// Memory and time are in proportion to the bytes. What the checksum cannot tell, whether these users were ever counted, is for
  /// the caller: by the digest in a log entry.
  public init(bytes: [UInt8]) throws(AudienceFormatError) {
    var reader = ByteReader(bytes[...])
    try reader.expect(Self.magic, bytes: 4, "magic", else: .foreign)
    try reader.expect(Self.version, bytes: 1, "version", else: .unsupported)
    let form = try reader.number(bytes: 1, in: 0...1, "form")
    for parameter in Self.parameters { try reader.expect(parameter, bytes: 1, "parameters", else: .unsupported) }
    let limits = UInt64(Self.exactLimits.lowerBound)...UInt64(Self.exactLimits.upperBound)
    let limit = try reader.number(bytes: 4, in: limits, "exact limit")
    let lengths = form == 0 ? 0...UInt64(8 * limit) : UInt64(Self.registerBytes)...UInt64(Self.registerBytes)
    let lengthOffset = reader.offset
    let length = try reader.number(bytes: 4, in: lengths, "payload length")
    guard reader.remaining >= length + 4 else { throw AudienceFormatError(.truncated, at: lengthOffset, "payload length") }
    guard reader.remaining == length + 4 else { throw AudienceFormatError(.trailing, at: lengthOffset, "payload length") }
    if form == 0 {
      self.init(exactLimit: limit, exact: try Self.fingerprints(&reader, length: length), registers: nil)
    } else {
      self.init(exactLimit: limit, exact: [], registers: try Self.registers(&reader, moreThan: limit))
    }
    try reader.expectChecksum()
    try reader.expectEnd()
  }

  private static func fingerprints(_ reader: inout ByteReader, length: Int) throws(AudienceFormatError) -> Set<UInt64> {
    guard length % 8 == 0 else { throw AudienceFormatError(.impossible, at: 13, "payload length") }
    var fingerprints = Set<UInt64>(minimumCapacity: length / 8)
    var previous: UInt64?
    for _ in 0..<length / 8 {
      let offset = reader.offset
      let fingerprint = try reader.number(bytes: 8, "fingerprint")
      if let previous, fingerprint <= previous { throw AudienceFormatError(.impossible, at: offset, "fingerprint") }
      fingerprints.insert(fingerprint)
      previous = fingerprint
    }
    return fingerprints
  }

  /// - Parameter limit: A sketch holds more users than this; registers that cannot be of so many are refused.
  private static func registers(_ reader: inout ByteReader, moreThan limit: Int) throws(AudienceFormatError) -> RegisterSketch {
    let start = reader.offset
    var registers: [UInt32] = []
    registers.reserveCapacity(RegisterSketch.registerCount)
    for _ in 0..<RegisterSketch.registerCount / 2 {
      let offset = reader.offset
      let pair = try reader.number(bytes: 7, "registers")
      for register in [UInt32(pair >> 28), UInt32(pair & 0xFFF_FFFF)] {
        guard RegisterSketch.isPossible(register) else { throw AudienceFormatError(.impossible, at: offset, "registers") }
        registers.append(register)
      }
    }
    // Eight standard errors: not met by chance.
    guard let sketch = RegisterSketch(registers: registers),
      sketch.likeliestCount * (1 + 8 * RegisterSketch.sigma) > Double(limit)
    else { throw AudienceFormatError(.impossible, at: start, "registers") }
    return sketch
  }
}
