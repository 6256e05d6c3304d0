/// Something that a check found, with the place where it stands.
struct Finding: Hashable, Sendable, CustomStringConvertible {
  let path: String
  /// Counted from 1; 0 where the whole file or row is meant.
  let line: Int
  let message: String

  init(_ path: String, _ line: Int, _ message: String) {
    self.path = path
    self.line = line
    self.message = message
  }

  var description: String { self.line > 0 ? "\(self.path):\(self.line): \(self.message)" : "\(self.path): \(self.message)" }
}

extension Sequence<Finding> {
  /// The findings as a test prints them; empty where there are none.
  var report: String { self.map(\.description).sorted().joined(separator: "\n") }
}
