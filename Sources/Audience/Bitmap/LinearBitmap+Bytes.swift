// The byte form of a bitmap: a header, then a record for each chunk that has a bit set, by ascending index. Numbers are
// big-endian.
//
//   header   "WBLB", version 2 (1), logarithm of the bits (1), records (4), set bits (8), CRC-32 of the header so far (4)
//   record   index of the chunk (4), form: 0 list, 1 bits (1), set bits (4), length of the payload (4), payload,
//            CRC-32 of the record so far (4)
//   payload  list: the set bits' places of 4 bytes, ascending; bits: words of 8 bytes, bit b being bit b & 63 of word b >> 6
//
// One bitmap has exactly one such form. It is made and read record by record: 4 KiB at a time, never as a whole.

extension LinearBitmap {
  static let headerLength = 22
  static let recordHeaderLength = 13
  static let magic: UInt64 = 0x5742_4C42
  static let version: UInt64 = 2

  /// The canonical bytes, piece by piece: the header, then each record. Their concatenation is what is stored and digested.
  public var pieces: Pieces { Pieces(of: self) }

  public struct Pieces: Sequence, IteratorProtocol, Sendable {
    private let bitmap: LinearBitmap
    private var position: Int?

    init(of bitmap: LinearBitmap) { self.bitmap = bitmap }

    public mutating func next() -> [UInt8]? {
      guard var index = self.position else {
        self.position = 0
        return self.bitmap.headerBytes
      }
      while index < self.bitmap.chunkCount {
        defer { index += 1 }
        let chunk = self.bitmap.chunk(index)
        guard chunk.ones > 0 else { continue }
        self.position = index + 1
        return chunk.record(index, of: self.bitmap.chunkBits)
      }
      self.position = index
      return nil
    }
  }

  private var headerBytes: [UInt8] {
    var writer = ByteWriter(capacity: Self.headerLength)
    writer.append(Self.magic, bytes: 4)
    writer.append(Self.version, bytes: 1)
    writer.append(UInt64(self.logarithm), bytes: 1)
    writer.append(UInt64((0..<self.chunkCount).count { self.chunk($0).ones > 0 }), bytes: 4)
    writer.append(UInt64(self.ones), bytes: 8)
    writer.appendChecksum()
    return writer.bytes
  }
}

extension BitChunk {
  /// The form depends on the number of set bits alone.
  fileprivate func record(_ index: Int, of bits: Int) -> [UInt8] {
    let isList = self.ones <= Self.listLimit(of: bits, index: index)
    let length = isList ? self.ones * 4 : self.words.count * 8
    var writer = ByteWriter(capacity: LinearBitmap.recordHeaderLength + length + 4)
    writer.append(UInt64(index), bytes: 4)
    writer.append(isList ? 0 : 1, bytes: 1)
    writer.append(UInt64(self.ones), bytes: 4)
    writer.append(UInt64(length), bytes: 4)
    if isList {
      for place in self.setPlaces { writer.append(UInt64(place), bytes: 4) }
    } else {
      for word in self.words { writer.append(word, bytes: 8) }
    }
    writer.appendChecksum()
    return writer.bytes
  }
}
