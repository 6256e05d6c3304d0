// OpenAIWire: OpenAI's JSON and server-sent events, in both directions, as values.
// Holds the reading of requests, field by field honoured or refused by name, and the writing of responses, chunks and errors.
// It must never know a customer, a license, a price or a connection.

public import Completions
public import Documents

/// A chat completion request (`POST /v1/chat/completions`), reduced to what is asked of an engine.
///
/// Every field of OpenAI's schema is either honoured or refused by name; a value that changes nothing (`n: 1`,
/// `presence_penalty: 0`, `response_format: {"type": "text"}`) is accepted.
public struct ChatCompletionRequest: Sendable {
  public let model: String
  public let completion: CompletionRequest
  public let stream: Bool
  /// An extra chunk with the usage before `[DONE]`.
  public let includesUsage: Bool
  /// `safety_identifier`, else `user`.
  public let endUser: String?
  /// `metadata.purpose`, where given: what the caller declares the request to be for.
  public let declaredPurpose: String?

  /// - Throws: ``DocumentError`` naming the field and what belongs there.
  public init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.model = try reader.string("model")
    let messages = try Self.messages(&reader)
    let maximum = try Self.maximumTokens(&reader)
    let sampling = SamplingParameters(
      temperature: try reader.fraction("temperature", in: 0...2) ?? 1, topP: try reader.fraction("top_p", in: 0...1) ?? 1,
      topK: try reader.optionalInteger("top_k", in: 0...1_000_000) ?? 0,
      seed: try reader.optionalInteger("seed", in: Int.min...Int.max).map { UInt64(bitPattern: Int64($0)) })
    self.completion = CompletionRequest(
      prompt: .chat(messages), sampling: sampling, maximumCompletionTokens: maximum, stop: try Self.stop(&reader))
    self.stream = try reader.optionalBool("stream") ?? false
    self.includesUsage = try Self.streamOptions(&reader, stream: self.stream)
    let user = try reader.boundedText("user", most: 256)
    self.endUser = try reader.boundedText("safety_identifier", most: 64) ?? user
    self.declaredPurpose = try Self.purpose(&reader)
    try UnsupportedFields.check(&reader)
    try reader.finish()
  }

  private static func messages(_ reader: inout DocumentReader) throws(DocumentError) -> [ChatMessage] {
    let elements = try reader.list("messages")
    guard !elements.isEmpty else { throw reader.failure("messages", "at least one message belongs here") }
    var messages: [ChatMessage] = []
    for (path, element) in elements {
      var message = try DocumentReader(element, path: path)
      let role = try Self.role(&message)
      let content = try Self.content(&message)
      _ = try message.optionalString("name")
      for key in ["refusal", "audio", "tool_calls", "function_call"] where message.document(key) != nil {
        throw message.failure(key, "is not supported in this version")
      }
      try message.finish()
      messages.append(ChatMessage(role: role, content: content))
    }
    return messages
  }

  private static func role(_ message: inout DocumentReader) throws(DocumentError) -> ChatMessage.Role {
    let name = try message.string("role")
    if name == "developer" { return .system }
    guard let role = ChatMessage.Role(rawValue: name), role != .tool else {
      let known = name == "tool" || name == "function"
      throw message.failure(
        "role",
        known ? "'\(name)' is not supported in this version" : "'\(name)' is not one of: developer, system, user, assistant")
    }
    return role
  }

  /// A string, or a list of text parts.
  private static func content(_ message: inout DocumentReader) throws(DocumentError) -> String {
    let value = try message.required("content")
    guard case .list = value.content else { return try message.string("content") }
    var text = ""
    for (path, element) in try message.list("content") {
      var part = try DocumentReader(element, path: path)
      let type = try part.string("type")
      guard type == "text" else { throw part.failure("type", "'\(type)' parts are not supported; only 'text' is") }
      text += try part.string("text")
      try part.finish()
    }
    return text
  }

  private static func maximumTokens(_ reader: inout DocumentReader) throws(DocumentError) -> Int? {
    let range = 1...(1 << 31)
    let current = try reader.optionalInteger("max_completion_tokens", in: range)
    let deprecated = try reader.optionalInteger("max_tokens", in: range)
    if let current, let deprecated, current != deprecated {
      throw reader.failure("max_tokens", "differs from max_completion_tokens; send one of them")
    }
    return current ?? deprecated
  }

  private static func stop(_ reader: inout DocumentReader) throws(DocumentError) -> [String] {
    guard let value = reader.document("stop") else { return [] }
    let texts: [String]
    if case .string(let text) = value.content { texts = [text] } else { texts = try reader.strings("stop") }
    guard texts.count <= 4 else { throw reader.failure("stop", "at most 4 texts belong here") }
    guard texts.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 256 }) else {
      throw reader.failure("stop", "each text must have 1 to 256 bytes")
    }
    return texts
  }

  private static func streamOptions(_ reader: inout DocumentReader, stream: Bool) throws(DocumentError) -> Bool {
    guard var options = try reader.optionalReader("stream_options") else { return false }
    guard stream else { throw reader.failure("stream_options", "belongs only to requests with \"stream\": true") }
    let includes = try options.optionalBool("include_usage") ?? false
    if try options.optionalBool("include_obfuscation") ?? false {
      throw options.failure("include_obfuscation", "is not supported in this version")
    }
    try options.finish()
    return includes
  }

  /// `metadata` is OpenAI's map of at most 16 short texts. Nothing of it is stored; `purpose` is read as the declared purpose.
  private static func purpose(_ reader: inout DocumentReader) throws(DocumentError) -> String? {
    guard let metadata = try reader.optionalReader("metadata") else { return nil }
    for key in metadata.keys where key != "purpose" {
      throw metadata.failure(key, "metadata is not stored here; only 'purpose' is read")
    }
    var reading = metadata
    return try reading.boundedText("purpose", most: 64)
  }
}

extension DocumentReader {
  /// A number with a fraction, such as a temperature. Money never comes this way.
  mutating func fraction(_ key: String, in range: ClosedRange<Float>) throws(DocumentError) -> Float? {
    guard let value = self.document(key) else { return nil }
    guard case .number(let digits) = value.content else { throw self.failure(key, "a number belongs here, not \(value.kind)") }
    guard let number = Float(digits), range.contains(number) else {
      throw self.failure(key, "is \(digits); it must be from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  mutating func boundedText(_ key: String, most: Int) throws(DocumentError) -> String? {
    guard let text = try self.optionalString(key) else { return nil }
    guard !text.isEmpty, text.utf8.count <= most else { throw self.failure(key, "1 to \(most) bytes belong here") }
    return text
  }
}
