import FuzzHarnesses
import ModelFiles
import Testing

struct SafetensorsTests {
  static func bytes(_ header: String, data: Int, length: UInt64? = nil) -> [UInt8] {
    let stored = withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { Array($0) }
    return stored + header.utf8 + (0..<data).map { UInt8(truncatingIfNeeded: $0) }
  }

  static func refusal(_ header: String, data: Int, length: UInt64? = nil) -> ModelFileError? {
    do throws(ModelFileError) {
      _ = try SafetensorsFile(file: MappedFile(bytes: Self.bytes(header, data: data, length: length), name: "file"))
      return nil
    } catch {
      return error
    }
  }

  static func entry(_ type: String = "F32", _ shape: String = "[2,3]", _ offsets: String = "[0,24]") -> String {
    #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  @Test("tensors of every type, in the order of the data")
  func sound() throws {
    let header = #"{"__metadata__":{"format":"pt"},"b":\#(Self.entry("BF16", "[4]", "[24,32]")),"a":\#(Self.entry())}"#
    let file = try SafetensorsFile(file: MappedFile(bytes: Self.bytes(header, data: 32), name: "file"))
    #expect(file.tensors.map(\.name) == ["a", "b"])
    #expect(file.tensors[0].dimensions == [3, 2] && file.tensors[0].type == .f32)
    #expect(file.tensors[1].type == .bf16 && file.tensors[1].byteOffset == 8 + header.utf8.count + 24)
  }

  @Test("what lies is refused by tensor and field")
  func refusals() {
    let cases: [(String, ModelFileError.Code, String)] = [
      (Self.entry("I64", "[3]"), .unsupportedTensorType, "a"), (Self.entry("F32", "[2,4]"), .invalidValue, "a"),
      (Self.entry("F32", "[0,3]"), .invalidValue, "a"), (Self.entry("F32", "[]"), .invalidValue, "a"),
      (Self.entry("F32", "[1,1,1,2,3]"), .invalidValue, "a"), (Self.entry("F32", "[-2,3]"), .invalidValue, "a"),
      (Self.entry("F32", "[9223372036854775807,9]"), .invalidValue, "a"), (Self.entry("F32", "[2,3]", "[0,25]"), .truncated, "a"),
      (Self.entry("F32", "[2,3]", "[24,0]"), .truncated, "a"), (Self.entry("F32", "[2,3]", "[-24,0]"), .truncated, "a"),
      (Self.entry("F32", "[2]", "[16,24]"), .invalidValue, "a"), (Self.entry("F32", "[2]", "[0,8]"), .invalidValue, "data"),
      (#"{"shape":[1],"data_offsets":[0,4]}"#, .missingKey, "a"), ("7", .missingKey, "a"),
    ]
    for (entry, code, field) in cases {
      let error = Self.refusal(#"{"a":\#(entry)}"#, data: 24)
      #expect(error?.code == code && error?.field == field, "\(entry): \(error?.description ?? "accepted")")
    }
    let overlap = #"{"a":\#(Self.entry("F32", "[4]", "[0,16]")),"b":\#(Self.entry("F32", "[4]", "[8,24]"))}"#
    #expect(Self.refusal(overlap, data: 24)?.code == .overlapping)
    #expect(Self.refusal("[]", data: 0)?.code == .wrongFormat)
    #expect(Self.refusal("{", data: 0)?.code == .wrongFormat)
    #expect(Self.refusal("{}", data: 0, length: .max)?.code == .limitExceeded)
    #expect(Self.refusal("{}", data: 0, length: 3)?.code == .truncated)
    #expect(Self.refusal("{}", data: 0) == nil)
  }
}
