import Foundation

/// The repository that this test was compiled in.
enum Repository {
  /// The directory with Package.swift, upwards from this file.
  static let root: URL = {
    var directory = URL(filePath: #filePath).deletingLastPathComponent()
    while !FileManager.default.fileExists(atPath: directory.appending(path: "Package.swift").path),
      directory.pathComponents.count > 1
    {
      directory.deleteLastPathComponent()
    }
    return directory
  }()

  /// All files of code under `Sources`, in order of their paths.
  static func sources() throws -> [SourceFile] {
    try self.files(under: "Sources").compactMap { path in
      guard let language = SourceFile.Language(path: path) else { return nil }
      return SourceFile(path: path, text: try self.text(path), language: language)
    }
  }

  /// The Swift files of tests.
  static func tests() throws -> [SourceFile] {
    try self.files(under: "Tests").filter { $0.hasSuffix(".swift") }.map {
      SourceFile(path: $0, text: try self.text($0), language: .swift)
    }
  }

  /// The names of the directories in `Sources`.
  static func targetDirectories() throws -> [String] {
    Set(try self.files(under: "Sources").compactMap { $0.split(separator: "/").dropFirst().first.map(String.init) }).sorted()
  }

  static func text(_ path: String) throws -> String {
    try String(contentsOf: self.root.appending(path: path), encoding: .utf8)
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: self.root.appending(path: path).path) }

  /// Relative paths of the regular files under a directory; hidden ones and compiled ones left out. Empty where it is missing.
  static func files(under directory: String) throws -> [String] {
    guard self.exists(directory) else { return [] }
    let base = self.root.appending(path: directory)
    let paths = try FileManager.default.subpathsOfDirectory(atPath: base.path)
    return paths.sorted().filter { path in
      let parts = path.split(separator: "/")
      var isDirectory: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: base.appending(path: path).path, isDirectory: &isDirectory)
      return exists && !isDirectory.boolValue && !parts.contains { $0.hasPrefix(".") || $0 == "__pycache__" }
    }.map { "\(directory)/\($0)" }
  }
}
