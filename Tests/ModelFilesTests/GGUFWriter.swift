/// Writes GGUF files field by field, right or wrong as a test needs.
struct GGUFWriter {
  struct Tensor {
    var name: String
    var dimensions: [UInt64]
    var type: UInt32
    var offset: UInt64
  }

  var magic = Array("GGUF".utf8)
  var version: UInt32 = 3
  /// Written instead of the true counts where set.
  var announcedTensors: UInt64?
  var announcedKeys: UInt64?
  /// Whole entries: key, type and value.
  var entries: [[UInt8]] = []
  var tensors: [Tensor] = []
  var alignment = 32
  var data: [UInt8] = []

  static func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  static func text(_ text: String) -> [UInt8] { self.text(Array(text.utf8)) }
  static func text(_ bytes: [UInt8]) -> [UInt8] { self.little(UInt64(bytes.count)) + bytes }

  /// The body of an array value.
  static func array(_ elementType: UInt32, _ elements: [[UInt8]]) -> [UInt8] {
    self.little(elementType) + self.little(UInt64(elements.count)) + elements.flatMap { $0 }
  }

  mutating func add(_ key: String, type: UInt32, _ body: [UInt8]) {
    self.entries.append(GGUFWriter.text(key) + GGUFWriter.little(type) + body)
  }

  mutating func add(_ key: String, string: String) { self.add(key, type: 8, GGUFWriter.text(string)) }
  mutating func add(_ key: String, uint32: UInt32) { self.add(key, type: 4, GGUFWriter.little(uint32)) }

  /// The file up to the tensor data, without padding.
  func header() -> [UInt8] {
    var bytes = self.magic + GGUFWriter.little(self.version)
    bytes += GGUFWriter.little(self.announcedTensors ?? UInt64(self.tensors.count))
    bytes += GGUFWriter.little(self.announcedKeys ?? UInt64(self.entries.count))
    for entry in self.entries { bytes += entry }
    for tensor in self.tensors {
      bytes += GGUFWriter.text(tensor.name) + GGUFWriter.little(UInt32(tensor.dimensions.count))
      bytes += tensor.dimensions.flatMap { GGUFWriter.little($0) }
      bytes += GGUFWriter.little(tensor.type) + GGUFWriter.little(tensor.offset)
    }
    return bytes
  }

  func file() -> [UInt8] {
    var bytes = self.header()
    while bytes.count % self.alignment != 0 { bytes.append(0) }
    return bytes + self.data
  }

  /// A small file with one value of every type and two tensors: F32 of 4 × 2 at 0 and Q8_0 of 64 × 1 at 32.
  static func sample(version: UInt32 = 3) -> GGUFWriter {
    var writer = GGUFWriter()
    writer.version = version
    writer.add("general.architecture", string: "llama")
    writer.add("u8", type: 0, self.little(UInt8(200)))
    writer.add("i8", type: 1, self.little(Int8(-100)))
    writer.add("u16", type: 2, self.little(UInt16(60_000)))
    writer.add("i16", type: 3, self.little(Int16(-30_000)))
    writer.add("u32", uint32: 4_000_000_000)
    writer.add("i32", type: 5, self.little(Int32(7)))
    writer.add("f32", type: 6, self.little(Float(0.5).bitPattern))
    writer.add("bool", type: 7, [1])
    writer.add("u64", type: 10, self.little(UInt64.max))
    writer.add("i64", type: 11, self.little(Int64(-5)))
    writer.add("f64", type: 12, self.little(Double(0.1).bitPattern))
    writer.add("strings", type: 9, self.array(8, [self.text("a"), self.text("▁the"), self.text("")]))
    writer.add("floats", type: 9, self.array(6, [self.little(Float(1).bitPattern), self.little(Float(-2).bitPattern)]))
    writer.add("ints", type: 9, self.array(5, [self.little(Int32(1)), self.little(Int32(-1))]))
    writer.add("wide", type: 9, self.array(11, [self.little(Int64(3)), self.little(Int64(Int32.max) + 1)]))
    writer.add("nested", type: 9, self.array(9, [self.array(7, [[1], [0]]), self.array(0, [])]))
    writer.tensors = [
      Tensor(name: "a.weight", dimensions: [4, 2], type: 0, offset: 0),
      Tensor(name: "b.weight", dimensions: [64], type: 8, offset: 32),
    ]
    writer.data = (0..<100).map { UInt8($0) }
    return writer
  }
}
