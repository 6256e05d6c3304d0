import Testing

@testable import TextEncoder

@Suite("An encoder on a thread of its own")
struct EncoderThreadTests {
  @Test("gives what the encoder gives, to many at once")
  func same() async throws {
    let thread = try EncoderThread(try Tiny.encoder(.exact), waiting: 64, patience: .seconds(60))
    let expected = try Tiny.expected()
    let found = try await withThrowingTaskGroup(of: (Int, [[Float]]).self) { group in
      for (index, row) in expected.enumerated() { group.addTask { (index, try await thread.logits(row.text)) } }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    for (index, row) in expected.enumerated() where row.tokens.count < 48 {
      #expect(found[index]?.count == 1 && distance(found[index]?[0] ?? [], row.logits) < 1e-4, "\(row.text.prefix(40))")
    }
  }

  @Test("a long text is read in stretches that together are the whole, up to the bound")
  func stretches() throws {
    let encoder = try Tiny.encoder(.exact)
    let text = String(repeating: "the people of the system prompt ", count: 30)
    let all = encoder.logits(ofStretches: text, most: 6)
    #expect(all.count == 4 && encoder.logits(ofStretches: text, most: 2).count == 2)
    #expect(all[0] == encoder.logits(text) && all[1] != all[0])
    #expect(encoder.logits(ofStretches: "", most: 3) == [encoder.logits("")])
  }

  @Test("a full line takes no more, one that was given up makes room, and a closed one answers all")
  func line() async {
    let line = EncoderLine(limit: 2)
    let questions = (0..<4).map { EncoderQuestion("\($0)", until: .now + .seconds(3600)) }
    #expect(line.add(questions[0]) == nil && line.add(questions[1]) == nil)
    #expect(line.add(questions[2]) == .full)
    questions[0].answer(.failure(.late))
    #expect(line.add(questions[2]) == nil)
    #expect(line.next()?.text == "1")
    line.close()
    #expect(line.next() == nil && line.add(questions[3]) == .shutDown)
    let outcome = await withCheckedContinuation { questions[2].wait($0) }
    #expect(outcome == .failure(.shutDown))
  }

  @Test("whoever waits too long, or comes after the end, is told so")
  func failures() async throws {
    let hurried = try EncoderThread(try Tiny.encoder(.exact), patience: .zero)
    for _ in 0..<8 { await #expect(throws: EncoderFailure.late) { try await hurried.logits("text") } }
    hurried.shutdown()
    await #expect(throws: EncoderFailure.shutDown) { try await hurried.logits("text") }
  }
}
