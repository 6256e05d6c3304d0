internal import Completions
internal import LlamaModel
internal import Tokenization

/// A request as tokens with their bounds: everything that can be refused before any work is done.
struct PromptPreparation: Sendable {
  static let stopLimit = 16
  static let stopByteLimit = 1024
  static let biasLimit = 1024
  static let logprobLimit = 20
  static let toolLimit = 128

  let vocabulary: LlamaVocabulary
  let contextLength: Int
  let chatFormat: ChatFormat

  init(vocabulary: LlamaVocabulary, contextLength: Int) {
    self.vocabulary = vocabulary
    self.contextLength = contextLength
    self.chatFormat = ChatFormat(template: vocabulary.chatTemplate, tokenizer: vocabulary.tokenizer)
  }

  func prepare(_ request: CompletionRequest) throws(CompletionError) -> PreparedPrompt {
    try self.check(request)
    _ = try OutputForm(request, template: self.chatFormat.template)
    let tokens = try self.tokens(of: request)
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
  ///
  /// - Returns: what its text is held to; nil for a prompt that was made elsewhere.
  func form(of prompt: PreparedPrompt) -> OutputForm? {
    let (last, overflow) = prompt.tokens.count.addingReportingOverflow(prompt.completionCeiling)
    guard !prompt.tokens.isEmpty, prompt.completionCeiling >= 1, !overflow, last <= self.contextLength,
      self.firstForeign(prompt.tokens) == nil
    else { return nil }
    do {
      try self.check(prompt.request)
      return try OutputForm(prompt.request, template: self.chatFormat.template)
    } catch {
      // Why a forged request is wrong interests nobody.
      return nil
    }
  }

  private func tokens(of request: CompletionRequest) throws(CompletionError) -> [Int32] {
    switch request.prompt {
    case .chat(let messages):
      let sizes = messages.map { message in
        message.toolCalls.reduce(message.content.utf8.count) { $0 + $1.name.utf8.count + $1.arguments.utf8.count }
      }
      try self.checkSize(bytes: sizes, parameter: "messages")
      let tools = request.shownTools
      let toolSizes = tools.map { $0.name.utf8.count + ($0.description ?? "").utf8.count + ($0.parameters ?? "").utf8.count }
      try self.checkSize(bytes: toolSizes, parameter: "tools")
      return try self.chatFormat.encode(messages, tools: tools, with: self.vocabulary.tokenizer)
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
    guard bytes.count <= self.contextLength, total / self.vocabulary.tokenizer.longestPiece <= self.contextLength else {
      throw self.tooLong("The prompt's \(bytes.count) texts have \(total) bytes, too many to fit", parameter: parameter)
    }
  }

  private func tooLong(_ finding: String, parameter: String) -> CompletionError {
    CompletionError(
      .contextLengthExceeded,
      "\(finding); the context is \(self.contextLength) tokens, the completion included. Shorten the prompt.",
      parameter: parameter)
  }

  func check(_ request: CompletionRequest) throws(CompletionError) {
    try self.check(request.sampling)
    try Self.require((request.maximumCompletionTokens ?? 1) >= 1, "max_tokens", "1 or more")
    try Self.require(request.stop.count <= Self.stopLimit, "stop", "at most \(Self.stopLimit) texts")
    let lengths = request.stop.map(\.utf8.count)
    try Self.require(
      lengths.allSatisfy { (1...Self.stopByteLimit).contains($0) }, "stop", "texts of 1 to \(Self.stopByteLimit) bytes")
    try Self.require(
      (0...Self.logprobLimit).contains(request.logprobs ?? 0), "top_logprobs", "a number from 0 to \(Self.logprobLimit)")
    try self.checkTools(request)
  }

  private func check(_ sampling: SamplingParameters) throws(CompletionError) {
    try Self.require((0...2).contains(sampling.temperature), "temperature", "a number from 0 to 2")
    try Self.require(sampling.topP > 0 && sampling.topP <= 1, "top_p", "a number above 0 and at most 1")
    try Self.require(sampling.topK >= 0, "top_k", "0 or more")
    try Self.require((0...1).contains(sampling.minP), "min_p", "a number from 0 to 1")
    let repetition = sampling.repetitionPenalty
    try Self.require(repetition > 0 && repetition <= 10, "repetition_penalty", "a number above 0 and at most 10")
    try Self.require((-2...2).contains(sampling.presencePenalty), "presence_penalty", "a number from -2 to 2")
    try Self.require((-2...2).contains(sampling.frequencyPenalty), "frequency_penalty", "a number from -2 to 2")
    try Self.require(
      sampling.logitBias.count <= Self.biasLimit && sampling.logitBias.values.allSatisfy { (-100...100).contains($0) },
      "logit_bias", "at most \(Self.biasLimit) numbers from -100 to 100")
    try Self.require(
      self.firstForeign(Array(sampling.logitBias.keys)) == nil, "logit_bias",
      "for tokens of the vocabulary, which has \(self.vocabulary.size)")
  }

  private func checkTools(_ request: CompletionRequest) throws(CompletionError) {
    let names = request.tools.map(\.name)
    try Self.require(names.count <= Self.toolLimit, "tools", "at most \(Self.toolLimit)")
    // Names go into prompts and calls as they are.
    let isPlain = { (name: String) in
      (1...64).contains(name.utf8.count)
        && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || $0 == 0x5F || $0 == 0x2D }
    }
    try Self.require(names.allSatisfy(isPlain), "tools", "of names of 1 to 64 letters, digits, _ and -")
    try Self.require(Set(names).count == names.count, "tools", "of different names")
    switch request.toolChoice {
    case .none, .automatic: break
    case .required: try Self.require(!names.isEmpty, "tool_choice", "none or auto where there are no tools")
    case .named(let name): try Self.require(names.contains(name), "tool_choice", "the name of one of the tools")
    }
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
