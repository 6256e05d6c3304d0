/// How a text is cut into words before pairs are merged; no merge crosses a cut.
///
/// Each kind is one published regular expression, matched by hand: linear time, no backtracking.
public enum PreTokenizer: String, Sendable, CaseIterable {
  /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
  case gpt2 = "gpt-2"
  /// As `qwen2`, but numbers are cut after three digits.
  case llama3 = "llama-bpe"
  /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
  case qwen2

  /// - Parameter name: what GGUF's `tokenizer.ggml.pre` calls it; the names in use for one expression are several.
  public init?(ggufName name: String) {
    switch name {
    case "gpt-2", "default": self = .gpt2
    case "llama-bpe", "llama3", "llama-v3": self = .llama3
    case "qwen2", "qwen2.5", "deepseek-r1-qwen": self = .qwen2
    default: return nil
    }
  }

  /// The words of a text in order; together they are the whole text.
  func words(of text: [UInt8], _ take: (Range<Int>) -> Void) {
    var scan = WordScan(text: text)
    while scan.start < text.count {
      let end = self == .gpt2 ? scan.endOfPlainWord() : scan.endOfWord(digits: self == .llama3 ? 3 : 1)
      take(scan.start..<end)
      scan.start = end
    }
  }
}

/// Where one word ends that begins at `start`.
private struct WordScan {
  let text: [UInt8]
  var start = 0

  /// The class and the length of the character at an offset; `nil` at the end.
  private func character(_ offset: Int) -> (kind: CharacterClass, length: Int)? {
    guard offset < self.text.count else { return nil }
    let lead = self.text[offset]
    if lead < 0x80 { return (CharacterClass(Unicode.Scalar(lead)), 1) }
    let length = UTF8Scan.characterLength(self.text, at: offset)
    guard length > 1, let scalar = UTF8Scan.scalar(self.text, at: offset, length: length) else { return (.other, 1) }
    return (CharacterClass(scalar), length)
  }

  /// The end of a run of one class, at most `limit` characters.
  private func run(of kind: CharacterClass, from offset: Int, limit: Int = .max) -> Int {
    var (end, count) = (offset, 0)
    while count < limit, let next = self.character(end), next.kind == kind {
      end += next.length
      count += 1
    }
    return end
  }

  private func isBreak(_ offset: Int) -> Bool {
    offset < self.text.count && (self.text[offset] == 0x0A || self.text[offset] == 0x0D)
  }

  func endOfPlainWord() -> Int {
    if let end = self.contraction(anyCase: false) { return end }
    let isSpace = self.text[self.start] == 0x20
    let begin = isSpace ? self.start + 1 : self.start
    if let next = self.character(begin), next.kind != .space { return self.run(of: next.kind, from: begin) }
    return self.endOfSpaces(lineBreaks: false)
  }

  func endOfWord(digits: Int) -> Int {
    if let end = self.contraction(anyCase: true) { return end }
    guard let first = self.character(self.start) else { return self.text.count }
    switch first.kind {
    case .letter: return self.run(of: .letter, from: self.start)
    case .number: return self.run(of: .number, from: self.start, limit: digits)
    case .space, .other: break
    }
    let second = self.start + first.length
    if !self.isBreak(self.start), let next = self.character(second), next.kind == .letter {
      return self.run(of: .letter, from: second)
    }
    let symbols = self.text[self.start] == 0x20 ? second : self.start
    if let next = self.character(symbols), next.kind == .other {
      var end = self.run(of: .other, from: symbols)
      while self.isBreak(end) { end += 1 }
      return end
    }
    return self.endOfSpaces(lineBreaks: true)
  }

  /// `\s*[\r\n]+|\s+(?!\S)|\s+` or without the first: up to the last line break of the run, else all of it but a last character
  /// that precedes something else.
  private func endOfSpaces(lineBreaks: Bool) -> Int {
    var (end, last, afterBreak) = (self.start, self.start, self.start)
    while let next = self.character(end), next.kind == .space {
      last = end
      end += next.length
      if self.isBreak(last) { afterBreak = end }
    }
    if lineBreaks, afterBreak > self.start { return afterBreak }
    return end == self.text.count || last == self.start ? end : last
  }

  /// `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll`, `'d`; in any case also with U+017F, which is an s.
  private func contraction(anyCase: Bool) -> Int? {
    guard self.text[self.start] == UInt8(ascii: "'") else { return nil }
    let letter = { (offset: Int) -> UInt8 in
      guard self.start + offset < self.text.count else { return 0 }
      let byte = self.text[self.start + offset]
      return anyCase && (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }
    let (first, second) = (letter(1), letter(2))
    switch (first, second) {
    case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _), (UInt8(ascii: "d"), _): return self.start + 2
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")), (UInt8(ascii: "l"), UInt8(ascii: "l")):
      return self.start + 3
    case (0xC5, 0xBF): return anyCase ? self.start + 3 : nil
    default: return nil
    }
  }
}
