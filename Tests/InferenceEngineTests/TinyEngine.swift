import Completions
import EngineFixtures
import Foundation
import InferenceEngine
import Synchronization
import Testing

/// Engines on one small random model.
enum TinyEngine {
  static let path: Result<String, any Error> = Result { try TinyLlama(format: .q8_0, seed: 3).write() }

  static func make(
    threads: Int = 1, sequences: Int = 4, queue: Int = 64, context: Int? = nil, chunk: Int = 16
  ) throws -> EmbeddedEngine {
    try EmbeddedEngine(
      path: Self.path.get(),
      options: EngineOptions(
        threads: threads, maximumSequences: sequences, queueLimit: queue, contextLimit: context, prefillChunk: chunk))
  }

  static func request(
    _ length: Int, salt: Int = 0, temperature: Float = 0, seed: UInt64? = nil, maximum: Int? = nil, stop: [String] = []
  ) -> CompletionRequest {
    let tokens = [1] + (1..<max(1, length)).map { Int32(3 + ($0 * 31 + salt * 57) % 290) }
    return CompletionRequest(
      prompt: .tokens(tokens), sampling: SamplingParameters(temperature: temperature, seed: seed),
      maximumCompletionTokens: maximum, stop: stop)
  }

  /// Waits until the engine's published figures satisfy a condition; false after five minutes.
  static func wait(_ engine: EmbeddedEngine, until condition: (EngineStatistics) -> Bool) async throws -> Bool {
    try await comesAbout { condition(engine.statistics) }
  }
}

/// Whether something holds at last that comes about elsewhere; on a busy machine that may take a while.
func comesAbout(_ holds: () -> Bool) async throws -> Bool {
  let end = ContinuousClock.now + .seconds(300)
  while !holds() {
    if ContinuousClock.now > end { return false }
    try await Task.sleep(for: .milliseconds(2))
  }
  return true
}

/// Reads a stream in its own task and shows at any time what has come.
final class Reader: Sendable {
  private let collected = Mutex(Collected())
  private let outcome = Mutex<Result<Void, any Error>?>(nil)

  init(_ stream: CompletionStream) {
    Task {
      do {
        for try await event in stream { self.collected.withLock { $0.add(event) } }
        self.outcome.withLock { $0 = .success(()) }
      } catch {
        self.outcome.withLock { $0 = .failure(error) }
      }
    }
  }

  var now: Collected { self.collected.withLock { $0 } }

  /// Everything, once the stream has ended.
  func end() async throws -> Collected {
    struct NeverEnded: Error {}
    guard try await comesAbout({ self.outcome.withLock { $0 } != nil }) else { throw NeverEnded() }
    try self.outcome.withLock { $0 }?.get()
    return self.now
  }
}
