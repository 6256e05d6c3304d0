internal import Completions
public import Documents

/// A request of the older kind (`POST /v1/completions`): a text or tokens, continued as they stand.
public struct LegacyCompletionRequest: Sendable {
  public let asked: AskedCompletion
  public let includesUsage: Bool
  /// A prompt that is to stand before the answer.
  public let echo: String?

  /// - Throws: ``DocumentError`` naming the field and what belongs there.
  public init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let model = try reader.string("model")
    let prompt = try PromptField.prompt(&reader)
    var completion = CompletionRequest(
      prompt: prompt, sampling: try reader.sampling(),
      maximumCompletionTokens: try reader.optionalInteger("max_tokens", in: 1...(1 << 31)) ?? 16, stop: try reader.stop(),
      logprobs: try reader.optionalInteger("logprobs", in: 0...5))
    completion.answers = try reader.answers()
    if let best = try reader.optionalInteger("best_of", in: 1...128), best != completion.answers {
      throw reader.failure("best_of", "is \(best); only the value of 'n' is supported: no answer is thrown away here")
    }
    var asked = AskedCompletion(model: model, completion: completion)
    asked.stream = try reader.optionalBool("stream") ?? false
    self.includesUsage = try reader.includesUsage(stream: asked.stream)
    asked.endUser = try reader.endUser()
    asked.declaredPurpose = try reader.purpose()
    self.asked = asked
    self.echo = try Self.echo(&reader, prompt)
    try UnsupportedFields.checkLegacy(&reader)
    try reader.finish()
  }

  private static func echo(
    _ reader: inout DocumentReader, _ prompt: CompletionRequest.Prompt
  ) throws(DocumentError) -> String? {
    guard try reader.optionalBool("echo") ?? false else { return nil }
    guard case .text(let text) = prompt else { throw reader.failure("echo", "is supported for a prompt of text only") }
    return text
  }
}

/// A prompt or an input that is a text, a list with one, or token ids.
enum PromptField {
  static func prompt(_ reader: inout DocumentReader) throws(DocumentError) -> CompletionRequest.Prompt {
    let inputs = try self.inputs(&reader, "prompt", most: 1)
    switch inputs[0] {
    case .text(let text): return .text(text)
    case .tokens(let tokens): return .tokens(tokens)
    }
  }

  /// A text, texts, token ids, or lists of them; 1 to `most`.
  static func inputs(
    _ reader: inout DocumentReader, _ key: String, most: Int
  ) throws(DocumentError) -> [EmbeddingInput] {
    let value = try reader.required(key)
    if case .string(let text) = value.content { return [.text(text)] }
    guard case .list(let elements) = value.content, let first = elements.first else {
      throw reader.failure(key, "a text or a list of texts or tokens belongs here, and not an empty one")
    }
    if case .number = first.content { return [.tokens(try self.tokens(value, reader, key))] }
    guard elements.count <= most else {
      throw reader.failure(
        key, most == 1 ? "one prompt a request is supported; send one request each" : "at most \(most) belong here")
    }
    return try elements.map { (element) throws(DocumentError) in
      if case .string(let text) = element.content { return .text(text) }
      return .tokens(try self.tokens(element, reader, key))
    }
  }

  private static func tokens(
    _ document: Document, _ reader: DocumentReader, _ key: String
  ) throws(DocumentError) -> [Int32] {
    guard case .list(let elements) = document.content, !elements.isEmpty else {
      throw reader.failure(key, "texts or lists of token ids belong here, and not empty ones")
    }
    return try elements.map { (element) throws(DocumentError) in
      guard let id = element.count, let token = Int32(exactly: id) else {
        throw DocumentError(field: reader.field(key), position: element.position, message: "a token id belongs here")
      }
      return token
    }
  }
}
