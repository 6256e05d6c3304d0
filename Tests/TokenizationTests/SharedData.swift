internal import Glibc
import ModelFiles

/// Test data that is too large for the repository: `$WEIGHBRIDGE_SHARED`, or the folder `shared` beside the repository.
enum SharedData {
  static let root: String = {
    if let folder = getenv("WEIGHBRIDGE_SHARED") { return String(cString: folder) }
    let repository = "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return repository.dropLast().joined(separator: "/") + "/shared"
  }()

  static func path(_ name: String) -> String { self.root + "/data/" + name }

  static let available = access(SharedData.path("tokenizer"), R_OK) == 0
  static let absence = "The shared test data is absent: set WEIGHBRIDGE_SHARED to its folder."
}

extension SharedData {
  static func text(_ name: String) throws -> String {
    let file = try MappedFile(path: SharedData.path(name))
    return String(decoding: file.bytes, as: UTF8.self)
  }
}

extension String {
  /// The parts between separators, compared byte by byte.
  func components(separatedBy separator: String) -> [String] {
    var parts: [String] = []
    var part: [UInt8] = []
    let mark = Array(separator.utf8)
    for byte in self.utf8 {
      part.append(byte)
      if part.suffix(mark.count).elementsEqual(mark) {
        parts.append(String(decoding: part.dropLast(mark.count), as: UTF8.self))
        part = []
      }
    }
    return parts + [String(decoding: part, as: UTF8.self)]
  }
}
