/// A prompt in the making: control tokens by name, and between them text in which nothing is control.
struct PromptWriter {
  private let tokenizer: any Tokenizer
  private(set) var tokens: [Int32] = []
  /// Text that is not tokenised yet, as neighbouring texts are one.
  private var pending = ""

  init(_ tokenizer: any Tokenizer) { self.tokenizer = tokenizer }

  mutating func begin() {
    if let token = self.tokenizer.beginOfSequence { self.tokens.append(token) }
  }

  mutating func text(_ text: String) { self.pending += text }

  /// - Throws: `tokenMissing` where the vocabulary has no such token.
  mutating func control(_ name: String) throws(ChatTemplateError) {
    guard let token = self.tokenizer.markerToken(name) else {
      throw ChatTemplateError(
        .tokenMissing, messageIndex: 0,
        message: "The model's vocabulary has no token \(name), which its chat template needs; send a text prompt instead.")
    }
    self.flush()
    self.tokens.append(token)
  }

  /// A tag that is a token in some vocabularies and text in others.
  mutating func tag(_ name: String) {
    guard let token = self.tokenizer.markerToken(name) else { return self.text(name) }
    self.flush()
    self.tokens.append(token)
  }

  /// A text that is tokenised as if it stood alone.
  mutating func standalone(_ text: String) {
    self.flush()
    self.tokens += self.tokenizer.encode(text, addBOS: false)
  }

  mutating func end() {
    self.flush()
    if let token = self.tokenizer.endOfSequence { self.tokens.append(token) }
  }

  mutating func finish() -> [Int32] {
    self.flush()
    return self.tokens
  }

  private mutating func flush() {
    guard !self.pending.isEmpty else { return }
    self.tokens += self.tokenizer.encodeContinuation(Array(self.pending.utf8))
    self.pending = ""
  }
}
