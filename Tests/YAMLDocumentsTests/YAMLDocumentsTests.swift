import Documents
import Glibc
import Testing
import YAMLDocuments

private func parse(_ text: String, _ limits: YAMLLimits = YAMLLimits()) throws -> Document {
  try Document.parseYAML(text, limits: limits)
}

private func refusal(_ text: String, _ limits: YAMLLimits = YAMLLimits()) -> DocumentError? {
  do throws(DocumentError) {
    _ = try Document.parseYAML(text, limits: limits)
    return nil
  } catch { return error }
}

@Suite("YAML as documents")
struct YAMLDocumentsTests {
  @Test(
    "plain scalars follow the core schema of YAML 1.2",
    arguments: [
      ("null", "null"), ("~", "null"), ("", "null"), ("Null", "null"), ("nUll", #""nUll""#),
      ("true", "true"), ("TRUE", "true"), ("False", "false"), ("tRue", #""tRue""#),
      ("yes", #""yes""#), ("no", #""no""#), ("NO", #""NO""#), ("on", #""on""#), ("off", #""off""#), ("y", #""y""#),
      ("0", "0"), ("-0", "-0"), ("12", "12"), ("+12", "12"), ("007", "7"), ("0o17", "15"), ("0x1F", "31"), ("0x", #""0x""#),
      ("0o8", #""0o8""#), ("0b1", #""0b1""#), ("1_000", #""1_000""#), ("190:20:30", #""190:20:30""#),
      ("0.50", "0.50"), (".5", "0.5"), ("1.", "1"), ("-.5e3", "-0.5e3"), ("1e5", "1e5"), ("1E+05", "1e+05"), ("1e", #""1e""#),
      (".", #"".""#), ("+", #""+""#), ("1.2.3", #""1.2.3""#),
      ("2023-07-18", #""2023-07-18""#), ("2023-06", #""2023-06""#), ("1a", #""1a""#), ("1e-x", #""1e-x""#),
      ("123456789012345678901234567890", "123456789012345678901234567890"),
      ("'12'", #""12""#), (#""true""#, #""true""#), ("'null'", #""null""#), ("'*x'", #""*x""#), ("a*b", #""a*b""#),
      ("'<<'", #""<<""#), (#""\u0041\n""#, #""A\n""#),
    ])
  func scalars(text: String, json: String) throws {
    #expect(JSON(try #require(try parse("v: \(text)\n")["v"])).text == (json == "null" ? "null" : json))
  }

  @Test("collections, block texts and comments")
  func collections() throws {
    let text = """
      # a comment with & and * in it
      a: {b: [1, two, {c: "d # e"}], "f g": ~}
      h:
        - |
          * first & last
           second
        - >-
          folded
          *text*
      """
    #expect(
      JSON(try parse(text)).text
        == #"{"a":{"b":[1,"two",{"c":"d # e"}],"f g":null},"h":["* first & last\n second\n","folded *text*"]}"#)
  }

  @Test("every node knows its line and column")
  func positions() throws {
    let document = try parse("a:\n  - 1\n  - b: \"*\"\n    c: x\n")
    guard case .list(let elements)? = document["a"]?.content else {
      Issue.record("no list")
      return
    }
    #expect(elements.map(\.position) == [TextPosition(line: 2, column: 5), TextPosition(line: 3, column: 5)])
    #expect(elements[1]["c"]?.position == TextPosition(line: 4, column: 8))
  }

  @Test(
    "what the house does not read is refused by name and place",
    arguments: [
      ("a: &x 1\n", "anchors", 1, 4), ("a: 1\nb: *x\n", "aliases", 2, 4), ("a: &x [1]\nb: *x\n", "anchors", 1, 4),
      ("*x : 1\n", "aliases", 1, 1), ("a: *.js\n", "aliases", 1, 5), ("&x a: 1\n", "anchors", 1, 1),
      ("[*a, *b]\n", "aliases", 1, 2),
      ("a: {b: 1}\nc:\n  <<: {d: 1}\n", "merge keys", 3, 3),
      ("a: !!str 12\n", "tags", 1, 4), ("a: !custom x\n", "tags", 1, 4), ("a: !!set {b}\n", "tags", 1, 4),
      ("a: !!seq [b]\n", "tags", 1, 4), ("a: !!binary aGk=\n", "tags", 1, 4), ("a: !!int '1'\n", "tags", 1, 4),
      ("a: 1\nb: 2\na: 3\n", "twice", 3, 1), ("? [a]\n: 1\n", "a key must be a string", 1, 3), ("1: x\n", "a key must be", 1, 1),
      ("true: x\n", "a key must be", 1, 1), ("~: x\n", "a key must be", 1, 1),
      ("a: 1\n---\nb: 2\n", "only one document", 2, 1), ("", "no document", 1, 1), ("# nothing\n", "no document", 1, 1),
      ("a: .inf\n", "no number", 1, 4), ("a: -.INF\n", "no number", 1, 4), ("a: .nan\n", "no number", 1, 4),
      ("a: 0xFFFFFFFFFFFFFFFFFF\n", "63 bits", 1, 4), ("a: [1\n", "not YAML", 2, 1), ("a: \"x\n", "not YAML", 2, 1),
      ("a: b: c\n", "not YAML", 1, 5), ("\ta: 1\n", "not YAML", 1, 1), ("%YAML 9.9\n---\na: 1\n", "not YAML", 1, 1),
    ])
  func refusals(text: String, message: String, line: Int, column: Int) throws {
    let error = try #require(refusal(text), "'\(text)' was read")
    #expect(error.description.contains(message), "\(error)")
    #expect(error.position == TextPosition(line: line, column: column), "\(error)")
  }

  @Test("a bomb of aliases costs no more than its text")
  func bomb() throws {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...60 {
      let alias = "*a\(level - 1)"
      text += "a\(level): &a\(level) [\([String](repeating: alias, count: 10).joined(separator: ", "))]\n"
    }
    text += "? *a60\n: a key that is costly to compare\n? [*a60]\n: another\n"
    let started = processorTime()
    #expect(refusal(text)?.message.contains("anchors") == true)
    #expect(refusal(text + "? *a60\n: twice\n") != nil)
    #expect(processorTime() - started < .seconds(2))
  }

  @Test("large maps keep their order and refuse a key that stands twice")
  func largeMaps() throws {
    let text = (0..<200).map { "k\($0): \($0)\n" }.joined()
    guard case .map(let members) = try parse(text).content else {
      Issue.record("no map")
      return
    }
    #expect(members.map(\.key) == (0..<200).map { "k\($0)" })
    for twice in [0, 15, 16, 17, 199] {
      let error = try #require(refusal(text + "k\(twice): x\n"))
      #expect(error.message.contains("twice") && error.field == "k\(twice)" && error.position.line == 201)
    }
  }

  @Test("a text keeps characters of private use, asterisks and NUL")
  func odd() throws {
    let text = "a: \"\u{E000}*\u{E001}\"\n"
    #expect(try parse(text)["a"].map { JSON($0) } == .string("\u{E000}*\u{E001}"))
    #expect(try parse(#"a: "x\0y""#)["a"].map { JSON($0) } == .string("x\0y"))
  }

  @Test("limits hold on both sides")
  func limits() throws {
    let limits = YAMLLimits(bytes: 40, depth: 4, nodes: 6)
    #expect(refusal("a: [[b]]\n", limits) == nil)
    #expect(refusal("a: [[[b]]]\n", limits)?.message.contains("deeper than 4") == true)
    #expect(refusal("[1, 2, 3, 4, 5]\n", limits) == nil)
    #expect(refusal("[1, 2, 3, 4, 5, 6]\n", limits)?.message.contains("more than 6 values") == true)
    #expect(refusal("a: " + String(repeating: "x", count: 37), limits) == nil)
    #expect(refusal("a: " + String(repeating: "x", count: 38), limits)?.message.contains("at most 40") == true)
    #expect(throws: DocumentError.self) { try Document.parseYAML([0x61, 0x3A, 0x20, 0xFF]) }
  }

  @Test("deep nesting neither crashes nor takes long", arguments: ["[", "{", "- ", "? ", "a: [", "{a: "])
  func depth(opening: String) {
    let started = processorTime()
    let error = refusal(String(repeating: opening, count: 100_000))
    #expect(error != nil)
    #expect(processorTime() - started < .seconds(5))
  }
}

/// What this thread has had of a processor: a busy machine does not make it longer.
private func processorTime() -> Duration {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}
