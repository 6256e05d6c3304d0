internal import Foundation

/// Where the executable under test and the files that come with it lie.
///
/// The executable is the one that `WEIGHBRIDGE_BINARY` names, else the one that was built beside these tests, else what lies in the
/// repository's `.build`. Term files and the demonstration model are those of the folder that `WEIGHBRIDGE_SHARE` names, else of the repository.
enum Installation {
  static let environment = ProcessInfo.processInfo.environment

  /// The root of the repository that this file lies in.
  private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  static let root = Self.named("WEIGHBRIDGE_SHARE") ?? Self.repository

  /// The folder of the test bundle; the executables of the same build lie there.
  private static let products = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path

  static let binary: String? = [
    Self.named("WEIGHBRIDGE_BINARY"), Self.products + "/weighbridge", Self.repository + "/.build/debug/weighbridge",
    Self.repository + "/.build/release/weighbridge",
  ].compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }

  static let model: String? = [Self.named("WEIGHBRIDGE_DEMO_MODEL"), Self.root + "/Models/demo/demo.gguf"].compactMap { $0 }
    .first { FileManager.default.fileExists(atPath: $0) }

  static var isAvailable: Bool { self.binary != nil && self.model != nil }

  /// The environment of a child: ours without the variables that would configure it.
  static func environment(adding more: [String: String] = [:]) -> [String: String] {
    let kept = self.environment.filter { !$0.key.hasPrefix("WEIGHBRIDGE_") || $0.key == "WEIGHBRIDGE_SHARE" }
    return kept.merging(more) { $1 }
  }

  private static func named(_ variable: String) -> String? { self.environment[variable].flatMap { $0.isEmpty ? nil : $0 } }
}

/// What did not come to pass, in a sentence.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A directory of its own for one test, removed at the end.
struct Workplace: Sendable {
  let path: String

  init() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weighbridge-e2e-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    self.path = folder.path
  }

  func file(_ name: String) -> String { self.path + "/" + name }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String { try self.write(Array(text.utf8), to: name) }

  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: self.file(name)))
    return self.file(name)
  }

  func remove() throws { try FileManager.default.removeItem(atPath: self.path) }

  /// Gives `body` a directory that is gone afterwards, however it ends.
  static func within<Value>(_ body: (Workplace) async throws -> Value) async throws -> Value {
    let workplace = try Workplace()
    do {
      let value = try await body(workplace)
      try workplace.remove()
      return value
    } catch {
      try workplace.remove()
      throw error
    }
  }
}

func readBytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

func readText(_ path: String) throws -> String { String(decoding: try readBytes(path), as: UTF8.self) }
