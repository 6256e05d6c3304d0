internal import Documents

/// A JSON text that lies beside or inside a model's files, read within bounds.
struct JSONFile {
  static let byteLimit = 32 << 20

  let path: String
  let document: Document

  /// - Throws: `cannotOpen` and the like, `limitExceeded`, `wrongFormat` with the place.
  init(path: String) throws(ModelFileError) {
    let file = try MappedFile(path: path)
    try self.init(bytes: file.bytes, path: path)
  }

  /// - Parameter offset: where in the file the text begins.
  init(bytes: UnsafeRawBufferPointer, path: String, offset: Int? = nil) throws(ModelFileError) {
    guard bytes.count <= Self.byteLimit else {
      throw ModelFileError(
        .limitExceeded, path: path, offset: offset,
        message: "The JSON text has \(bytes.count) bytes; at most \(Self.byteLimit) are read.")
    }
    do {
      // A value takes a byte at least; few of them are worth their memory unless the text is long.
      self.document = try Document.parseJSON(
        Array(bytes), limits: JSONLimits(bytes: Self.byteLimit, depth: 16, nodes: min(1 << 20, 1 << 16 + bytes.count / 8)))
    } catch {
      throw ModelFileError(
        .wrongFormat, path: path, offset: offset, field: error.field.isEmpty ? nil : error.field, message: "JSON: \(error)")
    }
    self.path = path
  }

  func error(_ code: ModelFileError.Code, _ field: String, _ message: String) -> ModelFileError {
    ModelFileError(code, path: self.path, field: field, message: message)
  }
}

extension Document {
  var members: [Document.Member]? {
    if case .map(let members) = self.content { members } else { nil }
  }
  var elements: [Document]? {
    if case .list(let elements) = self.content { elements } else { nil }
  }
  var text: String? {
    if case .string(let text) = self.content { text } else { nil }
  }
  /// A whole number without fraction or exponent.
  var integer: Int? {
    if case .number(let digits) = self.content { Int(digits) } else { nil }
  }
  var number: Double? {
    if case .number(let digits) = self.content { Double(digits) } else { nil }
  }
  var flag: Bool? {
    if case .bool(let flag) = self.content { flag } else { nil }
  }
  var isNull: Bool {
    if case .null = self.content { true } else { false }
  }
}
