import Completions
import EngineFixtures
import InferenceEngine
import Testing

/// The same request gives the same text whatever else the engine is doing.
struct CompanyTests {
  static let requests: [CompletionRequest] = (0..<12).map { index in
    TinyEngine.request(
      [1, 5, 17, 40, 64, 90][index % 6], salt: index, temperature: index.isMultiple(of: 2) ? 0 : 1, seed: UInt64(index),
      maximum: 10 + index)
  }

  static func alone() async throws -> [Collected] {
    let engine = try TinyEngine.make(sequences: 1, chunk: 48)
    var results: [Collected] = []
    for request in Self.requests { results.append(try await engine.collect(request)) }
    return results
  }

  @Test("greedy and seeded, together and alone", arguments: [(1, 12), (2, 3), (3, 1)])
  func together(threads: Int, sequences: Int) async throws {
    let alone = try await Self.alone()
    let engine = try TinyEngine.make(threads: threads, sequences: sequences, chunk: 48)
    let together = try await withThrowingTaskGroup(of: (Int, Collected).self) { group in
      for (index, request) in Self.requests.enumerated() { group.addTask { (index, try await engine.collect(request)) } }
      return try await group.reduce(into: [Int: Collected]()) { $0[$1.0] = $1.1 }
    }
    for index in alone.indices { #expect(together[index] == alone[index], "request \(index)") }
    #expect(alone.contains { $0.end?.reason == .length })
    let produced = UInt64(alone.reduce(0) { $0 + $1.tokens })
    let read = UInt64(alone.reduce(0) { $0 + ($1.prompt?.promptUncached ?? 0) })
    #expect(try await TinyEngine.wait(engine) { $0.completionTokens == produced && $0.promptTokens == read && $0.running == 0 })
  }

  @Test("without a seed two runs differ, with one they do not")
  func seeds() async throws {
    let engine = try TinyEngine.make()
    let texts = { (seed: UInt64?) in
      [
        try await engine.collect(TinyEngine.request(5, temperature: 2, seed: seed, maximum: 40)).text,
        try await engine.collect(TinyEngine.request(5, temperature: 2, seed: seed, maximum: 40)).text,
      ]
    }
    let (free, seeded) = (try await texts(nil), try await texts(7))
    #expect(free[0] != free[1])
    #expect(seeded[0] == seeded[1])
  }

  @Test("usage adds up: prompt tokens as prepared, deltas as counted at the end")
  func usage() async throws {
    let engine = try TinyEngine.make()
    for request in Self.requests {
      let prompt = try await engine.prepare(request)
      let collected = try await engine.collect(request)
      #expect(collected.prompt == CompletionUsage(promptUncached: prompt.promptTokens))
      #expect(collected.end?.usage == CompletionUsage(promptUncached: prompt.promptTokens, completion: collected.tokens))
      #expect(collected.tokens <= prompt.completionCeiling)
    }
  }
}
