/// One message of protobuf's wire format as hostile bytes, field by field. Nothing is allocated but what a caller takes.
struct ProtobufReader {
  enum Value {
    case integer(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    case bytes(ArraySlice<UInt8>)
  }

  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { self.rest = bytes }

  /// Where in the whole file the reader stands.
  var offset: Int { self.rest.startIndex }

  /// The next field and its number; `nil` at the end.
  mutating func next() throws(TokenizerError) -> (field: UInt64, value: Value)? {
    guard !self.rest.isEmpty else { return nil }
    let tag = try self.varint()
    let value: Value
    switch tag & 7 {
    case 0: value = .integer(try self.varint())
    case 1: value = .fixed64(try self.littleEndian(8))
    case 2:
      let start = self.offset
      guard let count = Int(exactly: try self.varint()), count <= self.rest.count else {
        throw self.damaged("A field of \(tag >> 3) at byte \(start) reaches beyond the end")
      }
      value = .bytes(self.rest.prefix(count))
      self.rest = self.rest.dropFirst(count)
    case 5: value = .fixed32(UInt32(truncatingIfNeeded: try self.littleEndian(4)))
    default: throw self.damaged("Field \(tag >> 3) before byte \(self.offset) has the wire type \(tag & 7)")
    }
    return (tag >> 3, value)
  }

  private mutating func varint() throws(TokenizerError) -> UInt64 {
    var result: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      guard let byte = self.rest.popFirst() else { throw self.damaged("The file ends inside a number at byte \(self.offset)") }
      result |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return result }
    }
    throw self.damaged("A number before byte \(self.offset) has more than ten bytes")
  }

  private mutating func littleEndian(_ count: Int) throws(TokenizerError) -> UInt64 {
    guard self.rest.count >= count else { throw self.damaged("The file ends inside a number at byte \(self.offset)") }
    var result: UInt64 = 0
    for byte in self.rest.prefix(count).reversed() { result = result << 8 | UInt64(byte) }
    self.rest = self.rest.dropFirst(count)
    return result
  }

  private func damaged(_ finding: String) -> TokenizerError {
    TokenizerError(
      field: "tokenizer.model", message: "\(finding); the file is damaged or no SentencePiece model. Download it again.")
  }
}
