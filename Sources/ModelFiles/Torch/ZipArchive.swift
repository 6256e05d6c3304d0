/// The stored (uncompressed) entries of a zip archive, found by its central directory, ZIP64 included.
///
/// Format: PKWARE's APPNOTE, 4.3. Reading costs O(entries); no entry's data is touched.
struct ZipArchive {
  struct Entry {
    let name: String
    /// From the start of the file.
    let data: Range<Int>
  }

  static let entryLimit = 1 << 17
  static let nameLimit = 1_024

  let file: MappedFile
  private(set) var entries: [String: Entry] = [:]

  /// - Throws: `wrongFormat`, `truncated`, `unsupportedVersion` (compressed or encrypted), `duplicate`, `limitExceeded`.
  init(file: MappedFile) throws(ModelFileError) {
    self.file = file
    let directory = try Self.directory(file)
    var cursor = ByteCursor(
      UnsafeRawBufferPointer(rebasing: file.bytes[directory.range]), path: file.path, limit: directory.range.count)
    for number in 0..<directory.count {
      let entry = try Self.entry(number, &cursor, file)
      guard self.entries.updateValue(entry, forKey: entry.name) == nil else {
        throw cursor.error(.duplicate, entry.name, "The archive has two entries of this name; download it again.")
      }
    }
  }

  func bytes(of entry: Entry) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self.file.bytes[entry.data]) }

  // MARK: The end of the archive

  private static let endSize = 22

  private static func directory(_ file: MappedFile) throws(ModelFileError) -> (range: Range<Int>, count: Int) {
    guard let end = Self.endRecord(file.bytes) else {
      throw ModelFileError(
        .wrongFormat, path: file.path,
        message: "This is not a zip archive, or its end is missing; a checkpoint saved by torch 1.6 or later is one.")
    }
    var (count, size, offset) = (
      UInt64(file.bytes.little(UInt16.self, end + 10)), UInt64(file.bytes.little(UInt32.self, end + 12)),
      UInt64(file.bytes.little(UInt32.self, end + 16))
    )
    if count == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF {
      guard let large = Self.largeEndRecord(file.bytes, end: end) else {
        throw ModelFileError(
          .truncated, path: file.path, offset: end, field: "ZIP64 end record", message: "The record is missing or damaged.")
      }
      count = file.bytes.little(UInt64.self, large + 32)
      size = file.bytes.little(UInt64.self, large + 40)
      offset = file.bytes.little(UInt64.self, large + 48)
    }
    guard count <= UInt64(Self.entryLimit), offset <= UInt64(end), size <= UInt64(end) - offset else {
      throw ModelFileError(
        .invalidValue, path: file.path, offset: end, field: "central directory",
        message: "\(count) entries in \(size) bytes at \(offset) do not fit the file; download it again.")
    }
    return (Int(offset)..<Int(offset + size), Int(count))
  }

  /// The last place where the end record stands, with a comment of at most 2^16 - 1 bytes behind it.
  private static func endRecord(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.count >= Self.endSize else { return nil }
    var place = bytes.count - Self.endSize
    let first = max(0, place - 0xFFFF)
    while place >= first {
      if bytes.little(UInt32.self, place) == 0x0605_4B50 { return place }
      place -= 1
    }
    return nil
  }

  private static func largeEndRecord(_ bytes: UnsafeRawBufferPointer, end: Int) -> Int? {
    let locator = end - 20
    guard locator >= 0, bytes.little(UInt32.self, locator) == 0x0706_4B50,
      let place = Int(exactly: bytes.little(UInt64.self, locator + 8)), place >= 0, place <= bytes.count - 56,
      bytes.little(UInt32.self, place) == 0x0606_4B50
    else { return nil }
    return place
  }

  // MARK: Entries

  private static func entry(
    _ number: Int, _ cursor: inout ByteCursor, _ file: MappedFile
  ) throws(ModelFileError) -> Entry {
    let place = cursor
    let fixed = try cursor.take(46, "directory entry \(number)")
    guard fixed.little(UInt32.self, 0) == 0x0201_4B50 else {
      throw place.error(.wrongFormat, "directory entry \(number)", "The entry's mark is wrong; download the file again.")
    }
    let (flags, method) = (fixed.little(UInt16.self, 8), fixed.little(UInt16.self, 10))
    let lengths = (28...32).filter { $0.isMultiple(of: 2) }.map { Int(fixed.little(UInt16.self, $0)) }
    guard lengths[0] <= Self.nameLimit,
      let name = String(validating: try cursor.take(lengths[0], "name of entry \(number)"), as: UTF8.self), !name.isEmpty
    else { throw place.error(.invalidText, "name of entry \(number)", "The name is empty, too long or no UTF-8.") }
    let extra = try cursor.take(lengths[1], "extra field of \(name)")
    _ = try cursor.take(lengths[2], "comment of \(name)")
    guard method == 0, flags & 1 == 0 else {
      throw place.error(
        .unsupportedVersion, name, "The entry is compressed or encrypted; checkpoints are stored plain. Save it again.")
    }
    var fields = [
      UInt64(fixed.little(UInt32.self, 24)), UInt64(fixed.little(UInt32.self, 20)), UInt64(fixed.little(UInt32.self, 42)),
    ]
    Self.widen(&fields, from: extra)
    guard fields[0] == fields[1], let size = Int(exactly: fields[0]), let header = Int(exactly: fields[2]),
      let start = Self.dataStart(file.bytes, header: header), size <= file.byteCount - start
    else { throw place.error(.truncated, name, "The entry's data does not lie inside the file; download it again.") }
    return Entry(name: name, data: start..<start + size)
  }

  /// Fields of 32 bits that are all ones stand, in this order, with 64 bits in the extra field 1.
  private static func widen(_ fields: inout [UInt64], from extra: UnsafeRawBufferPointer) {
    var place = 0
    while place <= extra.count - 4 {
      let (id, size) = (extra.little(UInt16.self, place), Int(extra.little(UInt16.self, place + 2)))
      place += 4
      guard size <= extra.count - place else { return }
      if id == 1 {
        var next = place
        for index in fields.indices where fields[index] == 0xFFFF_FFFF && next <= place + size - 8 {
          fields[index] = extra.little(UInt64.self, next)
          next += 8
        }
        return
      }
      place += size
    }
  }

  private static func dataStart(_ bytes: UnsafeRawBufferPointer, header: Int) -> Int? {
    guard header >= 0, header <= bytes.count - 30, bytes.little(UInt32.self, header) == 0x0403_4B50 else { return nil }
    let start = header + 30 + Int(bytes.little(UInt16.self, header + 26)) + Int(bytes.little(UInt16.self, header + 28))
    return start <= bytes.count ? start : nil
  }
}

extension UnsafeRawBufferPointer {
  /// - Precondition: the bytes are there.
  func little<Value: FixedWidthInteger>(_ type: Value.Type, _ offset: Int) -> Value {
    precondition(offset >= 0 && offset <= self.count - MemoryLayout<Value>.size)
    return Value(littleEndian: self.loadUnaligned(fromByteOffset: offset, as: Value.self))
  }
}
