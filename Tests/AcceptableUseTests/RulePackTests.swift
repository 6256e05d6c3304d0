import Documents
import GovernanceTypes
import Testing
import YAMLDocuments

@testable import AcceptableUse

@Suite("Rule packs")
struct RulePackTests {
  static let rule = """
    schema: weighbridge/rule-pack/v1
    id: p
    version: "1"
    policy: law
    lists: {ask: [how to]}
    rules:
      - id: r
        uses: [1a]
        severity: low
        mode: enforce
        score: 900
        direction: [prompt]
        phrases: ["<ask> juggle"]
        examples: {match: [how to juggle], clear: [juggling]}
    """

  @Test("a pack says what it is")
  func identity() throws {
    let pack = try pack(widgetPack)
    #expect(pack.id == "widgets" && pack.version == "7" && pack.policy.name == "widget-law" && pack.rules.count == 4)
    #expect(pack.uses.map(\.name).sorted() == ["1a", "2b", "3c", "4"])
    #expect(pack.test().isEmpty)
    #expect(try pack.digest != AcceptableUseTests.pack(Self.rule).digest)
  }

  @Test("an example that fails is named")
  func failingExample() throws {
    let failures = try pack(Self.rule.replacing("match: [how to juggle]", with: "match: [how to juggle, how to sing]")).test()
    #expect(failures.map(\.description) == ["rule r, prompt: examples.match[1] is not matched"])
    let clear = try pack(Self.rule.replacing("clear: [juggling]", with: "clear: [see how to juggle]")).test()
    #expect(clear.map(\.description) == ["rule r, prompt: examples.clear[0] is matched"])
  }

  @Test("two packs of one id cannot be in force together")
  func duplicatePack() throws {
    let pack = try pack(Self.rule)
    #expect(throws: AcceptableUseError.self) { try AcceptableUsePolicy(packs: [pack, pack]) }
  }

  /// What is changed, to what, and the beginning of the error.
  static let errors: [(of: String, to: String, message: String)] = [
    ("rule-pack/v1", "rule-pack/v2", "line 1, column 9: schema: is 'weighbridge/rule-pack/v2'"),
    ("id: p", "id: ''", "line 2, column 5: id: must be 1 to 64"),
    (
      "mode: enforce", "mode: block",
      "line 10, column 11: rules[0].mode: is 'block'; it must be one of enforce, shadow, annotate"
    ),
    ("severity: low", "severity: lowest", "line 9, column 15: rules[0].severity: is 'lowest'"),
    ("score: 900", "score: 1001", "line 11, column 12: rules[0].score: is 1001"),
    ("score: 900", "skore: 900", "line 11, column 5: rules[0].skore: is not a known key; did you mean 'score'?"),
    ("direction: [prompt]", "direction: []", "line 12, column 16: rules[0].direction: must name"),
    ("direction: [prompt]", "direction: [both]", "line 12, column 16: rules[0].direction: 'both' is none of"),
    ("uses: [1a]", "uses: [1a, 1a]", "line 8, column 11: rules[0].uses: must name 1 to 8 different uses"),
    (
      "<ask> juggle", "<asks> juggle",
      "line 13, column 15: rules[0].phrases[0]: '<asks>' is no list defined above; defined are: ask"
    ),
    ("<ask> juggle", "juggle", "line 5, column 14: lists.ask: no phrase uses this list"),
    (
      "\"<ask> juggle\"", "\"<ask> juggle\", \"?!\"",
      "line 13, column 31: rules[0].phrases[1]: a phrase must have 1 to 16 words"
    ),
    ("[\"<ask> juggle\"]", "[[a]]", "line 13, column 15: rules[0].phrases[0]: a string belongs here, not a list"),
    ("clear: [juggling]", "clear: []", "line 14, column 47: rules[0].examples.clear: a rule needs at least one example here"),
    ("uses: [1a]", "uses: [1a]\n    near: [{all: [[a]], within: 3}]", "line 9, column 18: rules[0].near[0].all: has 1 parts"),
    ("uses: [1a]", "uses: [1a]\n    near: [{all: [[a], [b]], within: 33}]", "line 9, column 38: rules[0].near[0].within: is 33"),
    (
      "mode: enforce", "mode: enforce\n    unles: [a]",
      "line 11, column 5: rules[0].unles: is not a known key; did you mean 'unless'?"
    ),
  ]

  @Test("a wrong pack is refused with its place and the remedy", arguments: Self.errors)
  func refused(of: String, to: String, message: String) throws {
    let yaml = Self.rule.replacing(of, with: to)
    #expect(yaml != Self.rule)
    do {
      _ = try pack(yaml)
      Issue.record("the pack was read")
    } catch let error as DocumentError {
      #expect(error.description.hasPrefix(message), "\(error)")
    }
  }

  @Test("lists that multiply beyond the limit are refused")
  func expansion() throws {
    let list = (0..<7).map { "w\($0)" }.joined(separator: ", ")
    let phrase = Array(repeating: "<ask>", count: 8).joined(separator: " ")
    let yaml = Self.rule.replacing("[how to]", with: "[\(list)]").replacing("<ask> juggle", with: phrase)
    #expect(throws: DocumentError.self) { try pack(yaml) }
  }

  @Test("a list at the head of a phrase means the same paired and multiplied out", arguments: [7, 8])
  func pairing(entries: Int) throws {
    let list = (0..<entries).map { "word\($0) too" }.joined(separator: ", ")
    let policy = try AcceptableUsePolicy(packs: [try pack(Self.rule.replacing("[how to]", with: "[\(list)]"))])
    for index in 0..<entries { #expect(policy.assess("now word\(index) too juggle", direction: .prompt).flagged) }
    #expect(!policy.assess("word1 too, now juggle", direction: .prompt).flagged)
    #expect(!policy.assess("word1 juggle", direction: .prompt).flagged)
    let hit = try #require(policy.assess("now word1 too juggle", direction: .prompt).rules.first)
    #expect(hit.spanOffset == 4 && hit.spanLength == 16)
  }
}
