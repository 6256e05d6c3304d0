/// An engine that can also turn texts into vectors.
///
/// As with completions the two halves are apart: ``prepare(_:)`` tokenises and bounds, so that the caller can price it, ``embed(_:pooling:)``
/// spends.
public protocol EmbeddingEngine: Sendable {
  /// How many numbers a vector has.
  var embeddingLength: Int { get }

  /// - Throws: ``CompletionError`` with `invalidRequest` or `contextLengthExceeded`.
  func prepare(_ input: EmbeddingInput) async throws(CompletionError) -> PreparedEmbedding

  /// One vector of Euclidean length 1 for each input, in their order.
  ///
  /// - Throws: ``CompletionError``; all inputs fail together.
  func embed(_ inputs: [PreparedEmbedding], pooling: EmbeddingPooling) async throws(CompletionError) -> [[Float]]
}

public enum EmbeddingInput: Sendable, Equatable {
  case text(String)
  /// Token ids, taken as they are.
  case tokens([Int32])
}

/// How the hidden states of all tokens become one vector.
public enum EmbeddingPooling: String, Sendable, CaseIterable {
  case mean
  /// The last token's alone.
  case last
}

/// An input that an engine has tokenised and bounded.
public struct PreparedEmbedding: Sendable, Equatable {
  public let input: EmbeddingInput
  /// Empty where the engine does not tokenise here.
  public let tokens: [Int32]
  /// Exact where `isExact`, else an upper bound.
  public let tokenCount: Int
  public let isExact: Bool

  public init(input: EmbeddingInput, tokens: [Int32], tokenCount: Int, isExact: Bool) {
    self.input = input
    self.tokens = tokens
    self.tokenCount = tokenCount
    self.isExact = isExact
  }
}
