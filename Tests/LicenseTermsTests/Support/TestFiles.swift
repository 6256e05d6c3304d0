import Documents
import Glibc
import GovernanceTypes
import LicenseTerms
import YAMLDocuments

/// Files beside the tests' sources.
enum TestFiles {
  /// The repository root: three folders above this file.
  static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(separator: "/")

  struct Unreadable: Error {
    let path: String
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    let full = path.hasPrefix("/") ? path : "\(self.root)/\(path)"
    guard let file = fopen(full, "rb") else { throw Unreadable(path: full) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
    }
  }

  static func termFile(_ path: String) throws -> TermFile {
    let bytes = try self.bytes(path)
    return try TermFile(Document.parseYAML(bytes), digest: sha256(bytes), sha256: sha256)
  }

  static func termFile(text: String) throws -> TermFile {
    try TermFile(Document.parseYAML(text), digest: sha256(Array(text.utf8)), sha256: sha256)
  }

  static let terms = "Licenses/llama-2/terms.yaml"
  static let cases = "Licenses/llama-2/cases.yaml"
}
