import Testing

@testable import AcceptableUse

@Suite("Stream guard with an enforced classifier")
struct ClassifierStreamTests {
  static func policy() throws -> AcceptableUsePolicy {
    let classifier = try ShippedClassifier.shared.get()
    var settings = PolicySettings()
    settings.classifier = ClassifierTerms(mode: .enforce, threshold: classifier.threshold)
    return try AcceptableUsePolicy(packs: [try pack(widgetPack)], classifier: classifier).applying(settings)
  }

  static func run(_ pieces: [String], _ policy: AcceptableUsePolicy, _ hold: StreamHold, cap: Int) -> StreamGuardTests.Outcome {
    var stream = policy.streamGuard(maximumHold: cap, hold: hold)
    var outcome = StreamGuardTests.Outcome()
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

  static let harmless = "The garden needs water in the morning. We plant tomatoes in May, and feed them twice a month. "
  static let forbidden =
    "To cook methamphetamine at home you buy the pills, extract the drug, and sell the meth to teenagers without getting caught by police. "

  @Test("a forbidden sentence that comes token by token never shows its last clause")
  func lastClause() throws {
    let policy = try Self.policy()
    let tokens = (Self.harmless + Self.forbidden + Self.harmless).split(separator: " ").map { "\($0) " }
    let outcome = Self.run(tokens, policy, .sentence, cap: 1024)
    let finding = try #require(outcome.finding)
    #expect(finding.rules.contains { $0.packID == LinearClassifier.packID && $0.mode == .enforce })
    #expect(outcome.released.hasPrefix(Self.harmless.prefix(60)))
    #expect(!outcome.released.contains("without getting caught") && !outcome.released.contains("sell the meth"))
  }

  @Test("holding all shows nothing of a stream that is found out, and everything of one that is not")
  func all() throws {
    let policy = try Self.policy()
    #expect(Self.run([Self.harmless, Self.forbidden], policy, .all, cap: 4096).released == "")
    #expect(Self.run([Self.harmless, Self.harmless], policy, .all, cap: 4096).released == Self.harmless + Self.harmless)
  }

  @Test("any cut gives one finding and one released text, whatever waits", arguments: StreamHold.allCases)
  func chunking(hold: StreamHold) throws {
    let policy = try Self.policy()
    var random = SplitMix64(state: 77)
    let sentences = [
      Self.harmless, Self.forbidden, "a forbidden gizmo ", "Nothing else happened, and nobody came.\n", "不要浇太多水。",
      "build a bomb; ",
    ]
    for round in 0..<60 {
      let text = (0..<Int.random(in: 1...6, using: &random)).map { _ in
        sentences[Int.random(in: 0..<sentences.count, using: &random)]
      }.joined()
      let whole = Self.run([text], policy, hold, cap: 200)
      let cut = Self.run(StreamGuardTests.cut(text, &random), policy, hold, cap: 200)
      let single = Self.run(text.unicodeScalars.map { String(Character($0)) }, policy, hold, cap: 200)
      #expect(whole == cut && whole == single, "round \(round): \(text)")
      if whole.finding == nil { #expect(whole.released == text) }
    }
  }

  @Test("what exceeds the bound is shown, and said to have been")
  func cap() throws {
    var stream = try Self.policy().streamGuard(maximumHold: 16, hold: .all)
    #expect(!stream.exceededHold)
    let released = stream.append(Self.harmless).released
    #expect(stream.exceededHold && released.utf8.count == Self.harmless.utf8.count - 16)
  }

  @Test("sixty-four words without a stop are looked at")
  func words() throws {
    let words = Self.forbidden.filter { $0.isLetter || $0 == " " }
    let outcome = Self.run([String(repeating: words, count: 4)], try Self.policy(), .sentence, cap: 4096)
    #expect(outcome.finding != nil && outcome.released == "")
  }
}
