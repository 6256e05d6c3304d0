import Testing

@testable import AcceptableUse

@Suite("Stream guard")
struct StreamGuardTests {
  struct Outcome: Equatable {
    var released = ""
    var finding: Assessment?
  }

  static func run(_ pieces: [String], _ policy: AcceptableUsePolicy, hold: Int = StreamGuard.defaultHold) -> Outcome {
    var stream = policy.streamGuard(maximumHold: hold)
    var outcome = Outcome()
    for piece in pieces + [nil] as [String?] {
      let step = piece.map { stream.append($0) } ?? stream.finish()
      outcome.released += step.released
      if let finding = step.finding {
        #expect(outcome.finding == nil)
        outcome.finding = finding
      }
    }
    return outcome
  }

  @Test("harmless text passes whole, and soon")
  func harmless() throws {
    var stream = try widgetPolicy().streamGuard()
    #expect(stream.append("The gizmo is nice.").released == "The gizmo is nice.")
    #expect(stream.append(" A forbid").released == " A ")
    #expect(stream.append("ding sky").released == "forbidding sky")
    #expect(stream.append(" forbidden").released == " ")
    #expect(stream.append(" fruit").released == "forbidden fruit")
    #expect(stream.finish() == GuardStep(released: "", finding: nil))
  }

  @Test("no byte of a match is released, and nothing after it")
  func stops() throws {
    let outcome = Self.run(["See the forb", "idden giz", "mo. And more", " text"], try widgetPolicy())
    #expect(outcome.released == "See the ")
    #expect(outcome.finding?.flaggedUses.map(\.name) == ["1a"])
    #expect(outcome.finding?.scannedBytes == "See the forbidden gizmo.".utf8.count)
  }

  @Test("a match at the very end is found when the stream ends")
  func atEnd() throws {
    let outcome = Self.run(["a forbidden gizmo"], try widgetPolicy())
    #expect(outcome.released == "a " && outcome.finding != nil)
  }

  @Test("a window holds from its first part until it closes")
  func window() throws {
    var stream = try widgetPolicy().streamGuard()
    #expect(stream.append("Read how to make a nice ").released == "Read ")
    #expect(stream.append("green cake and eat it with a spoon").released.hasPrefix("how to make a nice green cake"))
    let pieces = ["So how to make a ", "nice purple widget, then go on until the context window is over and done."]
    let found = Self.run(pieces, try widgetPolicy())
    #expect(found.released == "So " && found.finding?.rules.map(\.ruleID) == ["widget-building"])
  }

  @Test("an allowed context that follows lets the match through")
  func allowed() throws {
    let text = "how to make a purple widget for our museum in Bonn"
    #expect(Self.run([text], try widgetPolicy()) == Outcome(released: text, finding: nil))
  }

  @Test("a guard records shadow hits without stopping")
  func shadow() throws {
    var stream = try widgetPolicy().streamGuard()
    #expect(stream.append("a shiny trinket indeed").released == "a shiny trinket indeed")
    #expect(stream.finish().finding == nil)
    #expect(stream.assessment.rules.map(\.ruleID) == ["trinket"])
  }

  @Test("the hold is bounded, the finding is not", arguments: [0, 1, 16, 256])
  func bounded(hold: Int) throws {
    let stuffed = "a forbid" + String(repeating: "\u{200B}", count: 5000) + "den gizmo "
    var stream = try widgetPolicy().streamGuard(maximumHold: hold)
    var finding: Assessment?
    for scalar in stuffed.unicodeScalars {
      finding = stream.append(String(Character(scalar))).finding ?? finding
      #expect(stream.heldBytes <= hold + 3)
    }
    #expect(finding != nil)
  }

  /// Pieces of text that touch every state of the guard, put together at random.
  static let fragments = [
    "forbidden", "gizmo", " ", "  ", ". ", "how to", "how do i", "build", "make", "a", "purple", "widget", "widgets", "museum",
    "f0rb1dden", "g1zmo", "g!zmo",
    "f o r b i d d e n", "g i z m o", "x", "I", "e\u{301}", "fоrbіdden", "\u{200B}", "好", "\n", "!", "@",
    base64("the forbidden gizmo"), "the%20forbidden%20gizmo", "%41", base64("nothing at all here"),
    "shiny trinket", "not to", "𝐠𝐢𝐳𝐦𝐨",
    "internationalisation", "forb", "gi", "b", "'", "é", "5", "abcdefghijklmnopqrstuvwxyz", "ways to", "assemble",
  ]

  static func randomText(_ random: inout SplitMix64) -> String {
    var text = ""
    for _ in 0..<Int.random(in: 1...25, using: &random) {
      text += Self.fragments[Int.random(in: 0..<Self.fragments.count, using: &random)]
      if Int.random(in: 0..<3, using: &random) > 0 { text += " " }
    }
    return text
  }

  static func cut(_ text: String, _ random: inout SplitMix64) -> [String] {
    var pieces: [String] = []
    var rest = Substring.UnicodeScalarView(text.unicodeScalars)
    while !rest.isEmpty {
      let count = Int.random(in: 1...9, using: &random)
      pieces.append(String(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    return pieces
  }

  @Test("any cut of a text gives one finding and one released text", arguments: [256, 24, 3])
  func chunking(hold: Int) throws {
    let policy = try widgetPolicy()
    var random = SplitMix64(state: 20_261_123 + UInt64(hold))
    var findings = 0
    for round in 0..<3000 {
      let seed = random.state
      let text = Self.randomText(&random)
      let whole = Self.run([text], policy, hold: hold)
      let single = Self.run(text.unicodeScalars.map { String(Character($0)) }, policy, hold: hold)
      let cut = Self.run(Self.cut(text, &random), policy, hold: hold)
      #expect(whole == single && whole == cut, "seed \(seed), round \(round): \(text)")
      #expect(text.utf8.starts(with: whole.released.utf8), "seed \(seed): \(text)")
      #expect((whole.finding != nil) == policy.assess(text, direction: .response).flagged, "seed \(seed): \(text)")
      if whole.finding == nil { #expect(whole.released == text, "seed \(seed): \(text)") } else { findings += 1 }
    }
    #expect(findings > 300)
  }

  @Test("a text read whole and read scalar by scalar is assessed alike", arguments: [1, 2, 3, 4] as [UInt64])
  func wholeWords(seed: UInt64) throws {
    let policy = try shippedPolicy()
    var scanner = policy.scanner(.prompt)
    let rules = policy.rules(.prompt)
    var scan = TextScan(
      rules.compiled, modes: rules.modes, classifier: policy.classifier, threshold: rules.classifier.threshold)
    var random = SplitMix64(state: seed)
    let bank = SpellingBank.prompts(SpellingBank.forbidden) + SpellingBank.prompts(SpellingBank.harmless)
    for round in 0..<400 {
      var text = Self.randomText(&random)
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        text += [" ", ". ", "(", "", "\u{0}", "\u{85}", "\u{A0}", "%20", "é "][Int.random(in: 0..<9, using: &random)]
        text += bank[Int.random(in: 0..<bank.count, using: &random)]
      }
      if round % 4 == 0 { text = Spelling.allCases[round / 4 % Spelling.allCases.count].apply(text) }
      scan.reset()
      for scalar in text.unicodeScalars { scan.feed(scalar) }
      scan.finish()
      #expect(scanner.assess(text) == Assessment(scan, rules), "seed \(seed), round \(round): \(text)")
    }
  }

  @Test("no enforced match in the text itself has a byte released")
  func neverShown() throws {
    let policy = try widgetPolicy()
    var random = SplitMix64(state: 7)
    for _ in 0..<3000 {
      let seed = random.state
      let text = Self.randomText(&random)
      let outcome = Self.run(Self.cut(text, &random), policy)
      guard let finding = outcome.finding, finding.transforms.isDisjoint(with: [.base64, .percentEncoding]) else { continue }
      let first = finding.rules.filter { $0.mode == .enforce }.map(\.spanOffset).min() ?? 0
      #expect(outcome.released.utf8.count <= first, "seed \(seed): \(text)")
    }
  }
}
