import Completions
import EngineFixtures
import InferenceEngine
import Testing

/// The engine produces what is granted and not one token more.
struct AllowanceTests {
  static let request = TinyEngine.request(20, maximum: 24)

  /// Starts the request with an allowance of its own.
  static func start(
    _ engine: EmbeddedEngine, _ allowance: TokenAllowance, _ request: CompletionRequest = Self.request
  ) async throws -> CompletionStream {
    engine.start(try await engine.prepare(request), allowance: allowance)
  }

  @Test("a final grant ends at the exact token", arguments: 0...26)
  func final(granted: Int) async throws {
    let engine = try TinyEngine.make()
    let whole = try await engine.collect(Self.request)
    try #require(whole.tokens == 24 && whole.end?.reason == .length)
    let cut = try await Collected.all(Self.start(engine, TokenAllowance(tokens: granted)))
    let wanted = min(granted, 24)
    #expect(cut.tokens == wanted)
    // The request's own limit comes first where both are reached at once.
    #expect(cut.end?.reason == (granted >= 24 ? .length : .allowance))
    #expect(cut.end?.usage == CompletionUsage(promptUncached: 20, completion: wanted))
    #expect(cut.deltas.prefix(wanted) == whole.deltas.prefix(wanted) || granted >= 24)
    #expect(try await TinyEngine.wait(engine) { $0.running == 0 && $0.completionTokens == UInt64(24 + wanted) })
  }

  @Test("a grant that is not final parks the sequence; raises let it go on; the text is the same")
  func parks() async throws {
    let engine = try TinyEngine.make()
    let whole = try await engine.collect(Self.request)
    let allowance = TokenAllowance(tokens: 0, isFinal: false)
    let reader = Reader(try await Self.start(engine, allowance))
    for granted in [0, 1, 2, 7, 8, 15] {
      allowance.raise(to: granted, isFinal: false)
      #expect(try await TinyEngine.wait(engine) { $0.parked == 1 && $0.completionTokens == UInt64(24 + granted) })
      #expect(try await comesAbout { reader.now.tokens >= granted && reader.now.prompt != nil })
      try await Task.sleep(for: .milliseconds(5))
      #expect(reader.now.tokens == granted)
      #expect(reader.now.prompt != nil && reader.now.end == nil)
      #expect(engine.statistics.completionTokens == UInt64(24 + granted))
    }
    allowance.raise(to: 24, isFinal: false)
    #expect(try await reader.end() == whole)
  }

  @Test("a raise that makes the present grant final ends a parked sequence", arguments: [0, 3])
  func becomesFinal(granted: Int) async throws {
    let engine = try TinyEngine.make()
    let allowance = TokenAllowance(tokens: granted, isFinal: false)
    let reader = Reader(try await Self.start(engine, allowance))
    #expect(try await TinyEngine.wait(engine) { $0.parked == 1 })
    allowance.raise(to: granted, isFinal: true)
    let cut = try await reader.end()
    #expect(cut.tokens == granted && cut.end?.reason == .allowance)
  }

  @Test("a parked sequence holds up nobody, in its place or out of it, and goes on as if it had never waited")
  func neighbours() async throws {
    let engine = try TinyEngine.make(sequences: 2, chunk: 48)
    let requests = (0..<4).map { TinyEngine.request(60 - $0, salt: $0, temperature: 1, seed: UInt64($0), maximum: 30) }
    var alone: [Collected] = []
    for request in requests { alone.append(try await engine.collect(request)) }
    // More parked sequences than places: two of them have to give theirs up.
    let allowances = (0..<4).map { TokenAllowance(tokens: [0, 1, 5, 9][$0], isFinal: false) }
    var readers: [Reader] = []
    for (request, allowance) in zip(requests, allowances) {
      readers.append(Reader(try await Self.start(engine, allowance, request)))
    }
    let other = try await engine.collect(TinyEngine.request(30, salt: 9, maximum: 5))
    #expect(other.tokens == 5)
    for (index, reader) in readers.enumerated() {
      let granted = min(alone[index].tokens, [0, 1, 5, 9][index])
      let engineIsThere = try await TinyEngine.wait(engine) { _ in reader.now.tokens == granted && reader.now.prompt != nil }
      #expect(engineIsThere, "reader \(index) has \(reader.now.tokens)")
    }
    for allowance in allowances { allowance.raise(to: 1000, isFinal: true) }
    for (index, reader) in readers.enumerated() { #expect(try await reader.end() == alone[index], "sequence \(index)") }
    #expect(try await TinyEngine.wait(engine) { $0.running == 0 && $0.queued == 0 && $0.cacheBytesUsed == 0 })
  }

  @Test("many raises from several tasks never let more through than granted")
  func races() async throws {
    let engine = try TinyEngine.make(threads: 2, sequences: 2)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for salt in 0..<6 {
        group.addTask {
          let request = TinyEngine.request(10 + salt, salt: salt, maximum: 40)
          let allowance = TokenAllowance(tokens: 0, isFinal: false)
          var seen = 0
          var end: CompletionEnd?
          for try await event in try await Self.start(engine, allowance, request) {
            switch event {
            case .prompt: allowance.raise(to: 1, isFinal: false)
            case .delta, .deltas:
              seen += event.steps.reduce(0) { $0 + $1.tokens }
              #expect(seen <= allowance.grant.tokens)
              if seen == allowance.grant.tokens { allowance.raise(to: seen + 1 + salt % 3, isFinal: seen > 30) }
            case .end(let last): end = last
            }
          }
          #expect(end?.usage.completion == seen)
          #expect(end?.reason == .allowance || end?.reason == .stop || end?.reason == .length)
        }
      }
      try await group.waitForAll()
    }
  }
}
