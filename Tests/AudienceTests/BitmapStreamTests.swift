import Testing

@testable import Audience

@Suite("The byte form of a bitmap, written and merged piece by piece")
struct BitmapStreamTests {
  private static func bitmap(_ numbers: Range<Int>, logarithm: Int = 20) throws -> LinearBitmap {
    var bitmap = try #require(LinearBitmap(logarithm: logarithm))
    for number in numbers { bitmap.insert(user(number)) }
    return bitmap
  }

  private static func bytes(_ bitmap: LinearBitmap) -> [UInt8] { bitmap.pieces.flatMap { $0 } }

  private static func merged(_ bytes: [UInt8], into bitmap: LinearBitmap, by length: Int = .max) throws -> LinearBitmap {
    var stream = BitmapStream(into: bitmap)
    var rest = bytes[...]
    while !rest.isEmpty {
      try stream.append(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return try stream.finish()
  }

  private static func checksummed(_ bytes: [UInt8]) -> [UInt8] {
    let sum = Checksum.of(bytes[...])
    return bytes + (0..<4).reversed().map { UInt8(truncatingIfNeeded: sum >> UInt32(8 * $0)) }
  }

  @Test("is as written down")
  func golden() throws {
    var bitmap = try #require(LinearBitmap(logarithm: 12))
    bitmap.insert(UserFingerprint(0xABC0_0000_0000_0000))
    bitmap.insert(UserFingerprint(0x0010_0000_0000_0000))
    let header = Self.checksummed(Array("WBLB".utf8) + [2, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2])
    let record = Self.checksummed([0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0x0A, 0xBC])
    #expect(Array(bitmap.pieces) == [header, record])
  }

  @Test(
    "is read back as it was, whatever the length of the pieces", arguments: [0, 1, 700, 1500, 30_000], [1, 7, 13, 4096, Int.max])
  func roundTrip(users: Int, length: Int) throws {
    // A byte at a time over 128 KiB would only take long.
    guard length > 1 || users < 1500 else { return }
    let bitmap = try Self.bitmap(0..<users)
    let read = try Self.merged(Self.bytes(bitmap), into: try Self.bitmap(0..<0), by: length)
    #expect(read == bitmap && Self.bytes(read) == Self.bytes(bitmap) && read.estimate == bitmap.estimate)
  }

  @Test("is merged into what is there", arguments: [0..<100, 0..<2000, 500..<40_000])
  func merging(range: Range<Int>) throws {
    let other = try Self.bitmap(300..<3000)
    var expected = try Self.bitmap(range)
    try expected.merge(other)
    #expect(try Self.merged(Self.bytes(other), into: Self.bitmap(range)) == expected)
  }

  @Test("a stream that ends too early is refused at every length, and counts nobody who was not in it")
  func truncation() throws {
    let whole = try Self.bitmap(0..<40)
    let bytes = Self.bytes(whole)
    for length in 0..<bytes.count {
      var stream = BitmapStream(into: try Self.bitmap(0..<0))
      try stream.append(bytes.prefix(length))
      let error = refusal { _ = try stream.finish() }
      #expect(error?.reason == .truncated && error?.offset == length, "\(length)")
      #expect(stream.bitmap.ones <= whole.ones)
      var again = whole
      try again.merge(stream.bitmap)
      #expect(again == whole, "\(length)")
    }
  }

  @Test("every change of one bit is refused")
  func damage() throws {
    let bytes = Self.bytes(try Self.bitmap(0..<5))
    for position in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[position] ^= 1 << UInt8(bit)
        #expect(refusal { _ = try Self.merged(damaged, into: try Self.bitmap(0..<0)) } != nil, "bit \(bit) of byte \(position)")
      }
    }
  }

  private static func header(records: UInt8, ones: UInt8, logarithm: UInt8 = 13) -> [UInt8] {
    Self.checksummed(Array("WBLB".utf8) + [2, logarithm, 0, 0, 0, records, 0, 0, 0, 0, 0, 0, 0, ones])
  }

  private static func record(_ index: UInt8, form: UInt8 = 0, ones: UInt8, length: UInt8, _ payload: [UInt8]) -> [UInt8] {
    Self.checksummed([0, 0, 0, index, form, 0, 0, 0, ones, 0, 0, 0, length] + payload)
  }

  /// With right checksums throughout, as someone would write them who means it.
  @Test(
    "a field that cannot be is named",
    arguments: [
      (header(records: 1, ones: 1, logarithm: 14), .unsupported, "logarithm of the bits"),
      (header(records: 2, ones: 2), .impossible, "records"),
      (header(records: 1, ones: 0), .impossible, "set bits"),
      (header(records: 0, ones: 1), .impossible, "set bits"),
      (header(records: 1, ones: 1) + record(1, ones: 1, length: 4, [0, 0, 0, 1]), .impossible, "chunk"),
      (header(records: 1, ones: 1) + record(0, form: 2, ones: 1, length: 4, [0, 0, 0, 1]), .impossible, "form"),
      (header(records: 1, ones: 1) + record(0, ones: 0, length: 0, []), .impossible, "set bits"),
      (header(records: 1, ones: 5) + record(0, ones: 5, length: 20, (1...5).flatMap { [0, 0, 0, $0] }), .impossible, "set bits"),
      (header(records: 1, ones: 1) + record(0, ones: 1, length: 8, [0, 0, 0, 1]), .impossible, "payload length"),
      (header(records: 1, ones: 1) + record(0, ones: 1, length: 4, [0, 0, 0x20, 0]), .impossible, "place"),
      (header(records: 1, ones: 2) + record(0, ones: 2, length: 8, [0, 0, 0, 7, 0, 0, 0, 7]), .impossible, "place"),
      (header(records: 1, ones: 2) + record(0, ones: 1, length: 4, [0, 0, 0, 7]), .impossible, "set bits"),
      (header(records: 1, ones: 1) + record(0, ones: 1, length: 4, [0, 0, 0, 7]) + [0], .trailing, "end"),
      (header(records: 0, ones: 0) + record(0, ones: 1, length: 4, [0, 0, 0, 7]), .trailing, "end"),
      (Array("PK".utf8) + [UInt8](repeating: 0, count: 30), .foreign, "magic"),
    ] as [([UInt8], AudienceFormatError.Reason, String)])
  func forgeries(bytes: [UInt8], reason: AudienceFormatError.Reason, field: String) throws {
    let empty = try Self.bitmap(0..<0, logarithm: 13)
    let error = refusal { _ = try Self.merged(bytes, into: empty) }
    #expect(error?.reason == reason && error?.field == field, "\(String(describing: error))")
  }

  @Test("laid-out bits must be as many as they say, and records ascend")
  func laidOut() throws {
    let bitmap = try Self.bitmap(0..<3000, logarithm: 16)
    let pieces = Array(bitmap.pieces)
    #expect(pieces.count == 3)
    var record = Array(pieces[1].dropLast(4))
    record[LinearBitmap.recordHeaderLength] ^= 1
    let changed = pieces[0] + Self.checksummed(record) + pieces[2]
    let empty = try Self.bitmap(0..<0, logarithm: 16)
    #expect(refusal { _ = try Self.merged(changed, into: empty) }?.field == "set bits")
    #expect(refusal { _ = try Self.merged(pieces[0] + pieces[2] + pieces[1], into: empty) }?.field == "chunk")
    #expect(refusal { _ = try Self.merged(pieces[0] + pieces[1] + pieces[1], into: empty) }?.field == "chunk")
  }

  @Test("an error stays")
  func stays() throws {
    var stream = BitmapStream(into: try Self.bitmap(0..<0))
    let first = refusal { try stream.append(Array(repeating: 0, count: 50)) }
    let second = refusal { try stream.append(Self.bytes(try Self.bitmap(0..<5))) }
    #expect(first?.reason == .foreign && first == second)
    #expect(refusal { _ = try stream.finish() } == first)
  }

  @Test("no bytes make it trap", arguments: 1...5 as ClosedRange<UInt64>)
  func fuzz(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let pieces = Array(try Self.bitmap(0..<60).pieces)
    for _ in 0..<300 {
      let bytes = pieces.flatMap { piece -> [UInt8] in
        var forged = Array(piece.dropLast(4))
        if Bool.random(using: &generator) {
          forged[Int.random(in: 0..<min(24, forged.count), using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        return Self.checksummed(forged)
      }
      var read: LinearBitmap?
      let empty = try Self.bitmap(0..<0)
      let error = refusal { read = try Self.merged(bytes, into: empty, by: 100) }
      #expect((error == nil) == (read != nil))
      if let read { #expect(Self.bytes(read) == bytes, "seed \(seed)") }
    }
  }
}
