import Completions
import EngineFixtures
import InferenceEngine
import Synchronization
import Tensors
import Testing

/// Random arrivals, cancellations, allowances and far too little memory: every text is what it is alone.
struct PressureTests {
  struct Case: Sendable {
    var request: CompletionRequest
    var delay: Int
    /// Grants, the last one final; nil for all at once.
    var grants: [Int]?
    /// Cancelled after so many tokens.
    var cancelAfter: Int?
  }

  static func cases(_ random: inout SplitMix64, _ count: Int) -> [Case] {
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    return (0..<count).map { index in
      var request = SharingTests.request(
        1 + below(95), beginning: [0, 20, 40, 64][below(4)], salt: index, scope: [nil, "a", "b"][below(3)],
        maximum: 1 + below(30),
        temperature: below(2) == 0 ? 0 : 1)
      request.fairnessKey = ["x", "y", "z"][below(3)]
      if below(2) == 0 { request.sampling.logitBias = [30: 25, 31: 25, 32: 25] }
      let grants = below(2) == 0 ? (0..<1 + below(4)).map { _ in below(31) }.sorted() : nil
      return Case(request: request, delay: below(20), grants: grants, cancelAfter: below(6) == 0 ? below(10) : nil)
    }
  }

  static func run(_ engine: EmbeddedEngine, _ test: Case) async throws -> Collected {
    try await Task.sleep(for: .milliseconds(test.delay))
    let prompt = try await engine.prepare(test.request)
    let allowance = TokenAllowance(tokens: test.grants?.first ?? prompt.completionCeiling, isFinal: test.grants?.count ?? 1 == 1)
    let stream = engine.start(prompt, allowance: allowance)
    if let grants = test.grants, grants.count > 1 {
      Task {
        for (index, grant) in grants.enumerated().dropFirst() {
          try await Task.sleep(for: .milliseconds(3))
          allowance.raise(to: grant, isFinal: index == grants.count - 1)
        }
      }
    }
    var collected = Collected()
    for try await event in stream {
      collected.add(event)
      if let most = test.cancelAfter, collected.tokens >= most { stream.cancel() }
    }
    #expect(collected.tokens <= allowance.grant.tokens)
    return collected
  }

  @Test("with memory for little more than one sequence", arguments: [1, 2])
  func pressure(threads: Int) async throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    var random = SplitMix64(seed: seed)
    let cases = Self.cases(&random, 60)
    let block = 32 * 2 * 2 * 2 * 16 * 2
    let path = try TinyEngine.path.get()
    let engine = try EmbeddedEngine(
      path: path,
      options: EngineOptions(threads: threads, maximumSequences: 5, queueLimit: 100, prefillChunk: 40, kvMemory: 6 * block))
    let results = try await withThrowingTaskGroup(of: (Int, Collected).self) { group in
      for (index, test) in cases.enumerated() { group.addTask { (index, try await Self.run(engine, test)) } }
      return try await group.reduce(into: [Int: Collected]()) { $0[$1.0] = $1.1 }
    }
    let alone = try EmbeddedEngine(
      path: path, options: EngineOptions(maximumSequences: 1, sharesPrefixes: false, looksAhead: false))
    for (index, test) in cases.enumerated() {
      let got = try #require(results[index])
      let whole = try await alone.collect(test.request)
      let note = Comment(rawValue: "seed \(seed), case \(index): \(test)")
      let usage = try #require(got.end?.usage)
      #expect(usage.completion == got.tokens, note)
      #expect(got.tokens <= whole.tokens, note)
      if got.end?.reason == .cancelled || got.end?.reason == .allowance {
        #expect(got.deltas.prefix(got.tokens) == whole.deltas.prefix(got.tokens), note)
        if got.end?.reason == .allowance { #expect(got.tokens == test.grants?.last, note) }
      } else {
        #expect(got.text == whole.text && got.end?.reason == whole.end?.reason && got.tokens == whole.tokens, note)
        #expect(usage.promptCached + usage.promptUncached == test.request.promptCount, note)
      }
    }
    #expect(try await TinyEngine.wait(engine) { $0.running == 0 && $0.queued == 0 && $0.cacheBytesUsed == 0 })
    #expect(engine.statistics.cacheBytesResident <= 6 * block)
    #expect(engine.statistics.suspensions > 0)
  }
}

extension CompletionRequest {
  var promptCount: Int { if case .tokens(let tokens) = self.prompt { tokens.count } else { -1 } }
}
