public import Completions
public import Documents

/// A request for the tokens of a prompt (`POST /tokenize`), in the form that vLLM gave it.
public struct TokenizeRequest: Sendable {
  public let model: String
  public let prompt: CompletionRequest.Prompt

  /// - Throws: ``DocumentError`` naming the field and what belongs there.
  public init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.model = try reader.string("model")
    if reader.document("messages") != nil {
      guard reader.document("prompt") == nil else { throw reader.failure("prompt", "send either 'prompt' or 'messages'") }
      self.prompt = .chat(try ChatMessages.read(&reader))
    } else {
      self.prompt = .text(try reader.string("prompt"))
    }
    for key in ["add_special_tokens", "add_generation_prompt"] where try reader.optionalBool(key) == false {
      throw reader.failure(key, "only true is supported: the tokens are those of a prompt")
    }
    if try reader.optionalBool("return_token_strs") ?? false {
      throw reader.failure("return_token_strs", "is not supported in this version")
    }
    try reader.finish()
  }
}

/// A request for the text of tokens (`POST /detokenize`).
public struct DetokenizeRequest: Sendable {
  public let model: String
  public let tokens: [Int32]

  /// - Throws: ``DocumentError`` naming the field and what belongs there.
  public init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.model = try reader.string("model")
    var tokens: [Int32] = []
    for (path, element) in try reader.list("tokens") {
      guard let id = element.count, let token = Int32(exactly: id) else {
        throw DocumentError(field: path, position: element.position, message: "a token id belongs here")
      }
      tokens.append(token)
    }
    self.tokens = tokens
    try reader.finish()
  }
}

/// A request for a judgement of texts (`POST /v1/moderations`).
public struct ModerationRequest: Sendable {
  public let model: String?
  public let inputs: [String]

  /// - Throws: ``DocumentError`` naming the field and what belongs there.
  public init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.model = try reader.optionalString("model")
    let value = try reader.required("input")
    if case .string(let text) = value.content {
      self.inputs = [text]
    } else {
      let elements = try reader.list("input")
      guard (1...256).contains(elements.count) else { throw reader.failure("input", "1 to 256 texts belong here") }
      self.inputs = try elements.map { (path, element) throws(DocumentError) in
        if case .string(let text) = element.content { return text }
        var part = try DocumentReader(element, path: path)
        let type = try part.string("type")
        guard type == "text" else { throw part.failure("type", "'\(type)' is not supported; only 'text' is") }
        let text = try part.string("text")
        try part.finish()
        return text
      }
    }
    try reader.finish()
  }
}
