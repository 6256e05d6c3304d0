/// Reads `tokenizer.model` of SentencePiece: the pieces, and the few settings of trainer and normaliser that matter.
///
/// Format: `sentencepiece_model.proto` as protocol buffers (proto2). Unknown fields are skipped; every length is checked. O(bytes).
public enum SentencePieceFile {
  static let byteLimit = 64 << 20

  /// - Throws: `wrongFormat`, `truncated`, `limitExceeded`, naming the field.
  public static func vocabulary(path: String) throws(ModelFileError) -> VocabularyFile {
    let file = try MappedFile(path: path)
    guard file.byteCount <= Self.byteLimit else {
      throw ModelFileError(
        .limitExceeded, path: path, message: "The file has \(file.byteCount) bytes; a vocabulary has at most \(Self.byteLimit).")
    }
    return try Self.vocabulary(bytes: file.bytes, path: path)
  }

  public static func vocabulary(bytes: UnsafeRawBufferPointer, path: String) throws(ModelFileError) -> VocabularyFile {
    var result = VocabularyFile(kind: .scores, pieces: [], types: [], unknown: 0, begin: 1, end: 2)
    var message = WireMessage(ByteCursor(bytes, path: path, limit: bytes.count))
    while let field = try message.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let piece)): try Self.append(piece, path, &result)
      case (2, .bytes(let trainer)): try Self.readTrainer(trainer, path, &result)
      case (3, .bytes(let normaliser)): try Self.readNormaliser(normaliser, path, &result)
      default: break
      }
    }
    guard !result.pieces.isEmpty else {
      throw ModelFileError(
        .wrongFormat, path: path, field: "pieces", message: "The file has no pieces; it is no SentencePiece model.")
    }
    return result
  }

  private static func append(
    _ bytes: UnsafeRawBufferPointer, _ path: String, _ result: inout VocabularyFile
  ) throws(ModelFileError) {
    var message = WireMessage(ByteCursor(bytes, path: path, limit: bytes.count))
    let name = "piece \(result.pieces.count)"
    guard result.pieces.count < VocabularyFile.pieceLimit else {
      throw ModelFileError(.limitExceeded, path: path, field: name, message: "There are more pieces than any vocabulary has.")
    }
    var (piece, score, type) = ("", Float(0), Int32(1))
    while let field = try message.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let text)):
        guard let valid = String(validating: text, as: UTF8.self) else {
          throw ModelFileError(.invalidText, path: path, field: name, message: "The piece is not valid UTF-8.")
        }
        piece = valid
      case (2, .fixed32(let bits)): score = Float(bitPattern: bits)
      case (3, .varint(let value)): type = Int32(truncatingIfNeeded: value)
      default: break
      }
    }
    guard (1...6).contains(type) else {
      throw ModelFileError(.invalidValue, path: path, field: name, message: "\(type) is no kind of piece (1 to 6).")
    }
    result.pieces.append(piece)
    result.scores.append(score)
    result.types.append(type)
  }

  private static func readTrainer(
    _ bytes: UnsafeRawBufferPointer, _ path: String, _ result: inout VocabularyFile
  ) throws(ModelFileError) {
    var message = WireMessage(ByteCursor(bytes, path: path, limit: bytes.count))
    while let field = try message.next() {
      guard case .varint(let value) = field.value else { continue }
      let number = Int(Int32(truncatingIfNeeded: value))
      switch field.number {
      case 3:
        guard number == 2 else {
          throw ModelFileError(
            .unsupportedVersion, path: path, field: "model_type",
            message: "The model is not of the kind BPE (2) but \(number); other kinds are not supported.")
        }
      case 40: result.unknown = number < 0 ? nil : number
      case 41: result.begin = number < 0 ? nil : number
      case 42: result.end = number < 0 ? nil : number
      default: break
      }
    }
  }

  private static func readNormaliser(
    _ bytes: UnsafeRawBufferPointer, _ path: String, _ result: inout VocabularyFile
  ) throws(ModelFileError) {
    var message = WireMessage(ByteCursor(bytes, path: path, limit: bytes.count))
    while let field = try message.next() {
      if case (3, .varint(let value)) = (field.number, field.value) { result.addsSpacePrefix = value != 0 }
    }
  }
}

/// One message of protocol buffers, field after field.
private struct WireMessage {
  enum Value {
    case varint(UInt64)
    case fixed64
    case fixed32(UInt32)
    case bytes(UnsafeRawBufferPointer)
  }

  private var cursor: ByteCursor

  init(_ cursor: ByteCursor) { self.cursor = cursor }

  /// `nil` at the end.
  mutating func next() throws(ModelFileError) -> (number: UInt64, value: Value)? {
    guard self.cursor.remaining > 0 else { return nil }
    let tag = try self.varint()
    let value: Value
    switch tag & 7 {
    case 0: value = .varint(try self.varint())
    case 1:
      _ = try self.cursor.take(8, "field \(tag >> 3)")
      value = .fixed64
    case 2:
      let length = try self.varint()
      guard length <= UInt64(self.cursor.remaining) else {
        throw self.cursor.tooShort("\(length) bytes", "field \(tag >> 3)")
      }
      value = .bytes(try self.cursor.take(Int(length), "field \(tag >> 3)"))
    case 5: value = .fixed32(try self.cursor.integer(UInt32.self, "field \(tag >> 3)"))
    default: throw self.cursor.error(.wrongFormat, "field \(tag >> 3)", "The field's kind \(tag & 7) does not exist.")
    }
    return (tag >> 3, value)
  }

  private mutating func varint() throws(ModelFileError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      let byte = try self.cursor.integer(UInt8.self, "number")
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw self.cursor.error(.wrongFormat, "number", "A number has more than ten bytes.")
  }
}
