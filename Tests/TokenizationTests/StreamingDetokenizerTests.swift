import Testing
import Tokenization

@Suite("Streaming text")
struct StreamingDetokenizerTests {
  /// The token of a byte in the vocabularies made for tests.
  private static func token(_ byte: UInt8) -> Int32 { 3 + Int32(byte) }

  private static func stream(_ bytes: [UInt8]) throws -> [String] {
    var detokenizer = StreamingDetokenizer(tokenizer: try Vocabularies.small(["a"]), stripLeadingSpace: false)
    return bytes.map { detokenizer.append(self.token($0)) } + [detokenizer.finish()]
  }

  @Test("a character is held back until it is whole")
  func whole() throws {
    #expect(try Self.stream(Array("é🦙".utf8)) == ["", "é", "", "", "", "🦙", ""])
    #expect(try Self.stream(Array("ok".utf8)) == ["o", "k", ""])
  }

  @Test("an impossible byte shows at once, an unfinished character at the end")
  func invalid() throws {
    #expect(try Self.stream([0xFF, 0x61]) == ["\u{FFFD}", "a", ""])
    #expect(try Self.stream([0xC3, 0x61]) == ["", "\u{FFFD}a", ""])
    #expect(try Self.stream([0xE2, 0x96]) == ["", "", "\u{FFFD}"])
    // E0 80 and ED A0 begin no character: the second byte settles it.
    #expect(try Self.stream([0xE0, 0x80]) == ["", "\u{FFFD}\u{FFFD}", ""])
    #expect(try Self.stream([0xED, 0xA0]) == ["", "\u{FFFD}\u{FFFD}", ""])
  }

  @Test("the parts make the whole, and none ends in half a character", arguments: (1...8).map { UInt64($0) })
  func property(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let interesting: [UInt8] = [
      0x20, 0x61, 0x80, 0xBF, 0xC3, 0xA9, 0xE2, 0x96, 0x81, 0xE0, 0xED, 0xA0, 0xF0, 0x9F, 0xA6, 0x99, 0xF4, 0xFF,
    ]
    for _ in 0..<500 {
      let bytes = (0..<Int.random(in: 0..<24, using: &random)).map { _ in interesting.randomElement(using: &random) ?? 0 }
      let parts = try Self.stream(bytes)
      let whole = String(decoding: bytes, as: UTF8.self)
      #expect(Array(parts.joined().utf8) == Array(whole.utf8), "seed \(seed): \(bytes)")
    }
  }

  @Test("one leading space goes at the start only, and control tokens show nothing")
  func leadingSpace() throws {
    let tokenizer = try Vocabularies.small(["▁a", "▁▁"])
    var stripping = StreamingDetokenizer(tokenizer: tokenizer, stripLeadingSpace: true)
    #expect([1, 259, 259, 2].map { stripping.append($0) } == ["", "a", " a", ""])
    var twoSpaces = StreamingDetokenizer(tokenizer: tokenizer, stripLeadingSpace: true)
    #expect([260, 260].map { twoSpaces.append($0) } == [" ", "  "])
    var keeping = StreamingDetokenizer(tokenizer: tokenizer, stripLeadingSpace: false)
    #expect(keeping.append(259) == " a")
  }
}
