internal import Completions
internal import LlamaModel
internal import Tokenization

/// A request as tokens with their bounds: everything that can be refused before any work is done.
struct PromptPreparation: Sendable {
  static let stopLimit = 16
  static let stopByteLimit = 1024

  let vocabulary: LlamaVocabulary
  let contextLength: Int
  let chatFormat: ChatFormat

  func prepare(_ request: CompletionRequest) throws(CompletionError) -> PreparedPrompt {
    try Self.check(request)
    let tokens = try self.tokens(of: request.prompt)
    guard !tokens.isEmpty else { throw CompletionError(.invalidRequest, "The prompt is empty.", parameter: "prompt") }
    let left = self.contextLength - tokens.count
    guard left > 0 else {
      throw self.tooLong("The prompt has \(tokens.count) tokens", parameter: request.prompt.parameter)
    }
    return PreparedPrompt(
      request: request, tokens: tokens, promptTokens: tokens.count, isExact: true,
      completionCeiling: min(request.maximumCompletionTokens ?? left, left))
  }

  /// Whether a prepared prompt can have come from here: it crosses a public interface, and a wrong one must not reach the model.
  func accepts(_ prompt: PreparedPrompt) -> Bool {
    let (last, overflow) = prompt.tokens.count.addingReportingOverflow(prompt.completionCeiling)
    return !prompt.tokens.isEmpty && prompt.completionCeiling >= 1 && !overflow && last <= self.contextLength
      // Why a forged request is wrong interests nobody, so the error is dropped for its fact.
      && self.firstForeign(prompt.tokens) == nil && (try? Self.check(prompt.request)) != nil
  }

  private func tokens(of prompt: CompletionRequest.Prompt) throws(CompletionError) -> [Int32] {
    switch prompt {
    case .chat(let messages):
      try self.checkSize(bytes: messages.map(\.content.utf8.count), parameter: "messages")
      return try self.chatFormat.encode(messages, with: self.vocabulary.tokenizer)
    case .text(let text):
      try self.checkSize(bytes: [text.utf8.count], parameter: "prompt")
      return self.vocabulary.tokenizer.encode(text, addBOS: self.vocabulary.tokenizer.addsBOS)
    case .tokens(let tokens):
      if let index = self.firstForeign(tokens) {
        throw CompletionError(
          .invalidRequest, "Token \(index) is \(tokens[index]), outside the vocabulary of \(self.vocabulary.size).",
          parameter: "prompt")
      }
      return tokens
    }
  }

  private func firstForeign(_ tokens: [Int32]) -> Int? {
    tokens.firstIndex { $0 < 0 || Int($0) >= self.vocabulary.size }
  }

  /// Refuses what is too long by its bytes alone, before time is spent on it: no token stands for more than the longest piece.
  private func checkSize(bytes: [Int], parameter: String) throws(CompletionError) {
    let total = bytes.reduce(0, +)
    guard bytes.count <= self.contextLength, total / self.vocabulary.longestPiece <= self.contextLength else {
      throw self.tooLong("The prompt's \(bytes.count) texts have \(total) bytes, too many to fit", parameter: parameter)
    }
  }

  private func tooLong(_ finding: String, parameter: String) -> CompletionError {
    CompletionError(
      .contextLengthExceeded,
      "\(finding); the context is \(self.contextLength) tokens, the completion included. Shorten the prompt.",
      parameter: parameter)
  }

  static func check(_ request: CompletionRequest) throws(CompletionError) {
    let sampling = request.sampling
    try self.require((0...2).contains(sampling.temperature), "temperature", "a number from 0 to 2")
    try self.require(sampling.topP > 0 && sampling.topP <= 1, "top_p", "a number above 0 and at most 1")
    try self.require(sampling.topK >= 0, "top_k", "0 or more")
    try self.require((request.maximumCompletionTokens ?? 1) >= 1, "max_tokens", "1 or more")
    try self.require(sampling.minP == 0, "min_p", "0")
    try self.require(sampling.repetitionPenalty == 1, "repetition_penalty", "1")
    try self.require(sampling.presencePenalty == 0, "presence_penalty", "0")
    try self.require(sampling.frequencyPenalty == 0, "frequency_penalty", "0")
    try self.require(sampling.logitBias.isEmpty, "logit_bias", "empty")
    try self.require(request.output == .text, "response_format", "text")
    try self.require(request.logprobs == nil, "logprobs", "false")
    try self.require(request.tools.isEmpty, "tools", "empty")
    try self.require(request.stop.count <= Self.stopLimit, "stop", "at most \(Self.stopLimit) texts")
    let lengths = request.stop.map(\.utf8.count)
    try self.require(
      lengths.allSatisfy { (1...Self.stopByteLimit).contains($0) }, "stop", "texts of 1 to \(Self.stopByteLimit) bytes")
  }

  private static func require(_ holds: Bool, _ parameter: String, _ wanted: String) throws(CompletionError) {
    guard holds else { throw CompletionError(.invalidRequest, "\(parameter) must be \(wanted).", parameter: parameter) }
  }
}

extension CompletionRequest.Prompt {
  /// The field of a request that a client would have to change.
  var parameter: String {
    if case .chat = self { "messages" } else { "prompt" }
  }
}
