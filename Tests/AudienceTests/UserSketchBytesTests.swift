import Testing

@testable import Audience

@Suite("The byte form of a sketch")
struct UserSketchBytesTests {
  @Test("is as written down")
  func golden() {
    var users = UserSketch()
    users.insert(UserFingerprint(0xFEDC_BA98_7654_3210))
    users.insert(UserFingerprint(0x0102_0304_0506_0708))
    // The checksum is that of zlib.crc32 over the 33 bytes before.
    let expected: [UInt8] =
      Array("WBUS".utf8) + [1, 0, 2, 20, 14, 0, 0, 0x10, 0, 0, 0, 0, 16]
      + [1, 2, 3, 4, 5, 6, 7, 8, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10] + [0x1A, 0x9E, 0x05, 0xE9]
    #expect(users.bytes == expected)
  }

  @Test("the checksum is CRC-32")
  func checksum() {
    #expect(Checksum.of(Array("123456789".utf8)[...]) == 0xCBF4_3926)
    #expect(Checksum.of([]) == 0)
    #expect(Checksum.of(Array("The quick brown fox jumps over the lazy dog".utf8)[...]) == 0x414F_A339)
  }

  @Test("is read back as it was, in at most 64 KiB", arguments: [0, 1, 2, 256, 4096, 4097, 30_000])
  func roundTrip(count: Int) throws {
    let users = sketch(0..<count)
    let bytes = users.bytes
    let read = try UserSketch(bytes: bytes)
    #expect(read == users && read.bytes == bytes && read.estimate == users.estimate)
    #expect(bytes.count == (count <= 4096 ? 21 + 8 * count : 57_365))
    #expect(bytes.count <= 65_536)
  }

  @Test("every change of one bit is refused, and every loss of bytes")
  func damage() {
    let bytes = sketch(0..<5).bytes
    for position in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[position] ^= 1 << UInt8(bit)
        #expect(refusal { _ = try UserSketch(bytes: damaged) } != nil, "bit \(bit) of byte \(position)")
      }
    }
    for length in 0..<bytes.count {
      #expect(refusal { _ = try UserSketch(bytes: Array(bytes.prefix(length))) } != nil, "\(length) bytes")
    }
    #expect(refusal { _ = try UserSketch(bytes: bytes + [0]) }?.reason == .trailing)
  }

  /// Bytes with fields overwritten and the checksum made right again, as someone would who means it.
  private func forged(_ bytes: [UInt8], _ changes: [Int: UInt8]) -> [UInt8] {
    var forged = Array(bytes.dropLast(4))
    for (position, value) in changes { forged[position] = value }
    let sum = Checksum.of(forged[...])
    return forged + (0..<4).reversed().map { UInt8(truncatingIfNeeded: sum >> UInt32(8 * $0)) }
  }

  @Test(
    "a field that cannot be is named, though the checksum is right",
    arguments: [
      ([0: 0x58], .foreign, "magic", 0), ([4: 2], .unsupported, "version", 4), ([5: 2], .impossible, "form", 5),
      ([6: 3], .unsupported, "parameters", 6), ([7: 24], .unsupported, "parameters", 7), ([8: 15], .unsupported, "parameters", 8),
      ([9: 0xFF], .impossible, "exact limit", 9), ([11: 0, 12: 255], .impossible, "exact limit", 9),
      ([13: 0xFF], .impossible, "payload length", 13), ([16: 41], .truncated, "payload length", 13),
      ([16: 32], .trailing, "payload length", 13), ([5: 1], .impossible, "payload length", 13),
      ([17: 0xFF], .impossible, "fingerprint", 25),
    ] as [([Int: UInt8], AudienceFormatError.Reason, String, Int)])
  func forgeries(changes: [Int: UInt8], reason: AudienceFormatError.Reason, field: String, offset: Int) {
    let error = refusal { _ = try UserSketch(bytes: self.forged(sketch(0..<5).bytes, changes)) }
    #expect(error?.reason == reason && error?.field == field && error?.offset == offset, "\(String(describing: error))")
  }

  @Test("two equal fingerprints are refused, and a length that is no multiple of eight")
  func duplicates() {
    let bytes = sketch(0..<2).bytes
    let twice = self.forged(bytes, Dictionary(uniqueKeysWithValues: (17..<25).map { ($0 + 8, bytes[$0]) }))
    #expect(refusal { _ = try UserSketch(bytes: twice) }?.field == "fingerprint")
    let odd = self.forged(Array(bytes.dropLast(5)) + [0, 0, 0, 0], [16: 15])
    #expect(refusal { _ = try UserSketch(bytes: odd) }?.reason == .impossible)
  }

  @Test("registers that no counting leaves, or of too few users, are refused")
  func registers() {
    let bytes = sketch(0..<5000).bytes
    #expect(refusal { _ = try UserSketch(bytes: self.forged(bytes, [17: 0xFF])) }?.field == "registers")
    let empty = self.forged(bytes, Dictionary(uniqueKeysWithValues: (17..<17 + 57_344).map { ($0, 0) }))
    #expect(refusal { _ = try UserSketch(bytes: empty) }?.reason == .impossible)
    #expect(refusal { _ = try UserSketch(bytes: self.forged(bytes, [:])) } == nil)
    #expect(
      refusal { _ = try UserSketch(bytes: self.forged(bytes, [11: 0x20])) }?.field == "registers", "5000 are not more than 8192")
  }

  @Test("no bytes make it trap, and what it accepts it would have written", arguments: 1...6 as ClosedRange<UInt64>)
  func fuzz(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let base = seed.isMultiple(of: 3) ? sketch(0..<5000).bytes : sketch(0..<20).bytes
    for _ in 0..<(seed.isMultiple(of: 3) ? 20 : 1000) {
      var bytes = base
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let within = Bool.random(using: &generator) ? 17 : bytes.count
        bytes[Int.random(in: 0..<within, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      if Bool.random(using: &generator) { bytes = self.forged(bytes, [:]) }
      if Int.random(in: 0..<4, using: &generator) == 0 {
        bytes.removeLast(Int.random(in: 0..<min(60, bytes.count), using: &generator))
      }
      do {
        let read = try UserSketch(bytes: bytes)
        #expect(read.bytes == bytes, "seed \(seed)")
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
  }

  @Test("an error names field, place and what to do")
  func wording() {
    let error = refusal { _ = try UserSketch(bytes: Array("not a sketch".utf8)) }
    #expect(
      error?.description
        == "magic at byte 0: these bytes are something else; give the file that was exported as a user sketch or a user bitmap")
    let damaged = refusal { _ = try UserSketch(bytes: sketch(0..<1).bytes.dropLast() + [0]) }
    #expect(
      damaged?.description
        == "checksum at byte 25: the bytes were changed after they were written; export or copy it again")
  }
}
