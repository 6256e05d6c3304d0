/// Merges a bitmap's bytes, as they come in pieces of any length, into a bitmap of the same size.
///
/// Holds one record, 4 KiB, and the step of 64 KiB beside the bitmap; a copy of the bitmap kept elsewhere costs the chunks that
/// change, or the pieces of half a megabyte where all is laid out from the start.
///
/// Only records whose checksum holds are merged, and merging is idempotent: after an error the bitmap counts some of the other's
/// users, none twice and none that the other did not write, and the same bytes can be merged again from the start.
/// ``finish()`` tells whether all of them came.
public struct BitmapStream: Sendable {
  public private(set) var bitmap: LinearBitmap
  private var buffer: [UInt8] = []
  /// Bytes of the stream before those in the buffer.
  private var offset = 0
  private var header: Header?
  private var records = 0
  private var ones = 0
  private var previousIndex = -1
  private var failure: AudienceFormatError?

  private struct Header {
    let records: Int
    let ones: Int
  }

  public init(into bitmap: LinearBitmap) { self.bitmap = bitmap }

  /// Takes the next bytes. After an error every further call throws the same error.
  public mutating func append(_ bytes: some Collection<UInt8>) throws(AudienceFormatError) {
    if let failure = self.failure { throw failure }
    do {
      // In steps, so that the buffer stays small whatever the length of the piece.
      var rest = bytes[...]
      while !rest.isEmpty {
        self.buffer.append(contentsOf: rest.prefix(Self.step))
        rest = rest.dropFirst(Self.step)
        try self.consume()
      }
    } catch {
      self.failure = error
      throw error
    }
  }

  private static let step = 1 << 16

  /// The merged bitmap; an error if the bytes that were announced have not all come.
  public func finish() throws(AudienceFormatError) -> LinearBitmap {
    if let failure = self.failure { throw failure }
    let end = self.offset + self.buffer.count
    guard let header = self.header, self.records == header.records, self.buffer.isEmpty else {
      throw AudienceFormatError(.truncated, at: end, "stream")
    }
    guard self.ones == header.ones else { throw AudienceFormatError(.impossible, at: 10, "set bits") }
    return self.bitmap
  }

  private mutating func consume() throws(AudienceFormatError) {
    var used = 0
    while let length = try self.readPart(self.buffer[used...], at: self.offset + used) { used += length }
    self.buffer.removeFirst(used)
    self.offset += used
  }

  /// Reads the header or one record. Returns its length, or nil if it has not all come.
  private mutating func readPart(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(AudienceFormatError) -> Int? {
    guard let header = self.header else {
      guard bytes.count >= LinearBitmap.headerLength else { return nil }
      try self.readHeader(ByteReader(bytes.prefix(LinearBitmap.headerLength)))
      return LinearBitmap.headerLength
    }
    guard !bytes.isEmpty else { return nil }
    guard self.records < header.records else { throw AudienceFormatError(.trailing, at: offset, "end") }
    guard bytes.count >= LinearBitmap.recordHeaderLength else { return nil }
    return try self.readRecord(bytes, at: offset)
  }

  private mutating func readHeader(_ header: ByteReader) throws(AudienceFormatError) {
    var reader = header
    try reader.expect(LinearBitmap.magic, bytes: 4, "magic", else: .foreign)
    try reader.expect(LinearBitmap.version, bytes: 1, "version", else: .unsupported)
    try reader.expect(UInt64(self.bitmap.logarithm), bytes: 1, "logarithm of the bits", else: .unsupported)
    let records = try reader.number(bytes: 4, in: 0...UInt64(self.bitmap.chunkCount), "records")
    let ones = try reader.number(bytes: 8, in: UInt64(records)...UInt64(records * self.bitmap.chunkBits), "set bits")
    try reader.expectChecksum()
    self.header = Header(records: records, ones: ones)
  }

  private mutating func readRecord(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(AudienceFormatError) -> Int? {
    let bits = self.bitmap.chunkBits
    var reader = ByteReader(bytes, base: offset)
    let after = UInt64(self.previousIndex + 1)
    // After the last chunk there is no index that a further record could have.
    guard after < UInt64(self.bitmap.chunkCount) else { throw AudienceFormatError(.impossible, at: offset, "chunk") }
    let index = try reader.number(bytes: 4, in: after...UInt64(self.bitmap.chunkCount - 1), "chunk")
    let listLimit = BitChunk.listLimit(of: bits, index: index)
    let form = try reader.number(bytes: 1, in: 0...1, "form")
    let onesOffset = reader.offset
    let range = form == 0 ? 1...listLimit : listLimit + 1...bits
    let ones = try reader.number(bytes: 4, in: UInt64(range.lowerBound)...UInt64(range.upperBound), "set bits")
    let length = form == 0 ? ones * 4 : bits / 8
    try reader.expect(UInt64(length), bytes: 4, "payload length", else: .impossible)
    let whole = LinearBitmap.recordHeaderLength + length + 4
    guard bytes.count >= whole else { return nil }
    let chunk = try form == 0 ? self.list(&reader, count: ones) : self.words(&reader)
    try reader.expectChecksum()
    guard chunk.ones == ones else { throw AudienceFormatError(.impossible, at: onesOffset, "set bits") }
    self.bitmap.merge(chunk, into: index)
    self.previousIndex = index
    self.records += 1
    self.ones += ones
    return whole
  }

  private func list(_ reader: inout ByteReader, count: Int) throws(AudienceFormatError) -> BitChunk {
    var places: [UInt16] = []
    places.reserveCapacity(count)
    for _ in 0..<count {
      let offset = reader.offset
      let place = try reader.number(bytes: 4, in: 0...UInt64(self.bitmap.chunkBits - 1), "place")
      if let last = places.last, place <= Int(last) { throw AudienceFormatError(.impossible, at: offset, "place") }
      places.append(UInt16(truncatingIfNeeded: place))
    }
    return BitChunk(places: places)
  }

  private func words(_ reader: inout ByteReader) throws(AudienceFormatError) -> BitChunk {
    var words: [UInt64] = []
    words.reserveCapacity(self.bitmap.chunkBits / 64)
    for _ in 0..<self.bitmap.chunkBits / 64 { words.append(try reader.number(bytes: 8, "bits")) }
    return BitChunk(words: words)
  }
}
