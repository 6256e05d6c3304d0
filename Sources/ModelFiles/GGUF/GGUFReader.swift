/// One pass over a GGUF header: magic, version, counts, metadata, tensor list, in the order of the file.
struct GGUFReader {
  struct Contents {
    var version: UInt32
    var metadata: GGUFMetadata
    var tensors: [TensorInfo]
    var positions: [String: Int]
  }

  /// Kept so that the mapping outlives the cursor into it.
  let file: MappedFile
  var cursor: ByteCursor

  init(file: MappedFile) {
    self.file = file
    self.cursor = ByteCursor(file.bytes, path: file.path, limit: GGUFLimits.headerBytes)
  }

  mutating func read() throws(ModelFileError) -> Contents {
    try self.readMagic()
    let version = try self.readVersion()
    self.cursor.hasNarrowCounts = version == 1
    let tensorCount = try self.readCount("tensor count", limit: GGUFLimits.tensors, each: GGUFLimits.tensorMinimumBytes)
    let keyCount = try self.readCount("metadata key count", limit: GGUFLimits.keys, each: GGUFLimits.keyMinimumBytes)
    let metadata = try self.readMetadata(count: keyCount)
    let alignment = try self.alignment(in: metadata)
    let (tensors, positions) = try self.readTensors(count: tensorCount, alignment: alignment)
    return Contents(version: version, metadata: metadata, tensors: tensors, positions: positions)
  }

  private mutating func readMagic() throws(ModelFileError) {
    let magic = try self.cursor.take(4, "magic")
    guard magic.elementsEqual("GGUF".utf8) else {
      throw ModelFileError(
        .wrongFormat, path: self.file.path, offset: 0, field: "magic",
        message: "The file does not begin with \"GGUF\"; convert the model to GGUF or name another file.")
    }
  }

  private mutating func readVersion() throws(ModelFileError) -> UInt32 {
    let place = self.cursor
    let version = try self.cursor.integer(UInt32.self, "version")
    switch version {
    case 1...3: return version
    case _ where version.byteSwapped <= 0xFFFF && version != 0:
      throw place.error(
        .unsupportedVersion, "version",
        "The file is big-endian (version \(version.byteSwapped)); convert the model for a little-endian machine.")
    default:
      throw place.error(
        .unsupportedVersion, "version", "GGUF version \(version) is unknown; 1 to 3 are supported.")
    }
  }

  /// A count that the rest of the file could hold.
  private mutating func readCount(_ field: String, limit: Int, each: Int) throws(ModelFileError) -> Int {
    let count = try self.cursor.count(atMost: limit, field)
    guard count <= self.cursor.remaining / each else { throw self.cursor.tooShort("\(count) entries", field) }
    return count
  }

  private func alignment(in metadata: GGUFMetadata) throws(ModelFileError) -> Int {
    let key = "general.alignment"
    let stored = try metadata.requireUnsigned(key, ifAbsent: UInt64(GGUFLimits.defaultAlignment))
    guard let alignment = Int(exactly: stored), GGUFLimits.alignment.contains(alignment), alignment.nonzeroBitCount == 1 else {
      throw ModelFileError(
        .invalidValue, path: self.file.path, field: key,
        message: "The alignment is \(stored), not a power of two from 8 to 65536; convert the model again.")
    }
    return alignment
  }
}
