/// A file of code: its text, and the same with comments and strings blanked out.
struct SourceFile: Sendable {
  enum Language { case swift, c, other }

  /// Relative to the root of the repository.
  let path: String
  let language: Language
  let lines: [String]
  /// Line for line the code alone: comments and the contents of strings are spaces.
  let code: [String]
  /// The directory below `Sources` or `Tests`.
  let target: String

  init(path: String, text: String, language: Language = .swift) {
    self.path = path
    self.language = language
    self.lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    self.code =
      language == .other
      ? self.lines : CodeScanner.code(of: text).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let parts = path.split(separator: "/")
    self.target = parts.count > 2 ? String(parts[1]) : ""
  }

  /// Lines, not counting the empty one after the last newline.
  var lineCount: Int { self.lines.last == "" ? self.lines.count - 1 : self.lines.count }

  /// Modules imported, with the line. `import struct A.B` and `import A.B` import `A`.
  var imports: [(line: Int, module: String)] {
    guard self.language == .swift else { return [] }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor", "macro"]
    return self.code.enumerated().compactMap { index, line in
      var words = line.split { $0 == " " || $0 == ";" || $0 == "\t" }
      while let first = words.first,
        first.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(first)
      {
        words.removeFirst()
      }
      guard words.first == "import", words.count > 1 else { return nil }
      let named = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
      return named.split(separator: ".").first.map { (index + 1, String($0)) }
    }
  }
}

extension SourceFile.Language {
  /// Nil for files that hold no code of ours.
  init?(path: String) {
    switch path.split(separator: ".").last {
    case "swift": self = .swift
    case "c", "h": self = .c
    case "py", "modulemap", "sql", "yaml", "json", "js", "css", "html": self = .other
    default: return nil
    }
  }
}

/// Blanks comments and strings, so that what is left can be searched as code. Understands nested comments, raw and multi-line
/// strings and interpolations of Swift; C has a subset of these.
struct CodeScanner {
  private let input: [UInt8]
  private var output: [UInt8] = []
  private var index = 0

  static func code(of text: String) -> String {
    var scanner = CodeScanner(input: Array(text.utf8))
    scanner.scan(until: nil)
    return String(decoding: scanner.output, as: UTF8.self)
  }

  private init(input: [UInt8]) { self.input = input }

  private func has(_ text: String, at index: Int) -> Bool { self.input[index...].starts(with: text.utf8) }

  /// Where a comment, a string or an inner parenthesis may begin.
  private static let special: [UInt8] = Array("/\"#(".utf8)

  private mutating func keep() {
    self.output.append(self.input[self.index])
    self.index += 1
  }

  private mutating func blank(_ count: Int = 1) {
    for _ in 0..<count where self.index < self.input.count {
      self.output.append(self.input[self.index] == UInt8(ascii: "\n") ? UInt8(ascii: "\n") : UInt8(ascii: " "))
      self.index += 1
    }
  }

  /// Copies code; inside an interpolation, up to the parenthesis that closes it.
  private mutating func scan(until end: UInt8?) {
    var depth = 0
    while self.index < self.input.count {
      let byte = self.input[self.index]
      if byte != end, !Self.special.contains(byte) {
        self.keep()
      } else if self.has("//", at: self.index) {
        while self.index < self.input.count, self.input[self.index] != UInt8(ascii: "\n") { self.blank() }
      } else if self.has("/*", at: self.index) {
        self.comment()
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "#") && self.isRawString {
        self.string()
      } else if end != nil, byte == UInt8(ascii: "(") {
        depth += 1
        self.keep()
      } else if byte == end {
        if depth == 0 { return self.blank() }
        depth -= 1
        self.keep()
      } else {
        self.keep()
      }
    }
  }

  private mutating func comment() {
    var depth = 0
    repeat {
      if self.has("/*", at: self.index) {
        depth += 1; self.blank(2)
      } else if self.has("*/", at: self.index) {
        depth -= 1
        self.blank(2)
      } else {
        self.blank()
      }
    } while depth > 0 && self.index < self.input.count
  }

  private var isRawString: Bool {
    var next = self.index
    while next < self.input.count, self.input[next] == UInt8(ascii: "#") { next += 1 }
    return next < self.input.count && self.input[next] == UInt8(ascii: "\"")
  }

  private mutating func string() {
    var hashes = 0
    while self.input[self.index] == UInt8(ascii: "#") { hashes += 1; self.blank() }
    let isLong = self.has("\"\"\"", at: self.index)
    let quotes = isLong ? 3 : 1
    self.blank(quotes)
    while self.index < self.input.count {
      if !isLong, self.input[self.index] == UInt8(ascii: "\n") { return }
      if self.closes(quotes: quotes, hashes: hashes) { return self.blank(quotes + hashes) }
      guard self.input[self.index] == UInt8(ascii: "\\"), self.hashes(at: self.index + 1) >= hashes else {
        self.blank(); continue
      }
      self.blank(1 + hashes)
      if self.index < self.input.count, self.input[self.index] == UInt8(ascii: "(") {
        self.blank()
        self.scan(until: UInt8(ascii: ")"))
      } else {
        self.blank()
      }
    }
  }

  private func closes(quotes: Int, hashes: Int) -> Bool {
    let end = self.index + quotes
    guard end + hashes <= self.input.count, self.input[self.index..<end].allSatisfy({ $0 == UInt8(ascii: "\"") }) else {
      return false
    }
    return self.hashes(at: end) >= hashes
  }

  private func hashes(at start: Int) -> Int {
    var end = start
    while end < self.input.count, self.input[end] == UInt8(ascii: "#") { end += 1 }
    return end - start
  }
}
