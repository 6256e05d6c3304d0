import Documents
import Testing

@testable import AcceptableUse

@Suite("Assessment")
struct AssessmentTests {
  @Test("a disguised phrase is found, and the disguise named", arguments: NormalisationTests.disguises)
  func disguise(text: String, transforms: TextTransforms) throws {
    let found = try widgetPolicy().assess(text, direction: .prompt)
    #expect(found.flagged)
    #expect(found.transforms == transforms)
  }

  @Test(
    "further readings of words",
    arguments: [
      ("a f0rb1dd3n g1zm0 here", TextTransforms.leetspeak),
      ("a forb!dden g!zmo, here", .leetspeak),
      ("a forbidd3n gizm0!", .leetspeak),
      ("f o r b i d d e n g i z m o", .spacedLetters),
      ("f.o.r.b.i.d.d.e.n gizmo", .spacedLetters),
      ("forbidden g-i-z-m-o", .spacedLetters),
      ("a f o r b i d d e n  g i z m o is a toy", .spacedLetters),
      ("please decode \(base64("the forbidden gizmo")) now", .base64),
      ("run \(base64("read \(base64("the forbidden gizmo"))"))", .base64),
      ("x=the%20forbidden%20gizmo", .percentEncoding),
    ])
  func readings(text: String, transform: TextTransforms) throws {
    let found = try widgetPolicy().assess(text, direction: .prompt)
    #expect(found.flagged)
    #expect(found.transforms == transform)
  }

  @Test(
    "what only looks similar is left alone",
    arguments: [
      "forbidden gizmos", "unforbidden gizmo", "forbidden", "f o r bidden gizmo", "gizmo forbidden", "forbidden the gizmo", "",
      "f0r 91z", base64("the forbidden gadget is here"),
    ])
  func clear(text: String) throws { #expect(try !widgetPolicy().assess(text, direction: .prompt).flagged) }

  @Test("a span points at the words in the original")
  func span() throws {
    let text = "Ein é: the fоr\u{200B}bidden «gizmo», then."
    let hit = try #require(try widgetPolicy().assess(text, direction: .prompt).rules.first)
    let bytes = Array(text.utf8)[hit.spanOffset..<(hit.spanOffset + hit.spanLength)]
    #expect(String(decoding: bytes, as: UTF8.self) == "fоr\u{200B}bidden «gizmo")
    #expect(hit.ruleID == "gizmo" && hit.packID == "widgets")
  }

  @Test("a match in an encoded run spans the run")
  func encodedSpan() throws {
    let run = base64("the forbidden gizmo")
    let hit = try #require(try widgetPolicy().assess("see é \(run) there", direction: .prompt).rules.first)
    #expect(hit.spanOffset == 7 && hit.spanLength == run.filter { $0 != "=" }.utf8.count)
  }

  @Test(
    "a window, on both sides of its width",
    arguments: [
      ("how to build purple widgets", true), ("how to make a b c purple widget", true),
      ("how to make a b c d purple widget", false),
      ("purple widgets: how to build", false), ("building purple widgets", false),
    ])
  func window(text: String, want: Bool) throws {
    #expect(try widgetPolicy().assess(text, direction: .prompt).flagged == want)
  }

  @Test(
    "an allowed context clears before and after, within its words",
    arguments: [
      ("museum: how to build a purple widget", true), ("how to build a purple widget a b c d e museum", true),
      ("how to build a purple widget a b c d e f museum", false), ("museum a b c d e f how to build a purple widget", false),
      ("how to build a purple widget\(String(repeating: "\u{200B}", count: 60)) museum", false),
    ])
  func allowed(text: String, isCleared: Bool) throws {
    #expect(try widgetPolicy().assess(text, direction: .prompt).flagged == !isCleared)
  }

  @Test("parts in any order")
  func unordered() throws {
    let policy = try widgetPolicy()
    let orders = ["red green blue", "blue x red y green", "green blue x x x red"]
    for text in orders { #expect(policy.assess(text, direction: .prompt).rules.map(\.ruleID) == ["prompt-only"], "\(text)") }
    #expect(policy.assess("red green blue", direction: .response).rules.isEmpty)
  }

  @Test("only enforced rules flag; scores of one use add up as independent evidence")
  func scores() throws {
    let policy = try widgetPolicy()
    let shadow = policy.assess("a shiny trinket", direction: .response)
    #expect(!shadow.flagged && shadow.score == 500 && shadow.rules.map(\.mode) == [.shadow] && shadow.flaggedUses.isEmpty)
    let both = policy.assess("how to build purple widgets with a forbidden gizmo", direction: .prompt)
    #expect(both.uses.map(\.id.name) == ["1a", "2b"])
    #expect(both.uses.map(\.score) == [980, 900])
    #expect(both.uses.map(\.severity) == [.critical, .high])
    #expect(both.flaggedUses.map(\.name) == ["1a", "2b"])
    let json = try Document.parseJSON(both.json.bytes)
    #expect(json["score"].map { JSON($0) } == .number("0.98"))
    #expect(json["flagged"].map { JSON($0) } == .bool(true))
  }

  @Test("a permitted use only annotates; a rule that names another use too still flags")
  func permitting() throws {
    let policy = try widgetPolicy().permitting([ProhibitedUseID("1a")])
    let gizmo = policy.assess("a forbidden gizmo", direction: .prompt)
    #expect(!gizmo.flagged && gizmo.rules.map(\.mode) == [.annotate])
    #expect(policy.assess("how to build a purple widget", direction: .prompt).flagged)
  }

  @Test("thousandths as decimals", arguments: [(0, "0"), (1, "0.001"), (50, "0.05"), (975, "0.975"), (1000, "1"), (1200, "1")])
  func decimals(milli: Int, want: String) { #expect(decimalText(milli: milli) == want) }
}
