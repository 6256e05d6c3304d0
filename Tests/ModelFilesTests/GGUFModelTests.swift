import Foundation
import ModelFiles
import Testing

/// Version 1, files in parts, and files that this program writes.
struct GGUFModelTests {
  @Test("version 1 has 32-bit counts and lengths")
  func firstVersion() throws {
    let little = { (value: UInt32) in GGUFWriter.little(value) }
    let text = { (text: String) in little(UInt32(text.utf8.count)) + text.utf8 }
    var bytes = Array("GGUF".utf8) + little(1) + little(1) + little(2)
    bytes += text("general.architecture") + little(8) + text("llama")
    bytes += text("list") + little(9) + little(5) + little(2) + little(7) + little(8)
    bytes += text("a.weight") + little(2) + little(4) + little(2) + little(0) + GGUFWriter.little(UInt64(0))
    while bytes.count % 32 != 0 { bytes.append(0) }
    let file = try GGUFFile(bytes: bytes + (0..<32).map { UInt8($0) }, name: "one")
    #expect(file.version == 1 && file.metadata.string("general.architecture") == "llama")
    #expect(file.metadata.intArray("list") == [7, 8])
    #expect(file.tensor(named: "a.weight")?.dimensions == [4, 2])
    for length in 1..<bytes.count {
      #expect(throws: ModelFileError.self) { try GGUFFile(bytes: Array(bytes[..<length]), name: "short") }
    }
  }

  /// Writes parts of a model, each with one tensor; `change` may spoil a part.
  static func write(
    parts: Int, _ change: (Int, inout [(key: String, value: GGUFValue)], inout String) -> Void = { _, _, _ in }
  )
    throws -> String
  {
    let folder = FileManager.default.temporaryDirectory.appending(path: "parts-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for part in 0..<parts {
      var entries: [(key: String, value: GGUFValue)] = [
        ("split.no", .uint16(UInt16(part))), ("split.count", .uint16(UInt16(parts))),
        ("split.tensors.count", .int32(Int32(parts))),
      ]
      if part == 0 { entries.append(("general.architecture", .string("llama"))) }
      var tensor = "t\(part)"
      change(part, &entries, &tensor)
      let header = GGUFEncoding.header(
        metadata: GGUFMetadata(path: "", entries: entries),
        tensors: [GGUFEncoding.Tensor(name: tensor, type: .f32, dimensions: [8])])
      let name = String(format: "m-%05d-of-%05d.gguf", part + 1, parts)
      try Data(header + [UInt8](repeating: UInt8(part), count: 32)).write(to: folder.appending(path: name))
    }
    return folder.path
  }

  static func refusal(_ path: String) -> ModelFileError? {
    do throws(ModelFileError) {
      _ = try GGUFModel(path: path)
      return nil
    } catch {
      return error
    }
  }

  @Test("parts are one model, named by the first")
  func split() throws {
    let folder = try Self.write(parts: 3)
    let model = try GGUFModel(path: folder + "/m-00001-of-00003.gguf")
    #expect(model.files.count == 3 && model.tensors.map(\.name) == ["t0", "t1", "t2"])
    #expect(model.tensors.map { $0.pieces[0].bytes[0] } == [0, 1, 2])
    #expect(Self.refusal(folder + "/m-00002-of-00003.gguf")?.field == "split.no")
    try FileManager.default.removeItem(atPath: folder + "/m-00003-of-00003.gguf")
    #expect(Self.refusal(folder + "/m-00001-of-00003.gguf")?.code == .cannotOpen)
  }

  @Test("parts that do not belong together")
  func mixed() throws {
    let first = "/m-00001-of-00002.gguf"
    #expect(
      Self.refusal(try Self.write(parts: 2) { part, entries, _ in entries[0].value = .uint16(0) } + first)?.field == "split.no")
    let other = try Self.write(parts: 2) { part, entries, _ in if part == 1 { entries[1].value = .uint16(9) } }
    #expect(Self.refusal(other + first)?.field == "split.no")
    #expect(Self.refusal(try Self.write(parts: 2) { _, _, tensor in tensor = "same" } + first)?.code == .duplicate)
    let fewer = try Self.write(parts: 2) { _, entries, _ in entries[2].value = .int32(5) }
    #expect(Self.refusal(fewer + first)?.field == "split.tensors.count")
    let many = try Self.write(parts: 2) { _, entries, _ in entries[1].value = .uint32(.max) }
    #expect(Self.refusal(many + first)?.field == "split.count")
  }

  @Test("every type of value is written as it was read")
  func written() throws {
    let read = try GGUFFile(bytes: GGUFWriter.sample().file(), name: "sample").metadata
    let again = try GGUFFile(bytes: GGUFEncoding.header(metadata: read, tensors: []), name: "again").metadata
    #expect(again.keys == read.keys)
    for key in read.keys { #expect(again[key] == read[key]) }
  }

  @Test("a file appears whole under its name, or not at all")
  func output() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "out-\(UUID().uuidString)").path
    do {
      let dropped = try OutputFile(path: path)
      try dropped.write([1, 2, 3])
    }
    #expect(!FileManager.default.fileExists(atPath: path))
    let file = try OutputFile(path: path)
    try file.write([1, 2])
    try file.write([3])
    try file.finish()
    #expect(try [UInt8](Data(contentsOf: URL(filePath: path))) == [1, 2, 3])
    #expect(throws: ModelFileError.self) { _ = try OutputFile(path: path) }
    #expect(throws: ModelFileError.self) { _ = try OutputFile(path: "/nonexistent/x") }
  }
}
