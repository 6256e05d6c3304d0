/// Reads little-endian fields from a byte range in order, and never past its end.
///
/// The bytes must outlive the cursor; the owner of the mapping holds them for the time of a parse.
struct ByteCursor {
  let bytes: UnsafeRawBufferPointer
  let path: String
  /// Whether the file goes on behind `bytes`, so that running out of them means a limit, not a short file.
  let isCut: Bool
  /// Counts and lengths have 32 bits, as in the first version of GGUF.
  var hasNarrowCounts = false
  /// The next byte to read; never beyond `bytes.count`.
  private(set) var offset = 0

  /// - Parameter limit: reads no further than this many bytes even where the file is longer.
  init(_ bytes: UnsafeRawBufferPointer, path: String, limit: Int) {
    self.bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(limit))
    self.path = path
    self.isCut = bytes.count > limit
  }

  var remaining: Int { self.bytes.count - self.offset }

  /// The next `count` bytes.
  ///
  /// - Throws: `truncated` where the file ends before, `limitExceeded` where the part that may be read does.
  mutating func take(_ count: Int, _ field: @autoclosure () -> String) throws(ModelFileError) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= self.remaining else {
      throw self.tooShort("\(count) bytes", field())
    }
    let start = self.offset
    self.offset += count
    return UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.offset])
  }

  mutating func integer<Value: FixedWidthInteger>(
    _ type: Value.Type, _ field: @autoclosure () -> String
  ) throws(ModelFileError) -> Value {
    let raw = try self.take(MemoryLayout<Value>.size, field())
    return Value(littleEndian: raw.loadUnaligned(as: Value.self))
  }

  /// A count or length that must not pass `limit`.
  ///
  /// - Throws: `truncated`, `limitExceeded`.
  mutating func count(atMost limit: Int, _ field: @autoclosure () -> String) throws(ModelFileError) -> Int {
    let start = self.offset
    let stored = self.hasNarrowCounts ? UInt64(try self.integer(UInt32.self, field())) : try self.integer(UInt64.self, field())
    guard let count = Int(exactly: stored), count <= limit else {
      throw ModelFileError(
        .limitExceeded, path: self.path, offset: start, field: field(),
        message: "\(stored) is more than the \(limit) accepted here; the file is damaged or not a model file.")
    }
    return count
  }

  /// UTF-8 text with its length before it.
  ///
  /// - Throws: `truncated`, `limitExceeded`, `invalidText`.
  mutating func text(atMost limit: Int, _ field: @autoclosure () -> String) throws(ModelFileError) -> String {
    let length = try self.count(atMost: limit, "length of \(field())")
    let start = self.offset
    let raw = try self.take(length, field())
    guard let text = String(validating: raw, as: UTF8.self) else {
      throw ModelFileError(
        .invalidText, path: self.path, offset: start, field: field(),
        message: "The text is not valid UTF-8; the file is damaged or was written by a faulty converter.")
    }
    return text
  }

  /// The error for something that needs more bytes than are left, at the next byte.
  func tooShort(_ needed: String, _ field: String) -> ModelFileError {
    guard !self.isCut else {
      return self.error(
        .limitExceeded, field,
        "\(needed) reach beyond the \(self.bytes.count) bytes a header may have; the file is damaged or not a model file.")
    }
    return self.error(
      .truncated, field,
      "The file is too short: \(needed) are announced and \(self.remaining) bytes are left; copy or download it again.")
  }

  /// An error at the next byte.
  func error(_ code: ModelFileError.Code, _ field: String, _ message: String) -> ModelFileError {
    ModelFileError(code, path: self.path, offset: self.offset, field: field, message: message)
  }
}
