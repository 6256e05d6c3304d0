public import Completions

/// A completion that has ended.
public struct CompletedText: Sendable, Equatable {
  public var text: String
  public var end: CompletionEnd
}

extension EmbeddedEngine {
  /// Runs one request to its end, with as many tokens as it asks for.
  ///
  /// - Parameter onText: gets the text piece by piece as it comes.
  /// - Throws: ``CompletionError``, as `prepare` and `start` would report it.
  public func complete(
    _ request: CompletionRequest, onText: (String) -> Void = { _ in }
  ) async throws -> CompletedText {
    let prompt = try await self.prepare(request)
    var text = ""
    for try await event in self.start(prompt, allowance: TokenAllowance(tokens: prompt.completionCeiling)) {
      switch event {
      case .prompt: break
      case .delta, .deltas:
        for delta in event.steps {
          text += delta.text
          onText(delta.text)
        }
      case .end(let end): return CompletedText(text: text, end: end)
      }
    }
    throw CancellationError()
  }
}
