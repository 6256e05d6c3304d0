internal import Glibc

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
