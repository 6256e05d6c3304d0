import Completions
import Testing

@testable import RemoteEngines

@Suite("One answer as a value")
struct UpstreamAnswerTests {
  private func prompt(ceiling: Int) -> PreparedPrompt {
    PreparedPrompt(
      request: CompletionRequest(prompt: .text("hello")), tokens: [], promptTokens: 50, isExact: false, completionCeiling: ceiling
    )
  }

  private func grant(_ tokens: Int, isFinal: Bool) -> TokenAllowance.Grant {
    TokenAllowance(tokens: tokens, isFinal: isFinal).grant
  }

  private func event(_ text: String, tokens: Int? = nil, finish: String? = nil) -> [UInt8] {
    let usage = tokens.map { #","usage":{"prompt_tokens":3,"completion_tokens":\#($0)}"# } ?? ""
    let reason = finish.map { #","finish_reason":"\#($0)""# } ?? ""
    return Array(#"{"choices":[{"index":0,"delta":{"content":"\#(text)"}\#(reason)}]\#(usage)}"#.utf8)
  }

  @Test("a chunk waits for room, and what the room covers of it goes out first")
  func rooms() throws {
    var answer = UpstreamAnswer(to: self.prompt(ceiling: 100), counter: nil)
    try answer.take(self.event("0123456789", tokens: 10), url: "")
    guard case .waits = answer.step(self.grant(0, isFinal: false)) else { throw Unexpected() }
    #expect(answer.isWaiting)
    guard case .delta(let part) = answer.step(self.grant(4, isFinal: false)) else { throw Unexpected() }
    #expect(part.text == "0123" && part.tokens == 4)
    guard case .waits = answer.step(self.grant(4, isFinal: false)) else { throw Unexpected() }
    guard case .delta(let rest) = answer.step(self.grant(40, isFinal: false)) else { throw Unexpected() }
    #expect(rest.text == "456789" && rest.tokens == 6)
    guard case .needsMore = answer.step(self.grant(40, isFinal: false)) else { throw Unexpected() }
    #expect(!answer.isWaiting && answer.emitted == 10)
  }

  @Test("what an answer ends with is charged as handed on, and no more than was granted", arguments: [3, 5, 9])
  func hiddenTokens(_ granted: Int) throws {
    var answer = UpstreamAnswer(to: self.prompt(ceiling: 100), counter: nil)
    try answer.take(self.event("abc"), url: "")
    guard case .delta = answer.step(self.grant(granted, isFinal: true)) else { throw Unexpected() }
    try answer.take(self.event("d", tokens: 5, finish: "stop"), url: "")
    var ending: UpstreamAnswer.Ending?
    var tokens = 1
    steps: while true {
      switch answer.step(self.grant(granted, isFinal: true)) {
      case .delta(let delta): tokens += delta.tokens
      case .needsMore: try answer.take(Array("[DONE]".utf8), url: "")
      case .waits: throw Unexpected()
      case .ends(let reason):
        ending = reason
        break steps
      }
    }
    #expect(ending == (granted < 5 ? .allowance : .proper(.stop)))
    #expect(tokens == min(granted, 5))
    let (end, _) = answer.end(try #require(ending))
    #expect(end.usage.completion == tokens)
  }

  @Test(
    "whatever a server sends, no more is handed on than was granted, and the text is a beginning of what came", arguments: 0..<20)
  func neverBeyond(_ seed: UInt64) throws {
    var random = Steps(state: seed)
    for _ in 0..<40 {
      let ceiling = 1 + Int(random.next() % 30)
      var answer = UpstreamAnswer(to: self.prompt(ceiling: ceiling), counter: nil)
      var grant = self.grant(Int(random.next() % 4), isFinal: false)
      var (sent, text, tokens, counted) = ("", "", 0, 0)
      events: for number in 0..<20 {
        let piece = String(repeating: Character(Unicode.Scalar(UInt8(97 + number))), count: Int(random.next() % 6))
        counted += Int(random.next() % 4)
        sent += piece
        try answer.take(self.event(piece, tokens: random.next() % 2 == 0 ? counted : nil), url: "")
        while true {
          let step = answer.step(grant)
          if case .delta(let delta) = step {
            tokens += delta.tokens
            text += delta.text
          }
          #expect(tokens <= ceiling && (tokens <= grant.tokens || delta(step)?.tokens == 0), "seed \(seed)")
          if case .waits = step {
            grant.tokens += 1 + Int(random.next() % 3)
            grant.isFinal = random.next() % 8 == 0
          }
          if case .ends = step { break events }
          if case .needsMore = step { break }
        }
      }
      #expect(sent.hasPrefix(text), "seed \(seed)")
      #expect(answer.emitted == tokens, "seed \(seed)")
    }
  }

  private func delta(_ step: UpstreamAnswer.Step) -> CompletionDelta? { if case .delta(let delta) = step { delta } else { nil } }

  private struct Unexpected: Error {}

  private struct Steps {
    var state: UInt64

    mutating func next() -> UInt64 {
      self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return self.state >> 33
    }
  }
}
