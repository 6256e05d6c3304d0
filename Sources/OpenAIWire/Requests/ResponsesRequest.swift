internal import Completions
public import Documents

/// A request for a response (`POST /v1/responses`): the same as a chat, in OpenAI's newer words.
public struct ResponsesRequest: Sendable {
  public let asked: AskedCompletion
  /// Whether the response may be fetched again for a while.
  public let store: Bool
  /// The request's members that the response repeats.
  public let echo: [JSONMember]

  /// - Throws: ``DocumentError`` naming the field and what belongs there.
  public init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let model = try reader.string("model")
    let instructions = try reader.optionalString("instructions")
    var messages = try Self.input(&reader)
    if let instructions { messages.insert(ChatMessage(role: .system, content: instructions), at: 0) }
    let tools = try ToolFields.flat(&reader)
    let choice = try ToolFields.choice(&reader, among: tools)
    let parallel = try reader.optionalBool("parallel_tool_calls") ?? true
    let most = try reader.optionalInteger("max_output_tokens", in: 1...(1 << 31))
    let (output, format) = try Self.output(&reader)
    let sampling = SamplingParameters(
      temperature: try reader.fraction("temperature", in: 0...2) ?? 1, topP: try reader.fraction("top_p", in: 0...1) ?? 1)
    var asked = AskedCompletion(
      model: model,
      completion: CompletionRequest(
        prompt: .chat(messages), sampling: sampling, maximumCompletionTokens: most, output: output, tools: tools,
        toolChoice: choice, allowsParallelToolCalls: parallel))
    asked.stream = try reader.optionalBool("stream") ?? false
    if var options = try reader.optionalReader("stream_options") {
      if try options.optionalBool("include_obfuscation") ?? false {
        throw options.failure("include_obfuscation", "is not supported in this version")
      }
      try options.finish()
    }
    let user = try reader.boundedText("user", most: 256)
    let safety = try reader.boundedText("safety_identifier", most: 64)
    asked.endUser = safety ?? user
    let metadata = try Self.metadata(&reader)
    asked.declaredPurpose = metadata.first { $0.key == "purpose" }.flatMap {
      if case .string(let text) = $0.value { text } else { nil }
    }
    self.asked = asked
    self.store = try reader.optionalBool("store") ?? true
    self.echo = [
      JSONMember("instructions", JSON(instructions)), JSONMember("max_output_tokens", most.map(JSON.integer) ?? .null),
      JSONMember("metadata", .object(metadata)), JSONMember("parallel_tool_calls", .bool(parallel)),
      JSONMember("previous_response_id", nil), JSONMember("reasoning", ["effort": nil, "summary": nil]),
      JSONMember("temperature", .number("\(sampling.temperature)")), JSONMember("top_p", .number("\(sampling.topP)")),
      JSONMember("text", ["format": format]), JSONMember("tool_choice", choice.flatWire),
      JSONMember("tools", .array(tools.map(\.flatWire))), JSONMember("truncation", "disabled"), JSONMember("user", JSON(user)),
      JSONMember("safety_identifier", JSON(safety)), JSONMember("service_tier", "default"), JSONMember("background", false),
      JSONMember("store", .bool(self.store)),
    ]
    try UnsupportedFields.checkResponses(&reader)
    try reader.finish()
  }

  /// Echoed in the response and kept with it, no longer than it is.
  private static func metadata(_ reader: inout DocumentReader) throws(DocumentError) -> [JSONMember] {
    guard var section = try reader.optionalReader("metadata") else { return [] }
    guard section.keys.count <= 16 else { throw reader.failure("metadata", "at most 16 members belong here") }
    return try section.keys.map { (key) throws(DocumentError) in
      let text = try section.string(key)
      guard key.utf8.count <= 64, text.utf8.count <= 512 else {
        throw section.failure(key, "names have up to 64 bytes and values up to 512")
      }
      return JSONMember(key, .string(text))
    }
  }

  private static func output(_ reader: inout DocumentReader) throws(DocumentError) -> (OutputFormat, JSON) {
    guard var text = try reader.optionalReader("text") else { return (.text, ["type": "text"]) }
    let shown = text.document("format").map { JSON($0) } ?? ["type": "text"]
    let format = try text.outputFormat("format")
    if text.document("verbosity") != nil { throw text.failure("verbosity", "is not supported in this version") }
    try text.finish()
    return (format, shown)
  }

  // MARK: Input

  private static func input(_ reader: inout DocumentReader) throws(DocumentError) -> [ChatMessage] {
    let value = try reader.required("input")
    if case .string(let text) = value.content { return [ChatMessage(role: .user, content: text)] }
    let elements = try reader.list("input")
    guard !elements.isEmpty else { throw reader.failure("input", "at least one item belongs here") }
    var messages: [ChatMessage] = []
    for (path, element) in elements {
      var item = try DocumentReader(element, path: path)
      try self.take(&item, into: &messages)
      try item.finish()
    }
    return messages
  }

  private static func take(_ item: inout DocumentReader, into messages: inout [ChatMessage]) throws(DocumentError) {
    for key in ["id", "status", "phase", "caller", "namespace", "async_"] { _ = item.document(key) }
    switch try item.optionalString("type") ?? "message" {
    case "message":
      let name = try item.string("role")
      guard let role: ChatMessage.Role = name == "developer" ? .system : ChatMessage.Role(rawValue: name), role != .tool else {
        throw item.failure("role", "'\(name)' is not one of: developer, system, user, assistant")
      }
      messages.append(ChatMessage(role: role, content: try ChatMessages.text(&item, "content")))
    case "function_call":
      let call = ToolCall(
        id: try item.string("call_id"), name: try item.string("name"), arguments: try item.string("arguments"))
      // Calls of one turn stand one after another.
      if let last = messages.last, last.role == .assistant {
        messages[messages.count - 1].toolCalls.append(call)
      } else {
        messages.append(ChatMessage(role: .assistant, content: "", toolCalls: [call]))
      }
    case "function_call_output":
      let id = try item.string("call_id")
      messages.append(ChatMessage(role: .tool, content: try ChatMessages.text(&item, "output"), toolCallID: id))
    case let type: throw item.failure("type", "'\(type)' items are not supported")
    }
  }
}

extension ToolDefinition {
  fileprivate var flatWire: JSON {
    [
      "type": "function", "name": .string(self.name), "description": JSON(self.description),
      "parameters": self.parameters.map { JSON.verbatim($0) } ?? .null, "strict": false,
    ]
  }
}

extension ToolChoice {
  fileprivate var flatWire: JSON {
    if case .named(let name) = self { return ["type": "function", "name": .string(name)] }
    return self.wire
  }
}
