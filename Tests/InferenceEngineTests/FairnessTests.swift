import Completions
import EngineFixtures
import LlamaModel
import Tensors
import Testing

@testable import InferenceEngine

/// Nobody gets less because another asks for more.
struct FairnessTests {
  static func request(_ length: Int, key: String, salt: Int, maximum: Int) -> CompletionRequest {
    var request = TinyEngine.request(length, salt: salt, maximum: maximum)
    request.fairnessKey = key
    return request
  }

  /// Finished requests of others when that of "one" ends, with `many` requests of another key before it. No thread runs the engine but
  /// the test's.
  static func place(sequences: Int, many: Int, length: Int) throws -> UInt64 {
    let options = EngineOptions(maximumSequences: sequences, queueLimit: 200, prefillChunk: 64)
    let loaded = try LoadedModel(path: TinyEngine.path.get(), options: options)
    let preparation = loaded.preparation(contextLength: 128)
    let inbox = EngineInbox(openLimit: 200)
    let scheduler = Scheduler(
      model: loaded.weights, backend: try CPUBackend(threads: 1), inbox: inbox, options: options, kvType: .f16,
      blocks: 4 * sequences, contextLength: 128)
    var streams: [AsyncThrowingStream<CompletionEvent, any Error>] = []
    func submit(_ key: String, _ salt: Int) throws -> CancellationFlag {
      let prompt = try preparation.prepare(Self.request(length, key: key, salt: salt, maximum: 20))
      let (events, continuation) = AsyncThrowingStream.makeStream(of: CompletionEvent.self, throwing: (any Error).self)
      let ended = CancellationFlag()
      continuation.onTermination = { _ in ended.set() }
      streams.append(events)
      let submission = Submission(
        prompt: prompt, form: try OutputForm(prompt.request, template: nil), vocabulary: nil,
        allowance: TokenAllowance(tokens: 20), events: continuation, cancellation: CancellationFlag())
      #expect(inbox.submit(submission) == .accepted)
      return ended
    }
    for salt in 0..<many { _ = try submit("many", salt) }
    // The others are well under way.
    for _ in 0..<5 { _ = scheduler.takeTurn() }
    let ended = try submit("one", many)
    while !ended.isSet { #expect(scheduler.takeTurn()) }
    let place = scheduler.statistics.finished
    inbox.close()
    scheduler.run()
    #expect(inbox.statistics.cacheBytesUsed == 0)
    return place
  }

  @Test("one request of a customer does not wait for the hundred of another", arguments: [1, 3, 8])
  func hundred(sequences: Int) throws {
    // Those that were in a place before it, and one more round of places at most.
    #expect(try Self.place(sequences: sequences, many: 100, length: 60) <= UInt64(2 * sequences + 2))
    #expect(try Self.place(sequences: sequences, many: 0, length: 60) == 1)
  }

  @Test("a full queue makes room for who has less in it, and refuses who has most")
  func displaced() async throws {
    let engine = try TinyEngine.make(sequences: 1, queue: 4)
    var readers: [Reader] = []
    for salt in 0..<5 {
      let prompt = try await engine.prepare(Self.request(20, key: "many", salt: salt, maximum: 50))
      readers.append(Reader(engine.start(prompt, allowance: TokenAllowance(tokens: 0, isFinal: false))))
    }
    let other = try await engine.prepare(Self.request(20, key: "other", salt: 9, maximum: 3))
    let answer = try await Collected.all(engine.start(other, allowance: TokenAllowance(tokens: 3)))
    #expect(answer.tokens == 3)
    let newest = readers[4]
    let error = await #expect(throws: CompletionError.self) { try await newest.end() }
    #expect(error?.code == .overloaded)
    let more = try await engine.prepare(Self.request(20, key: "many", salt: 10, maximum: 3))
    #expect(try await TinyEngine.wait(engine) { $0.finished == 1 })
    _ = engine.start(more, allowance: TokenAllowance(tokens: 0, isFinal: false))
    engine.shutdown()
  }

  @Test("a turn's tokens: alone all of them, beside others no more than the shortest needs")
  func chunks() {
    let make = { (key: String, unread: Int, turn: UInt64) in
      PrefillPlan.Candidate(key: key, unread: unread, filled: 0, lastTurn: turn)
    }
    let tokens = { (candidates: [PrefillPlan.Candidate], budget: Int, shares: Shares) in
      PrefillPlan.chunks(candidates, budget: budget, shares: shares).map { [$0.index, $0.tokens] }
    }
    #expect(tokens([make("a", 2000, 0)], 512, Shares()) == [[0, 512]])
    #expect(tokens([make("a", 100, 0)], 512, Shares()) == [[0, 100]])
    #expect(tokens([make("a", 2000, 5), make("a", 40, 0)], 512, Shares()) == [[1, 40], [0, 32]])
    #expect(tokens([make("a", 2000, 5), make("b", 7, 9)], 512, Shares()) == [[0, 32], [1, 7]])
    // The key that was served less comes first, whoever waits longer.
    var shares = Shares()
    shares.keep(["a", "b"])
    shares.charge("a", 10)
    #expect(tokens([make("a", 500, 0), make("a", 500, 0), make("b", 500, 4)], 600, shares) == [[2, 500], [0, 96], [1, 4]])
    #expect(tokens([], 512, Shares()).isEmpty)
  }

  @Test("tokens are shared evenly between keys over many turns, however many requests a key has")
  func even() {
    var shares = Shares()
    var read = ["a": 0, "b": 0]
    for turn in 0..<200 {
      shares.keep(["a", "b"])
      let keys = ["a", "a", "a", "a", "a", "a", "a", "a", "a", "b"]
      let candidates = keys.enumerated().map { index, key in
        PrefillPlan.Candidate(key: key, unread: 10_000, filled: 0, lastTurn: UInt64((index * 7 + turn * 3) % 10))
      }
      for (index, tokens) in PrefillPlan.chunks(candidates, budget: 64, shares: shares) {
        shares.charge(keys[index], tokens)
        read[keys[index], default: 0] += tokens
      }
    }
    #expect(abs((read["a"] ?? 0) - (read["b"] ?? 0)) <= 64, "\(read)")
  }

  static let budgets = [(1, 0, 512), (3, 0, 512), (1, 1, 64), (1, 15, 64), (15, 1, 349), (0, 3, 64)]

  @Test("what a turn may read", arguments: Self.budgets)
  func budget(prefilling: Int, decoding: Int, wanted: Int) {
    #expect(PrefillPlan.budget(chunk: 512, prefilling: prefilling, decoding: decoding) == wanted)
    #expect(PrefillPlan.budget(chunk: 16, prefilling: prefilling, decoding: decoding) <= 16)
  }

  @Test("a key that comes back has no credit from the time it was away")
  func shares() {
    var shares = Shares()
    shares.keep(["a", "b"])
    shares.charge("a", 900)
    shares.charge("b", 1000)
    shares.keep(["a"])
    shares.charge("a", 100)
    shares.keep(["a", "b"])
    #expect(shares.served("a") == shares.served("b"))
  }
}
