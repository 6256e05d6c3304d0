import Testing

@testable import Documents

@Suite("A JSON text, walked")
struct JSONWalkerTests {
  @Test("members and elements are taken in their order, and what is not wanted is skipped")
  func walk() throws {
    var walker = try JSONWalker(Array(#" {"a": [1, {"x": [true, null]}, "é\n"], "b": {"deep": 42}, "c": 7}"#.utf8))
    var texts: [String] = []
    var counts: [Int?] = []
    try walker.map { (walker, key) throws(DocumentError) in
      switch key {
      case "a":
        let isList = walker.isAtList()
        #expect(isList)
        try walker.list { (walker) throws(DocumentError) in if let text = try walker.text() { texts.append(text) } }
      case "b":
        try walker.map { (walker, _) throws(DocumentError) in counts.append(try walker.count()) }
      default: counts.append(try walker.count())
      }
    }
    try walker.finish()
    #expect(texts == ["é\n"])
    #expect(counts == [42, 7])
  }

  @Test("what is no count is nil, and taken all the same", arguments: ["-1", "1.5", "1e3", "\"1\"", "null", "1234567890123456"])
  func noCount(_ text: String) throws {
    var walker = try JSONWalker(Array(text.utf8))
    let count = try walker.count()
    #expect(count == nil)
    try walker.finish()
  }

  @Test("it refuses what the tree refuses, with the same error", arguments: 0..<40)
  func same(_ round: UInt64) {
    var random = SplitMix(state: round)
    for _ in 0..<250 {
      let text = Self.text(&random)
      let limits = JSONLimits(bytes: 400, depth: 6, nodes: 40)
      #expect(
        Self.treeError(text, limits) == Self.walkError(text, limits), "round \(round): \(String(decoding: text, as: UTF8.self))")
    }
  }

  private static func treeError(_ text: [UInt8], _ limits: JSONLimits) -> String? {
    do throws(DocumentError) {
      _ = try Document.parseJSON(text, limits: limits)
      return nil
    } catch {
      return error.description
    }
  }

  private static func walkError(_ text: [UInt8], _ limits: JSONLimits) -> String? {
    do throws(DocumentError) {
      var walker = try JSONWalker(text, limits: limits)
      try walker.skip()
      try walker.finish()
      return nil
    } catch {
      return error.description
    }
  }

  /// A text of JSON's own pieces, now and then with a byte changed: half of them are nearly right.
  private static func text(_ random: inout SplitMix) -> [UInt8] {
    var text = Array(Self.value(&random, depth: 0).utf8)
    for _ in 0..<Int(random.next() % 3) where !text.isEmpty {
      let place = Int(random.next() % UInt64(text.count))
      switch random.next() % 3 {
      case 0: text[place] = UInt8(truncatingIfNeeded: random.next())
      case 1: text.remove(at: place)
      default: text.insert(Array("{}[],:\"\\u0eE-. \n".utf8)[Int(random.next() % 16)], at: place)
      }
    }
    return text
  }

  private static func value(_ random: inout SplitMix, depth: Int) -> String {
    let scalars = [
      "0", "-1", "2.5e+7", "true", "false", "null", "\"\"", "\"a\\u00e9\\ud83d\\ude00\"", "\"\u{7f}é\"", "01", "\"\\ud800\"",
    ]
    guard depth < 7, random.next() % 3 > 0 else { return scalars[Int(random.next() % UInt64(scalars.count))] }
    let count = Int(random.next() % 4)
    if random.next() % 2 == 0 {
      return "[" + (0..<count).map { _ in self.value(&random, depth: depth + 1) }.joined(separator: " ,") + "]"
    }
    let keys = ["a", "b", "\\u0061", "", "é", "cc"]
    let many = random.next() % 20 == 0 ? 18 : count
    return "{"
      + (0..<many).map { place in
        let key = many > 4 ? "k\(place % 17)" : keys[Int(random.next() % 6)]
        return "\"\(key)\":\n" + (many > 4 ? "1" : self.value(&random, depth: depth + 1))
      }.joined(separator: ",") + "}"
  }
}

private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = self.state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
