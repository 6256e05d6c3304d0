internal import Documents
internal import Foundation

/// Standard output and standard error.
enum Terminal {
  static func say(_ text: String) { self.write(text + "\n", to: .standardOutput) }
  static func write(_ text: String) { self.write(text, to: .standardOutput) }
  static func complain(_ text: String) { self.write(text + "\n", to: .standardError) }

  /// Whether a person is likely to look at standard error.
  static var isInteractive: Bool { isatty(2) == 1 }

  /// A bar on standard error that is drawn over itself; a share of 1 ends it.
  static func progress(_ share: Double, _ label: String) {
    let width = 40
    let done = Int(share * Double(width))
    let bar = String(repeating: "#", count: done) + String(repeating: ".", count: width - done)
    self.write("\r[\(bar)] \(Int(share * 100)) % \(label)\u{1B}[K" + (share >= 1 ? "\n" : ""), to: .standardError)
  }

  private static func write(_ text: String, to handle: FileHandle) { handle.write(Data(text.utf8)) }

  /// Lines of `name  value`, the names padded to one width.
  static func table(_ rows: [(String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { $0.0.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.1 }.joined(separator: "\n")
  }

  /// A list of objects as columns with a heading.
  static func columns(_ names: [String], _ objects: [JSON]) -> String {
    let rows = [names.map { $0.uppercased() }] + objects.map { object in names.map { Self.cell(object[$0]) } }
    let widths = names.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  /// A value as people read it.
  static func cell(_ value: JSON?) -> String {
    switch value {
    case nil, .null: ""
    case .string(let text): text
    case .integer(let number): String(number)
    case .number(let digits): digits
    case .bool(let flag): flag ? "yes" : "no"
    case .array(let elements): elements.map { Self.cell($0) }.joined(separator: ",")
    case .object: "…"
    }
  }
}
