import ModelFiles
import Testing

/// One fault put into the sample file, and the refusal that it must meet.
struct Fault: Sendable, CustomTestStringConvertible {
  let name: String
  let code: ModelFileError.Code
  let field: String
  let change: @Sendable (inout GGUFWriter) -> Void

  init(
    _ name: String, _ code: ModelFileError.Code, _ field: String, _ change: @escaping @Sendable (inout GGUFWriter) -> Void
  ) {
    self.name = name
    self.code = code
    self.field = field
    self.change = change
  }

  var testDescription: String { self.name }
}

@Suite("A GGUF file is refused")
struct GGUFRefusalTests {
  static let faults: [Fault] = [
    Fault("another magic", .wrongFormat, "magic") { $0.magic = Array("ggjt".utf8) },
    Fault("version 0", .unsupportedVersion, "version") { $0.version = 0 },
    Fault("version 4", .unsupportedVersion, "version") { $0.version = 4 },
    Fault("big-endian version 3", .unsupportedVersion, "version") { $0.version = UInt32(3).byteSwapped },
    Fault("more tensors than the limit", .limitExceeded, "tensor count") { $0.announcedTensors = 1 << 20 + 1 },
    Fault("tensor count beyond Int", .limitExceeded, "tensor count") { $0.announcedTensors = .max },
    Fault("more tensors than could fit", .truncated, "tensor count") { $0.announcedTensors = 1 << 20 },
    Fault("more keys than the limit", .limitExceeded, "metadata key count") { $0.announcedKeys = 65_537 },
    Fault("more keys than could fit", .truncated, "metadata key count") { $0.announcedKeys = 65_536 },
    Fault("an empty key", .invalidValue, "metadata key 17") { $0.add("", uint32: 1) },
    Fault("a key longer than the format allows", .limitExceeded, "length of metadata key 17") {
      $0.add(String(repeating: "k", count: 65_536), uint32: 1)
    },
    Fault("a key that is not UTF-8", .invalidText, "metadata key 17") {
      $0.entries.append(GGUFWriter.text([0xC3, 0x28]) + GGUFWriter.little(UInt32(0)) + [1])
    },
    Fault("a key twice", .duplicate, "u8") { $0.add("u8", uint32: 1) },
    Fault("an unknown value type", .invalidValue, "x") { $0.add("x", type: 13, [0]) },
    Fault("a boolean of 2", .invalidValue, "x") { $0.add("x", type: 7, [2]) },
    Fault("a string that is not UTF-8", .invalidText, "x") { $0.add("x", type: 8, GGUFWriter.text([0xED, 0xA0, 0x80])) },
    Fault("a string longer than the limit", .limitExceeded, "length of x") {
      $0.add("x", type: 8, GGUFWriter.little(UInt64(16 << 20 + 1)))
    },
    Fault("a string longer than the file", .truncated, "x") { $0.add("x", type: 8, GGUFWriter.little(UInt64(1 << 20))) },
    Fault("an array longer than the limit", .limitExceeded, "element count of x") {
      $0.add("x", type: 9, GGUFWriter.little(UInt32(0)) + GGUFWriter.little(UInt64(1 << 22 + 1)))
    },
    Fault("an array longer than the file", .truncated, "x") {
      $0.add("x", type: 9, GGUFWriter.little(UInt32(8)) + GGUFWriter.little(UInt64(1 << 22)))
    },
    Fault("arrays nested too deep", .limitExceeded, "x") { writer in
      let body = (0..<4).reduce(GGUFWriter.array(0, [])) { inner, _ in GGUFWriter.array(9, [inner]) }
      writer.add("x", type: 9, body)
    },
    Fault("an unknown element type", .invalidValue, "x") { $0.add("x", type: 9, GGUFWriter.array(99, [[0]])) },
    Fault("an alignment of 4", .invalidValue, "general.alignment") { $0.add("general.alignment", uint32: 4) },
    Fault("an alignment of 48", .invalidValue, "general.alignment") { $0.add("general.alignment", uint32: 48) },
    Fault("an alignment of 128 KiB", .invalidValue, "general.alignment") { $0.add("general.alignment", uint32: 131_072) },
    Fault("an alignment in words", .wrongType, "general.alignment") { $0.add("general.alignment", string: "32") },
    Fault("a tensor without a name", .invalidValue, "name of tensor 0") { $0.tensors[0].name = "" },
    Fault("a tensor name that is too long", .limitExceeded, "length of name of tensor 0") {
      $0.tensors[0].name = String(repeating: "n", count: 257)
    },
    Fault("a tensor twice", .duplicate, "a.weight") { $0.tensors[1].name = "a.weight" },
    Fault("no dimension", .invalidValue, "a.weight") { $0.tensors[0].dimensions = [] },
    Fault("five dimensions", .invalidValue, "a.weight") { $0.tensors[0].dimensions = [4, 2, 1, 1, 1] },
    Fault("a dimension of 0", .invalidValue, "a.weight") { $0.tensors[0].dimensions = [4, 0] },
    Fault("a dimension beyond Int", .limitExceeded, "dimensions of a.weight") { $0.tensors[0].dimensions = [4, 1 << 63] },
    Fault("a shape that overflows", .limitExceeded, "a.weight") { $0.tensors[0].dimensions = [1 << 40, 1 << 40] },
    Fault("a size that overflows", .limitExceeded, "a.weight") { $0.tensors[0].dimensions = [1 << 62] },
    Fault("an unknown tensor type", .unsupportedTensorType, "a.weight") { $0.tensors[0].type = 4 },
    Fault("a row of half a block", .invalidValue, "b.weight") { $0.tensors[1].dimensions = [48] },
    Fault("a misaligned offset", .misaligned, "b.weight") { $0.tensors[1].offset = 33 },
    Fault("overlapping tensors", .overlapping, "b.weight") { $0.tensors[0].dimensions = [4, 3] },
    Fault("data beyond the end", .truncated, "b.weight") { $0.data.removeLast() },
    Fault("an offset beyond Int", .truncated, "b.weight") { $0.tensors[1].offset = UInt64.max - 31 },
    Fault("an offset whose end overflows", .truncated, "b.weight") { $0.tensors[1].offset = UInt64(Int.max) - 31 },
  ]

  @Test("for one fault, by its code and field", arguments: Self.faults)
  func fault(fault: Fault) {
    var writer = GGUFWriter.sample()
    fault.change(&writer)
    let error = #expect(throws: ModelFileError.self) { try GGUFFile(bytes: writer.file(), name: "faulty") }
    #expect(error?.code == fault.code)
    #expect(error?.field == fault.field)
    #expect(error?.path == "faulty")
    #expect(error?.message.isEmpty == false)
  }

  @Test("in words that name place and remedy")
  func wording() {
    var writer = GGUFWriter.sample()
    writer.data.removeLast()
    let bytes = writer.file()
    let error = #expect(throws: ModelFileError.self) { try GGUFFile(bytes: bytes, name: "model.gguf") }
    #expect(
      error?.description
        == "model.gguf: b.weight (byte \(error?.offset ?? -1)): The file of \(bytes.count) bytes ends before the tensor's data "
        + "does; copy or download it again.")
  }

  @Test("big-endian files are named as such")
  func bigEndian() {
    var writer = GGUFWriter.sample()
    writer.version = UInt32(3).byteSwapped
    let error = #expect(throws: ModelFileError.self) { try GGUFFile(bytes: writer.file(), name: "be") }
    #expect(error?.message == "The file is big-endian (version 3); convert the model for a little-endian machine.")
  }
}
