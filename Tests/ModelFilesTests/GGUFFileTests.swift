import ModelFiles
import Testing

@Suite("A valid GGUF file")
struct GGUFFileTests {
  @Test("versions 2 and 3 give the same contents", arguments: [UInt32(2), 3])
  func versions(version: UInt32) throws {
    let file = try GGUFFile(bytes: GGUFWriter.sample(version: version).file(), name: "sample")
    #expect(file.version == version)
    #expect(file.metadata.keys.count == 17)
    #expect(file.metadata.keys.first == "general.architecture")
    #expect(file.metadata.keys.last == "nested")
    #expect(file.tensors.map(\.name) == ["a.weight", "b.weight"])
  }

  @Test("every value type is read as stored")
  func values() throws {
    let metadata = try GGUFFile(bytes: GGUFWriter.sample().file(), name: "sample").metadata
    #expect(metadata["general.architecture"] == .string("llama"))
    #expect(metadata["u8"] == .uint8(200))
    #expect(metadata["i8"] == .int8(-100))
    #expect(metadata["u16"] == .uint16(60_000))
    #expect(metadata["i16"] == .int16(-30_000))
    #expect(metadata["u32"] == .uint32(4_000_000_000))
    #expect(metadata["i32"] == .int32(7))
    #expect(metadata["f32"] == .float32(0.5))
    #expect(metadata["bool"] == .bool(true))
    #expect(metadata["u64"] == .uint64(.max))
    #expect(metadata["i64"] == .int64(-5))
    #expect(metadata["f64"] == .float64(0.1))
    #expect(metadata["strings"] == .array(.string(["a", "▁the", ""])))
    #expect(metadata["nested"] == .array(.array([.bool([true, false]), .uint8([])])))
    #expect(metadata["absent"] == nil)
  }

  @Test("getters convert only where nothing is lost")
  func getters() throws {
    let metadata = try GGUFFile(bytes: GGUFWriter.sample().file(), name: "sample").metadata
    #expect(metadata.string("general.architecture") == "llama")
    #expect(metadata.unsigned("u8") == 200)
    #expect(metadata.unsigned("i32") == 7)
    #expect(metadata.unsigned("u64") == .max)
    #expect(metadata.unsigned("i64") == nil)
    #expect(metadata.unsigned("f32") == nil)
    #expect(metadata.float("f32") == 0.5)
    #expect(metadata.float("f64") == 0.1)
    #expect(metadata.float("u8") == nil)
    #expect(metadata.bool("bool") == true)
    #expect(metadata.bool("u8") == nil)
    #expect(metadata.stringArray("strings") == ["a", "▁the", ""])
    #expect(metadata.floatArray("floats") == [1, -2])
    #expect(metadata.intArray("ints") == [1, -1])
    #expect(metadata.intArray("wide") == nil)
    #expect(metadata.intArray("floats") == nil)
  }

  @Test("tensors have their shape, place and bytes")
  func tensors() throws {
    let writer = GGUFWriter.sample()
    let file = try GGUFFile(bytes: writer.file(), name: "sample")
    let dataStart = file.file.byteCount - writer.data.count
    let a = try #require(file.tensor(named: "a.weight"))
    #expect(a.type == .f32)
    #expect(a.dimensions == [4, 2])
    #expect((a.columns, a.rows) == (4, 2))
    #expect((a.byteOffset, a.byteCount) == (dataStart, 32))
    #expect(Array(file.bytes(of: a)) == (0..<32).map { UInt8($0) })
    let b = try #require(file.tensor(named: "b.weight"))
    #expect((b.type, b.columns, b.rows) == (.q8_0, 64, 1))
    #expect(Array(file.bytes(of: b)) == (32..<100).map { UInt8($0) })
    #expect(file.tensor(named: "c.weight") == nil)
  }

  @Test("a vocabulary-only file may end with its header")
  func noTensors() throws {
    var writer = GGUFWriter()
    writer.add("general.architecture", string: "llama")
    let file = try GGUFFile(bytes: writer.header(), name: "vocabulary")
    #expect(file.tensors.isEmpty)
  }

  @Test("the alignment key moves the data", arguments: [8, 64, 65_536])
  func alignment(alignment: Int) throws {
    var writer = GGUFWriter()
    writer.alignment = alignment
    writer.add("general.alignment", uint32: UInt32(alignment))
    writer.tensors = [.init(name: "t", dimensions: [1], type: 0, offset: 0)]
    writer.data = [1, 2, 3, 4]
    let file = try GGUFFile(bytes: writer.file(), name: "aligned")
    #expect(Array(file.bytes(of: file.tensors[0])) == [1, 2, 3, 4])
    #expect(file.tensors[0].byteOffset.isMultiple(of: alignment))
  }

  @Test("a tensor may follow another in the file but precede it in the list")
  func anyOrder() throws {
    var writer = GGUFWriter()
    writer.tensors = [
      .init(name: "later", dimensions: [1], type: 0, offset: 32),
      .init(name: "earlier", dimensions: [8], type: 0, offset: 0),
    ]
    writer.data = [UInt8](repeating: 0, count: 36)
    #expect(throws: Never.self) { try GGUFFile(bytes: writer.file(), name: "order") }
  }
}

@Suite("Required metadata")
struct GGUFMetadataTests {
  let metadata: GGUFMetadata

  init() throws {
    self.metadata = try GGUFFile(bytes: GGUFWriter.sample().file(), name: "sample").metadata
  }

  @Test("a present key of the right type is given, whatever stands for absence")
  func present() throws {
    #expect(try self.metadata.requireString("general.architecture", ifAbsent: "x") == "llama")
    #expect(try self.metadata.requireUnsigned("u16") == 60_000)
    #expect(try self.metadata.requireFloat("f32") == 0.5)
    #expect(try self.metadata.requireBool("bool", ifAbsent: false))
    #expect(try self.metadata.requireStringArray("strings").count == 3)
    #expect(try self.metadata.requireFloatArray("floats") == [1, -2])
    #expect(try self.metadata.requireIntArray("ints") == [1, -1])
  }

  @Test("an absent key gives the value for absence, or an error that names it")
  func absent() throws {
    #expect(try self.metadata.requireUnsigned("no", ifAbsent: 4) == 4)
    let error = #expect(throws: ModelFileError.self) { try self.metadata.requireUnsigned("no") }
    #expect(error?.code == .missingKey)
    #expect(error?.field == "no")
    #expect(
      error?.description
        == "sample: no: The metadata key is missing, a non-negative integer is required; "
        + "convert the model again with a current converter.")
  }

  @Test("a wrong type is never taken for absence")
  func wrongType() {
    let attempts: [(() throws -> Void, String)] = [
      ({ _ = try self.metadata.requireString("u8", ifAbsent: "x") }, "holds uint8 where a string"),
      ({ _ = try self.metadata.requireUnsigned("i8", ifAbsent: 1) }, "holds int8 where a non-negative integer"),
      ({ _ = try self.metadata.requireFloat("bool", ifAbsent: 1) }, "holds bool where a floating-point number"),
      ({ _ = try self.metadata.requireBool("u8", ifAbsent: true) }, "holds uint8 where a boolean"),
      ({ _ = try self.metadata.requireStringArray("ints") }, "holds array of int32 where an array of strings"),
      ({ _ = try self.metadata.requireFloatArray("f32") }, "holds float32 where an array of float32"),
      ({ _ = try self.metadata.requireIntArray("wide") }, "holds array of int64 where an array of integers"),
    ]
    for (attempt, words) in attempts {
      let error = #expect(throws: ModelFileError.self) { try attempt() }
      #expect(error?.code == .wrongType)
      #expect(error?.message.contains(words) == true)
    }
  }
}
