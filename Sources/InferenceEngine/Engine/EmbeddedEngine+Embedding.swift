public import Completions
internal import LlamaModel
internal import Tokenization

extension EmbeddedEngine: EmbeddingEngine {
  public var embeddingLength: Int { self.hiddenLength }

  public func prepare(_ input: EmbeddingInput) async throws(CompletionError) -> PreparedEmbedding {
    let vocabulary = self.preparation.vocabulary
    let tokens: [Int32]
    switch input {
    case .text(let text):
      // No token stands for more than the longest piece: what is too long by its bytes is refused before time is spent on it.
      guard text.utf8.count / vocabulary.tokenizer.longestPiece <= self.contextLength else { throw self.tooLong() }
      tokens = vocabulary.tokenizer.encode(text, addBOS: vocabulary.tokenizer.addsBOS)
    case .tokens(let given):
      if let index = given.firstIndex(where: { $0 < 0 || Int($0) >= vocabulary.size }) {
        throw CompletionError(
          .invalidRequest, "Token \(index) is \(given[index]), outside the vocabulary of \(vocabulary.size).",
          parameter: "input")
      }
      tokens = given
    }
    guard !tokens.isEmpty else { throw CompletionError(.invalidRequest, "The input is empty.", parameter: "input") }
    guard tokens.count <= self.contextLength else { throw self.tooLong() }
    return PreparedEmbedding(input: input, tokens: tokens, tokenCount: tokens.count, isExact: true)
  }

  public func embed(
    _ inputs: [PreparedEmbedding], pooling: EmbeddingPooling
  ) async throws(CompletionError) -> [[Float]] {
    guard !inputs.isEmpty else { return [] }
    guard inputs.allSatisfy(self.accepts) else {
      throw CompletionError(.invalidRequest, "An input was not prepared by this engine.", parameter: "input")
    }
    let cancellation = CancellationFlag()
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Result<[[Float]], CompletionError>, Never>) in
        self.submit(
          EmbeddingSubmission(inputs: inputs.map(\.tokens), pooling: pooling == .mean ? .mean : .last, cancellation: cancellation)
          {
            continuation.resume(returning: $0)
          })
      }
    } onCancel: {
      cancellation.set()
    }
    return try result.get()
  }

  /// It crosses a public interface, and a wrong one must not reach the model.
  private func accepts(_ input: PreparedEmbedding) -> Bool {
    let size = self.preparation.vocabulary.size
    return (1...self.contextLength).contains(input.tokens.count) && input.tokens.allSatisfy { $0 >= 0 && Int($0) < size }
  }

  private func tooLong() -> CompletionError {
    CompletionError(
      .contextLengthExceeded, "An input must have at most \(self.contextLength) tokens. Shorten it.", parameter: "input")
  }
}
