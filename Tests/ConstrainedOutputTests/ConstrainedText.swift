import ConstrainedOutput
import Documents
import EngineFixtures

/// A small vocabulary with every trap: all bytes, words, parts of characters, tokens that reach across a string's end.
enum TestVocabulary {
  static let end: Int32 = 0

  static let surfaces: [[UInt8]] = {
    let words = [
      "a", "the", " name", "id", "\":", "\", \"", "{\"", "\"}", "}", "}}", "],", "[[", " ", "  ", "\n", "\n  ", ": ", ",\n\t",
      "true",
      "false", "null", "tru", "12", "007", "-", "0.", "e+", "\\", "\\n", "\\\"", "\\u00", "é", "🦙", "llama🦙x", "ïve", "x y",
      "\"a\"",
      String(repeating: "long ", count: 10), "abcdefgh", "next\":", "\"b\": {\"v\":", "\0", "\t", "a\"", "bc\"}",
    ]
    return [[]] + (0..<256).map { [UInt8($0)] } + words.map { Array($0.utf8) } + [
      [0xC3], [0x9F, 0xA6], [0xF0, 0x9F], [0xA9, 0x22],
    ]
  }()

  static let vocabulary = TokenVocabulary(surfaces: Self.surfaces, ends: [Self.end])
}

extension Grammar {
  /// Whether a text, given byte by byte, has the form.
  func accepts(_ text: String) -> Bool {
    var run = GrammarRoom(TestVocabulary.vocabulary).begin(self)
    return Array(text.utf8).allSatisfy { run.accept(Int32($0) + 1) } && run.isComplete
  }

  /// A text drawn token by token among those that may come; nil where it is longer than `limit` tokens.
  func draw(_ room: GrammarRoom, _ random: inout SplitMix64, limit: Int) -> [UInt8]? {
    var run = room.begin(self)
    var text: [UInt8] = []
    for _ in 0..<limit {
      let mask = run.mask()
      let allowed = TestVocabulary.surfaces.indices.filter(mask.contains)
      guard !allowed.isEmpty else { return nil }
      let token = Int32(allowed[Int(random.next() % UInt64(allowed.count))])
      if token == TestVocabulary.end { return text }
      guard run.accept(token) else { return nil }
      text += TestVocabulary.surfaces[Int(token)]
    }
    return nil
  }
}
