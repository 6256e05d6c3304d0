/// A function, initialiser or subscript with a body.
struct FunctionBody: Equatable, Sendable {
  /// Where its declaration begins, counted from 1.
  let line: Int
  /// From the declaration to the closing brace.
  let lineCount: Int
}

extension SourceFile {
  /// The functions of the file, found by their braces.
  var functions: [FunctionBody] {
    guard self.language == .swift else { return [] }
    return self.code.indices.compactMap { index in
      guard self.code[index].utf8.contains(UInt8(ascii: "(")) || self.code[index].utf8.contains(UInt8(ascii: "{")) else {
        return nil
      }
      let declaration = /(?:^|[^.\w])(?:func\s|init[?]?[(<]|deinit\s*\{|subscript[(<])/
      guard let match = self.code[index].firstMatch(of: declaration) else { return nil }
      let indent = self.code[index][..<match.range.lowerBound].utf8.count
      let end = bodyEnd(in: self.code[index...].lazy.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }, from: indent + 1)
      return end.map { FunctionBody(line: index + 1, lineCount: $0) }
    }
  }
}

/// How many lines it takes to the brace that closes the body; nil where the declaration has none, as in a protocol.
private func bodyEnd(in text: some Sequence<UInt8>, from start: Int) -> Int? {
  var parentheses = 0
  var braces = 0
  var lines = 1
  /// The beginning of the line, while it is read outside all brackets.
  var word: [UInt8]? = nil
  for byte in text.dropFirst(start) {
    switch byte {
    case UInt8(ascii: "("), UInt8(ascii: "["): parentheses += 1
    case UInt8(ascii: ")"), UInt8(ascii: "]"): parentheses -= 1
    case UInt8(ascii: "{"): braces += 1
    case UInt8(ascii: "}"):
      braces -= 1
      if braces < 0 { return nil }
      if braces == 0, parentheses == 0 { return lines }
    case UInt8(ascii: "\n"): lines += 1
    default: break
    }
    guard braces == 0, parentheses <= 0 else { word = nil; continue }
    if byte == UInt8(ascii: "\n") {
      word = []
    } else if word != nil, byte != UInt8(ascii: " ") || word != [] {
      word?.append(byte)
      if let word, declarationWords.contains(word) { return nil }
    }
  }
  return nil
}

/// Where a line begins with one of these, the declaration before it had no body.
private let declarationWords: [[UInt8]] = [
  "func ", "init(", "init?(", "var ", "let ", "case ", "static ", "mutating ", "associatedtype ", "public ", "internal ",
  "private ", "subscript(",
].map { Array($0.utf8) }
