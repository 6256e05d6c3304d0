internal import Completions
internal import Synchronization

/// Vectors as work that goes through the gate like a completion: a prompt that is priced and held for, and an end without tokens.
final class EmbeddingWork: CompletionEngine {
  let contextLength: Int
  private let engine: any EmbeddingEngine
  private let inputs: [EmbeddingInput]
  private let made = Mutex<[[Float]]?>(nil)

  init(_ inputs: [EmbeddingInput], engine: any EmbeddingEngine, contextLength: Int) {
    self.inputs = inputs
    self.engine = engine
    self.contextLength = contextLength
  }

  /// One for each input, once the work is done.
  var vectors: [[Float]]? { self.made.withLock { $0 } }

  private func prepared() async throws(CompletionError) -> [PreparedEmbedding] {
    var prepared: [PreparedEmbedding] = []
    for input in self.inputs { prepared.append(try await self.engine.prepare(input)) }
    return prepared
  }

  func prepare(_ request: CompletionRequest) async throws(CompletionError) -> PreparedPrompt {
    let prepared = try await self.prepared()
    return PreparedPrompt(
      request: request, tokens: [], promptTokens: prepared.reduce(0) { $0 + $1.tokenCount },
      isExact: prepared.allSatisfy(\.isExact), completionCeiling: 1)
  }

  func start(_ prompt: PreparedPrompt, allowance: TokenAllowance) -> CompletionStream {
    let (events, continuation) = AsyncThrowingStream<CompletionEvent, any Error>.makeStream()
    let task = Task {
      do throws(CompletionError) {
        let vectors = try await self.engine.embed(try await self.prepared(), pooling: .mean)
        self.made.withLock { $0 = vectors }
        let usage = CompletionUsage(promptUncached: prompt.promptTokens)
        continuation.yield(.prompt(usage))
        continuation.yield(.end(CompletionEnd(reason: .stop, usage: usage)))
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    return CompletionStream(events) { task.cancel() }
  }
}
