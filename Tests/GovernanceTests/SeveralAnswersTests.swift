import Completions
import Documents
import Governance
import GovernanceTypes
import Simulation
import Synchronization
import Testing

@testable import struct Governance.AnswerShares

/// Requests for more than one answer to a prompt.
@Suite("Several answers")
struct SeveralAnswersTests {
  private static let words = ["one ", "two ", "three ", "four ", "five "]

  private static func call(_ fixture: GateFixture, answers: Int, most: Int? = nil, key: String? = nil) -> Call {
    var call = fixture.call(most: most, key: key)
    call.request.answers = answers
    return call
  }

  /// The texts by answer, the usage record and the end.
  private static func run(_ fixture: GateFixture, _ call: Call) async throws -> ([String], UsageRecord?, Finish?) {
    guard case .live(let live) = try await fixture.gate.admit(call) else { return ([], nil, nil) }
    let seen = Mutex((texts: Array(repeating: "", count: call.request.answers), finish: Finish?.none))
    let record = await live.run(handover: .asItComes) { @concurrent event in
      seen.withLock { seen in
        switch event {
        case .piece(let piece): seen.texts[piece.answer] += piece.text
        case .finished(_, let finish): seen.finish = finish
        case .failed: break
        }
      }
    }
    let (texts, finish) = seen.withLock { $0 }
    return (texts, record, finish)
  }

  @Test("the prompt is charged once, the tokens of every answer are", arguments: [2, 3, 16, 128])
  func charged(_ answers: Int) async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    let (texts, record, finish) = try await Self.run(fixture, Self.call(fixture, answers: answers))
    #expect(texts == Array(repeating: "one two three four five ", count: answers))
    #expect(finish?.reasons == Array(repeating: .stop, count: answers))
    #expect(record?.tokens.prompt.value == 10)
    #expect(record?.tokens.completion.value == 5 * answers)
    #expect(record?.amount == NanoAmount(Int128(10 * GateFixture.promptNano + 5 * answers * GateFixture.completionNano)))
    #expect(fixture.gate.openHoldCount == 0)
  }

  @Test("the limit is each answer's own, and the hold is for all of them")
  func limited() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    let (texts, record, finish) = try await Self.run(fixture, Self.call(fixture, answers: 3, most: 2))
    #expect(texts == ["one two ", "one two ", "one two "])
    #expect(finish?.reasons == [.length, .length, .length] && finish?.detail == nil)
    #expect(record?.tokens.completion.value == 6)
    let hold = try #require(fixture.journal.entries.last { $0.type == .hold })
    #expect(hold.fields.first { $0.key == "amount_nano" }?.value == .string("22"))
  }

  @Test("where money ends, all answers together end at the exact token", arguments: [1, 2, 5, 7, 14])
  func money(_ affordable: Int) async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    try await fixture.limitSpend(nano: 10 * GateFixture.promptNano + affordable * GateFixture.completionNano)
    let (texts, record, finish) = try await Self.run(fixture, Self.call(fixture, answers: 3))
    #expect(record?.tokens.completion.value == affordable)
    #expect(fixture.engine.producedTokens == affordable)
    #expect(texts.reduce(0) { $0 + $1.split(separator: " ").count } == affordable)
    #expect(finish?.detail == .spendLimitReached)
  }

  @Test("an engine that breaks in one answer ends all, and what was shown is charged")
  func broken() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words, breaksAfter: 3))
    let (texts, record, finish) = try await Self.run(fixture, Self.call(fixture, answers: 2))
    #expect(finish == nil)
    #expect(record?.tokens.completion.value == texts.reduce(0) { $0 + $1.split(separator: " ").count })
    #expect(fixture.gate.openHoldCount == 0)
  }

  @Test("a retry under the same key gets every answer again, without a second charge")
  func replayed() async throws {
    let fixture = try await GateFixture(script: .init(promptTokens: 10, tokens: Self.words))
    let call = Self.call(fixture, answers: 2, key: "k")
    _ = try await Self.run(fixture, call)
    guard case .replay(let reply) = try await fixture.gate.admit(call) else {
      Issue.record("the retry ran")
      return
    }
    #expect(reply.answers.map(\.text) == Array(repeating: "one two three four five ", count: 2))
    #expect(reply.answers.map(\.answer) == [0, 1])
  }

  @Test("the shares of an allowance never exceed it, never fall, and all of it can be used")
  func shares() {
    for seed in 0..<UInt64(100) { Self.play(seed) }
  }

  private static func play(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let count = Int.random(in: 1...9, using: &random)
    var shares = AnswerShares(count)
    var wanted = (0..<count).map { _ in Int.random(in: 0...40, using: &random) }
    let most = Int.random(in: 0...200, using: &random)
    var total = TokenAllowance.Grant(tokens: 0, isFinal: false)
    var (produced, granted) = (Array(repeating: 0, count: count), Array(repeating: 0, count: count))
    var running = Set(0..<count)
    var rounds = 0
    while !running.isEmpty {
      rounds += 1
      guard rounds < 10_000 else {
        Issue.record("nothing goes on any more; seed \(seed)")
        return
      }
      // As the gate does it: the allowance follows what was produced, by a lead for each answer.
      let ahead = produced.reduce(0, +) + 4 * count
      total = .init(tokens: max(total.tokens, min(most, ahead)), isFinal: ahead >= most)
      var isFinal = false
      for (answer, grant) in shares.grants(of: total) {
        if grant.tokens < granted[answer] { Issue.record("the share of \(answer) fell; seed \(seed)") }
        granted[answer] = grant.tokens
        isFinal = isFinal || grant.isFinal
      }
      let promised = produced.indices.reduce(0) { $0 + (running.contains($1) ? granted[$1] : produced[$1]) }
      if promised > total.tokens { Issue.record("\(promised) are granted of \(total.tokens); seed \(seed)") }
      let answer = running.randomElement(using: &random) ?? 0
      if produced[answer] < granted[answer], wanted[answer] > 0 {
        produced[answer] += 1
        wanted[answer] -= 1
        shares.produced(1, by: answer)
      } else if wanted[answer] == 0 || isFinal {
        running.remove(answer)
        shares.ended(answer, with: produced[answer])
      }
    }
    let asked = zip(produced, wanted).reduce(0) { $0 + $1.0 + $1.1 }
    #expect(produced.reduce(0, +) == min(most, asked), "seed \(seed)")
  }
}
