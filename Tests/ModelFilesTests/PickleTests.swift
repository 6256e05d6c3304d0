import FuzzHarnesses
import ModelFiles
import Testing

/// A pickle can make tensors and nothing else.
struct PickleTests {
  static func refusal(_ pickle: [UInt8]) -> ModelFileError? {
    let zip = StoredZip.bytes([("m/data.pkl", pickle), ("m/data/0", [UInt8](repeating: 0, count: 64))])
    do throws(ModelFileError) {
      _ = try TorchCheckpoint(file: MappedFile(bytes: zip, name: "zip"))
      return nil
    } catch {
      return error
    }
  }

  static func text(_ text: String) -> [UInt8] { [0x8C, UInt8(text.utf8.count)] + text.utf8 }
  static func name(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }

  /// {"w": tensor} with a storage of `count` halves, and these offset, shape and strides.
  static func tensor(
    storage: String = "HalfStorage", count: UInt8 = 32, offset: UInt8 = 0, shape: [UInt8] = [4, 8], strides: [UInt8] = [8, 1]
  ) -> [UInt8] {
    let tuple = { (values: [UInt8]) in [UInt8(ascii: "(")] + values.flatMap { [UInt8(ascii: "K"), $0] } + [UInt8(ascii: "t")] }
    let id = [UInt8(ascii: "(")] + self.text("storage") + self.name("torch", storage) + self.text("0") + self.text("cpu")
    let persistent = id + [UInt8(ascii: "K"), count] + Array("tQ".utf8)
    let arguments = persistent + [UInt8(ascii: "K"), offset] + tuple(shape) + tuple(strides) + [0x89]
    let hooks = self.name("collections", "OrderedDict") + Array(")R".utf8)
    let made = self.name("torch._utils", "_rebuild_tensor_v2") + Array("(".utf8) + arguments + hooks + Array("tR".utf8)
    return [0x80, 2] + Array("}(".utf8) + self.text("w") + made + Array("u.".utf8)
  }

  @Test("a tensor is made")
  func sound() throws {
    let zip = StoredZip.bytes([("m/data.pkl", Self.tensor(offset: 0)), ("m/data/0", (0..<64).map { UInt8($0) })])
    let checkpoint = try TorchCheckpoint(file: MappedFile(bytes: zip, name: "zip"))
    let tensor = try #require(checkpoint.tensors.first)
    #expect(tensor.name == "w" && tensor.dimensions == [8, 4] && tensor.type == .f16 && tensor.byteCount == 64)
    #expect(checkpoint.file.bytes[tensor.byteOffset + 5] == 5)
  }

  @Test(
    "names that are no part of a checkpoint are never looked up",
    arguments: [
      ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("subprocess", "Popen"), ("torch", "load"),
      ("torch._utils", "_rebuild_tensor_v2.__globals__"), ("torch", "LongStorage"), ("", ""),
    ])
  func names(module: String, name: String) {
    let pickle = [0x80, 2] + Self.name(module, name) + Array("(".utf8) + Self.text("true") + Array("tR.".utf8)
    let error = Self.refusal(pickle)
    #expect(error?.code == .invalidValue && error?.message.contains("'\(module).\(name)'") == true)
    let stacked = [0x80, 4] + Self.text(module) + Self.text(name) + [0x93] + Array("(".utf8) + Array("tR.".utf8)
    #expect(Self.refusal(stacked)?.code == .invalidValue)
  }

  @Test("instructions that could do more are not carried out", arguments: Array("iIoPSVFLldD2".utf8) + [0x81, 0x82, 0x92, 0x96])
  func instructions(code: UInt8) {
    let error = Self.refusal([0x80, 2, UInt8(ascii: "N"), UInt8(ascii: "N"), code, 0x0A, 0x0A, UInt8(ascii: ".")])
    #expect(error?.code == .invalidValue && error?.field == "data.pkl")
  }

  @Test("tensors that lie about themselves")
  func tensors() {
    let wrong: [[UInt8]] = [
      Self.tensor(count: 33), Self.tensor(count: 31), Self.tensor(offset: 1), Self.tensor(shape: [4, 9]),
      Self.tensor(strides: [1, 4]), Self.tensor(strides: [8]), Self.tensor(shape: [0, 8]), Self.tensor(shape: [], strides: []),
      Self.tensor(storage: "FloatStorage"), Self.tensor(shape: [2, 2, 2, 2, 2], strides: [16, 8, 4, 2, 1]),
    ]
    for pickle in wrong { #expect(Self.refusal(pickle) != nil) }
    #expect(Self.refusal(Self.tensor()) == nil)
  }

  @Test("depth, height and texts are bounded")
  func bounds() {
    #expect(Self.refusal([0x80, 2, UInt8(ascii: "N")] + [UInt8](repeating: 0x85, count: 1_000) + [0x2E])?.code == .limitExceeded)
    #expect(Self.refusal([0x80, 2] + [UInt8](repeating: UInt8(ascii: "N"), count: 70_000))?.code == .limitExceeded)
    #expect(Self.refusal([0x80, 2] + [UInt8](repeating: UInt8(ascii: "("), count: 2_000_000))?.code == .limitExceeded)
    #expect(Self.refusal([0x80, 2] + Array("c".utf8) + [UInt8](repeating: 65, count: 9_000))?.code == .limitExceeded)
    for pickle in ["", "t.", "R.", "b.", "s.", "u.", "h\u{1}.", "a.", "q\u{1}.", "."] {
      #expect(Self.refusal([0x80, 2] + Array(pickle.utf8)) != nil)
    }
  }

  @Test("archives that lie about themselves are refused")
  func archives() throws {
    let whole = StoredZip.bytes([("m/data.pkl", Self.tensor()), ("m/data/0", [UInt8](repeating: 0, count: 64))])
    #expect(fuzzCheckpoint(whole))
    for length in 1..<whole.count { #expect(!fuzzCheckpoint(Array(whole[..<length]))) }
    for position in whole.indices {
      for value in [0x00, 0x7F, 0xFF, whole[position] ^ 1] as [UInt8] {
        var bytes = whole
        bytes[position] = value
        fuzzCheckpoint(bytes)
      }
    }
    var compressed = whole
    let directory = try #require(whole.indices.last { whole[$0...].starts(with: [0x50, 0x4B, 1, 2]) })
    compressed[directory + 10] = 8
    #expect(!fuzzCheckpoint(compressed))
  }
}
