public import Completions
internal import LlamaModel
internal import Tokenization

extension EmbeddedEngine: TokenReadingEngine {
  public func text(of tokens: [Int32]) throws(CompletionError) -> String { try self.preparation.text(of: tokens) }
}

extension PromptPreparation {
  /// The text of tokens without the space that a prompt's first text is given.
  func text(of tokens: [Int32]) throws(CompletionError) -> String {
    if let foreign = tokens.first(where: { $0 < 0 || Int($0) >= self.vocabulary.size }) {
      throw CompletionError(
        .invalidRequest, "Token \(foreign) is outside the vocabulary of \(self.vocabulary.size).", parameter: "tokens")
    }
    return String(decoding: self.vocabulary.tokenizer.decode(tokens, stripLeadingSpace: true), as: UTF8.self)
  }
}
