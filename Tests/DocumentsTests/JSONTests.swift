import Documents
import Testing

@Suite("JSON, read and written")
struct JSONTests {
  @Test(
    "A text reads and is written again, keys sorted",
    arguments: [
      (#"{"b":1,"a":[true,null,"x"]}"#, #"{"a":[true,null,"x"],"b":1}"#), (#" [ 1 , 2.50, -0, 1e9 ] "#, "[1,2.50,-0,1e9]"),
      (#""\u00e9\ud83d\ude00\n\u0001""#, #""é😀\n\u0001""#), ("{}", "{}"),
    ])
  func roundTrip(text: String, canonical: String) throws {
    let document = try Document.parseJSON(Array(text.utf8))
    #expect(String(decoding: JSON(document).canonicalBytes, as: UTF8.self) == canonical)
  }

  @Test(
    "A faulty text is refused with its place",
    arguments: [
      ("", "the text ends"), ("{", "key"), (#"{"a":1,"a":2}"#, "twice"), ("[1,]", "not a JSON value"), ("01", "number"),
      ("1.", "digits"),
      ("tru", "not a JSON value"), ("[1] 2", "after the end"), (#""\ud800""#, "surrogate"), (#""\x""#, "escape"),
      ("\"\u{01}\"", "control"),
      (#"{"a" 1}"#, "colon"), ("nan", "not a JSON value"), (#"{'a':1}"#, "double quotes"),
    ])
  func faulty(text: String, message: String) {
    #expect { try Document.parseJSON(Array(text.utf8)) } throws: { "\($0)".contains(message) }
  }

  @Test(
    "Invalid UTF-8 is refused",
    arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] as [[UInt8]])
  func invalidUTF8(bytes: [UInt8]) {
    #expect(throws: DocumentError.self) { try Document.parseJSON(bytes) }
  }

  @Test("Depth, size and number of values are bounded on both sides")
  func limits() throws {
    let limits = JSONLimits(bytes: 40, depth: 3, nodes: 4)
    #expect(throws: Never.self) { try Document.parseJSON(Array("[[1]]".utf8), limits: limits) }
    #expect(throws: DocumentError.self) { try Document.parseJSON(Array("[[[1]]]".utf8), limits: limits) }
    #expect(throws: Never.self) { try Document.parseJSON(Array("[1,2,3]".utf8), limits: limits) }
    #expect(throws: DocumentError.self) { try Document.parseJSON(Array("[1,2,3,4]".utf8), limits: limits) }
    #expect(throws: DocumentError.self) { try Document.parseJSON(Array(repeating: 0x20, count: 41), limits: limits) }
    #expect(throws: DocumentError.self) { try Document.parseJSON(Array(repeating: UInt8(ascii: "["), count: 100_000)) }
  }

  @Test("Whatever bytes come, the parser answers or refuses", arguments: 1...8)
  func mutations(seed: UInt64) {
    var state = seed
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    let text = Array(#"{"model":"m","messages":[{"role":"user","content":"\u00e9 \"x\" 1.5e3"}],"n":[1,-2,null,true]}"#.utf8)
    for _ in 0..<3000 {
      var bytes = text
      for _ in 0...(next() % 4) { bytes[Int(next()) % bytes.count] = UInt8(truncatingIfNeeded: next()) }
      if next() % 3 == 0 { bytes.removeLast(Int(next()) % bytes.count) }
      guard let document = try? Document.parseJSON(bytes) else { continue }
      let written = JSON(document).bytes
      #expect((try? Document.parseJSON(written)).map { JSON($0).bytes } == written)
    }
  }

  @Test("A key that nobody read is refused with the nearest name")
  func unknownKey() throws {
    var reader = try DocumentReader(try Document.parseJSON(Array(#"{"listn":"x"}"#.utf8)))
    _ = try reader.optionalString("listen")
    #expect { try reader.finish() } throws: { "\($0)".contains("did you mean 'listen'?") && "\($0)".contains("line 1, column 2") }
  }

  @Test("A required key that is misspelt is named, with what was meant")
  func misspelt() throws {
    var reader = try DocumentReader(try Document.parseJSON(Array(#"{"operater":{}}"#.utf8)))
    #expect {
      try reader.reader("operator")
    } throws: {
      "\($0)".contains("operater: is not a known key; did you mean 'operator'?")
    }
  }

  @Test("A value of the wrong type is refused by its path")
  func wrongType() throws {
    var reader = try DocumentReader(try Document.parseJSON(Array(#"{"a":[1,"x"]}"#.utf8)), path: "root")
    #expect { try reader.strings("a") } throws: { "\($0)".contains("root.a[0]") }
  }
}
