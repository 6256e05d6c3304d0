public import Foundation

/// The files that `make fixtures` made with PyTorch, transformers and the gguf package.
public enum EngineFiles {
  public struct Case: Decodable, Sendable {
    public let prompt: [Int32]
    public let greedy: [Int32]
  }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/Engine")

  /// Folders of models; the reference of `llama-2-meta` is that of `llama-2`.
  public static let models = ["llama-2", "llama-2-meta", "llama-guard", "llama-3.1", "mistral", "qwen2", "qwen2-window"]

  public static func path(_ name: String) -> String { self.folder.appending(path: name).path }

  /// Two cases; the logits are those of the first, in every position.
  public static func reference(_ model: String) throws -> (cases: [Case], logits: [[Float]]) {
    let name = model == "llama-2-meta" ? "llama-2" : model
    let cases = try JSONDecoder().decode(
      [Case].self, from: Data(contentsOf: self.folder.appending(path: name + "/reference.json")))
    return (cases, try NumPyFile.matrix(path: self.path(name + "/logits.npy")))
  }

  /// A copy of a fixture in a folder of its own, to be damaged.
  public static func copy(_ model: String) throws -> URL {
    let target = FileManager.default.temporaryDirectory.appending(path: "engine-files-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: self.folder.appending(path: model), to: target)
    return target
  }
}

/// Stored blocks of every type with the values that the gguf package reads from them, and blocks that it wrote.
public struct StoredBlocks: Decodable, Sendable {
  public struct Entry: Decodable, Sendable {
    let bytes: String
    let values: String
  }

  let stored: [String: Entry]
  let plain: String
  let packed: [String: String]

  public static func load() throws -> StoredBlocks {
    try JSONDecoder().decode(StoredBlocks.self, from: Data(contentsOf: EngineFiles.folder.appending(path: "blocks.json")))
  }

  public var names: [String] { self.stored.keys.sorted() }

  public func bytes(_ name: String) -> [UInt8] { Self.decode(self.stored[name]?.bytes ?? "") }
  public func values(_ name: String) -> [Float] { Self.floats(self.stored[name]?.values ?? "") }
  /// 256 numbers, and their stored form where the gguf package can write it.
  public var plainValues: [Float] { Self.floats(self.plain) }
  public func packedBytes(_ name: String) -> [UInt8] { Self.decode(self.packed[name] ?? "") }

  private static func decode(_ text: String) -> [UInt8] {
    let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue ?? 0 }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(16 * digits[$0] + digits[$0 + 1]) }
  }

  private static func floats(_ text: String) -> [Float] {
    self.decode(text).withUnsafeBytes { raw in
      (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }
}
