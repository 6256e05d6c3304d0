import Completions
import EngineFixtures
import InferenceEngine
import Testing

/// Cancellation, full queues and the end of the engine.
struct LifecycleTests {
  static func start(_ engine: EmbeddedEngine, granted: Int, salt: Int = 0) async throws -> CompletionStream {
    let prompt = try await engine.prepare(TinyEngine.request(20, salt: salt))
    return engine.start(prompt, allowance: TokenAllowance(tokens: granted, isFinal: false))
  }

  @Test("cancel ends a waiting, a parked and a running sequence and frees the place")
  func cancel() async throws {
    let engine = try TinyEngine.make(sequences: 1, queue: 1)
    let first = try await Self.start(engine, granted: 3)
    let reader = Reader(first)
    #expect(try await TinyEngine.wait(engine) { $0.parked == 1 })
    first.cancel()
    let cut = try await reader.end()
    #expect(cut.end == CompletionEnd(reason: .cancelled, usage: CompletionUsage(promptUncached: 20, completion: 3)))
    first.cancel()
    #expect(try await TinyEngine.wait(engine) { $0.running == 0 && $0.cacheBytesUsed == 0 })
    #expect(try await engine.collect(TinyEngine.request(5, maximum: 2)).tokens == 2)
  }

  @Test("cancelling frees the place within one step", arguments: [1, 3])
  func cancelWithinOneStep(sequences: Int) async throws {
    let engine = try TinyEngine.make(sequences: sequences)
    for round in 0..<10 {
      let stream = try await Self.start(engine, granted: 10_000, salt: round)
      let reader = Reader(stream)
      #expect(try await TinyEngine.wait(engine) { _ in reader.now.tokens >= 3 || reader.now.end != nil })
      stream.cancel()
      // A step that had begun when the cancellation came is counted after this; no other one may follow it.
      let steps = engine.statistics.decodeSteps
      #expect(try await TinyEngine.wait(engine) { $0.running == 0 && $0.finished == UInt64(round + 1) })
      #expect(engine.statistics.decodeSteps <= steps + 1)
    }
  }

  @Test("ten thousand requests leave nothing behind")
  func manyRequests() async throws {
    let engine = try TinyEngine.make(threads: 1, sequences: 16, queue: 10_000)
    for start in stride(from: 0, to: 10_000, by: 500) {
      var streams: [CompletionStream] = []
      for salt in start..<start + 500 {
        var request = TinyEngine.request(2 + salt % 5, salt: salt, maximum: 1 + salt % 2)
        request.cacheScope = "\(salt % 7)"
        request.fairnessKey = "\(salt % 11)"
        let prompt = try await engine.prepare(request)
        streams.append(engine.start(prompt, allowance: TokenAllowance(tokens: 2)))
        if salt % 50 == 0 { streams[streams.count - 1].cancel() }
      }
      for stream in streams { _ = try await Collected.all(stream) }
    }
    #expect(try await TinyEngine.wait(engine) { $0.finished == 10_000 && $0.running == 0 && $0.queued == 0 })
    let statistics = engine.statistics
    #expect(statistics.cacheBytesUsed == 0 && statistics.cacheBytesKept <= statistics.cacheBytesResident)
    // Four blocks of 32 positions for each of sixteen sequences.
    #expect(statistics.cacheBytesResident <= 16 * 4 * 32 * 2 * 2 * 2 * 16 * 2)
  }

  @Test("cancel before the engine has looked leaves nothing to pay for")
  func cancelAtOnce() async throws {
    let engine = try TinyEngine.make(sequences: 1)
    for _ in 0..<50 {
      let stream = try await Self.start(engine, granted: 1000)
      stream.cancel()
      let collected = try await Collected.all(stream)
      let end = try #require(collected.end)
      #expect(end.usage.completion == collected.tokens)
      #expect(end.reason == .cancelled || end.reason == .stop || end.reason == .length)
    }
    #expect(try await TinyEngine.wait(engine) { $0.running == 0 && $0.finished == 50 })
  }

  @Test("a reader that goes away cancels")
  func dropped() async throws {
    let engine = try TinyEngine.make(sequences: 1, queue: 0)
    for try await event in try await Self.start(engine, granted: 5) {
      if case .delta = event { break }
    }
    #expect(try await TinyEngine.wait(engine) { $0.running == 0 && $0.finished == 1 })
    let task = Task { try await Collected.all(try await Self.start(engine, granted: 5)) }
    #expect(try await TinyEngine.wait(engine) { $0.parked == 1 })
    task.cancel()
    _ = try await task.value
    #expect(try await TinyEngine.wait(engine) { $0.running == 0 && $0.finished == 2 })
  }

  @Test("the request beyond places and queue is refused at once; an end makes room", arguments: [(1, 0), (1, 2), (3, 1)])
  func overload(sequences: Int, queue: Int) async throws {
    let engine = try TinyEngine.make(sequences: sequences, queue: queue)
    var open: [Reader] = []
    var streams: [CompletionStream] = []
    for salt in 0..<sequences + queue {
      streams.append(try await Self.start(engine, granted: 0, salt: salt))
      open.append(Reader(streams[salt]))
    }
    let error = await #expect(throws: CompletionError.self) {
      try await Collected.all(try await Self.start(engine, granted: 0))
    }
    #expect(error?.code == .overloaded)
    streams[0].cancel()
    _ = try await open[0].end()
    #expect(try await TinyEngine.wait(engine) { $0.finished == 1 })
    streams.append(try await Self.start(engine, granted: 0))
    let last = Reader(streams[streams.count - 1])
    #expect(try await TinyEngine.wait(engine) { _ in last.now.prompt != nil })
  }

  @Test("shutting down ends every stream as unavailable, and later ones too")
  func shutdown() async throws {
    let engine = try TinyEngine.make(sequences: 2)
    var readers: [Reader] = []
    for salt in 0..<6 { readers.append(Reader(try await Self.start(engine, granted: salt % 3 == 0 ? 1000 : 2, salt: salt))) }
    #expect(try await TinyEngine.wait(engine) { $0.finished == 2 && $0.running + $0.queued == 4 }, "\(engine.statistics)")
    engine.shutdown()
    engine.shutdown()
    var ended = 0
    for reader in readers {
      do {
        #expect(try await reader.end().end != nil)
      } catch let error as CompletionError {
        #expect(error.code == .unavailable)
        ended += 1
      }
    }
    #expect(ended == 4)
    let error = await #expect(throws: CompletionError.self) {
      try await Collected.all(try await Self.start(engine, granted: 1))
    }
    #expect(error?.code == .unavailable)
    #expect(engine.statistics.running == 0 && engine.statistics.cacheBytesUsed == 0)
  }

  @Test("an engine that nobody holds any more ends its thread and its streams")
  func released() async throws {
    let stream = try await Self.start(TinyEngine.make(), granted: 2)
    await #expect(throws: CompletionError.self) { _ = try await Collected.all(stream) }
  }

  @Test("a prompt that the engine has not prepared never reaches the model")
  func forged() async throws {
    let engine = try TinyEngine.make()
    let honest = try await engine.prepare(TinyEngine.request(5))
    let forge = { (tokens: [Int32], ceiling: Int) in
      PreparedPrompt(
        request: honest.request, tokens: tokens, promptTokens: tokens.count, isExact: true, completionCeiling: ceiling)
    }
    let wrong = [
      forge([], 1), forge([-1], 1), forge([Int32(TinyLlama.vocabularySize)], 1), forge([.max], 1), forge([1], 0), forge([1], -1),
      forge([1], 128), forge([1], .max), forge([Int32](repeating: 1, count: 129), 1),
    ]
    for prompt in wrong {
      let error = await #expect(throws: CompletionError.self) {
        try await Collected.all(engine.start(prompt, allowance: TokenAllowance(tokens: 3)))
      }
      #expect(error?.code == .invalidRequest)
    }
    #expect(try await Collected.all(engine.start(forge([1], 127), allowance: TokenAllowance(tokens: 3))).tokens == 3)
  }
}
