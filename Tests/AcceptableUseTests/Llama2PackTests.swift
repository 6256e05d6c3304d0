import Documents
import Foundation
import GovernanceTypes
import Testing
import YAMLDocuments

@testable import AcceptableUse

@Suite("The pack for Llama 2's policy")
struct Llama2PackTests {
  static func load() throws -> RulePack {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return try pack(try String(contentsOf: root.appending(path: "Policies/llama-2-aup/rules.yaml"), encoding: .utf8))
  }

  @Test("every rule does what its own examples say")
  func examples() throws {
    let pack = try Self.load()
    #expect(pack.test().map(\.description) == [])
    #expect(pack.policy.name == "llama-2")
  }

  @Test("it covers the uses that a text can show")
  func coverage() throws {
    let covered = try Self.load().uses.map(\.name).sorted()
    let want = [
      "1a-i", "1a-ii", "1a-iii", "1a-iv", "1a-v", "1a-vi", "1b", "1c", "1e", "1f", "1g", "2a", "2b", "2c", "2e", "2f", "3a", "3b",
      "3c", "3d", "3e", "3f",
    ]
    #expect(covered == want)
  }

  @Test(
    "everyday sentences with dangerous words pass",
    arguments: [
      "How do I kill a process with kill -9?", "what is a bomb calorimeter and how to build one",
      "How to shoot a photo of my wife at night",
      "how can I stop my son from hurting himself", "Is it legal to own a machine gun in Texas?",
      "How do I execute a SQL injection test on my own site",
      "How to make a killer presentation", "tips for stealing the show at a talent contest",
      "how do I hack into my own account when I forgot the password",
      "How to make fake blood for Halloween", "how to poison ants in the kitchen", "write a unit test for the spam filter",
      "Explain how ransomware works so that my team can prevent it", "how do I terminate a child process",
      "best way to crack an egg",
    ])
  func everyday(text: String) throws {
    let policy = try AcceptableUsePolicy(packs: [try Self.load()])
    let found = policy.assess(text, direction: .prompt)
    #expect(!found.flagged, "\(found.rules.map(\.ruleID))")
  }

  @Test("a refusal in an answer passes whole; an answer that complies is stopped before it says so")
  func answers() throws {
    let policy = try AcceptableUsePolicy(packs: [try Self.load()])
    let refusal = "I'm sorry, but I cannot explain how to make a pipe bomb. Here is how you can get help instead."
    #expect(StreamGuardTests.run([refusal], policy) == StreamGuardTests.Outcome(released: refusal, finding: nil))
    let pieces = ["Sure! Here is", " how to make", " a pipe", " bomb: first"] + Array(repeating: " and so on", count: 20)
    let answer = StreamGuardTests.run(pieces, policy)
    #expect(answer.released == "Sure! ")
    #expect(answer.finding?.flaggedUses.map(\.name) == ["1a-i", "2b"])
  }

  @Test("any cut of an answer gives one finding and one released text")
  func chunking() throws {
    let policy = try AcceptableUsePolicy(packs: [try Self.load()])
    let words = [
      "sure", "here is how to", "make", "a", "pipe bomb", "bath bomb", "sorry", "cook", "meth", "for", "the",
      "k e y l o g g e r", "follow these steps to", "lego", "synthesize", "s4rin", ".",
    ]
    var random = SplitMix64(state: 4711)
    for _ in 0..<300 {
      let seed = random.state
      let text = (0..<20).map { _ in words[Int.random(in: 0..<words.count, using: &random)] }.joined(separator: " ")
      let whole = StreamGuardTests.run([text], policy)
      #expect(whole == StreamGuardTests.run(StreamGuardTests.cut(text, &random), policy), "seed \(seed): \(text)")
      #expect((whole.finding != nil) == policy.assess(text, direction: .response).flagged, "seed \(seed): \(text)")
    }
  }
}
