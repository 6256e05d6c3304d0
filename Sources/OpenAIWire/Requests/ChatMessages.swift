internal import Completions
internal import Documents

/// The messages of a chat.
enum ChatMessages {
  static func read(_ reader: inout DocumentReader) throws(DocumentError) -> [ChatMessage] {
    let elements = try reader.list("messages")
    guard !elements.isEmpty else { throw reader.failure("messages", "at least one message belongs here") }
    var messages: [ChatMessage] = []
    for (path, element) in elements {
      var message = try DocumentReader(element, path: path)
      messages.append(try self.message(&message))
    }
    return messages
  }

  private static func message(_ reader: inout DocumentReader) throws(DocumentError) -> ChatMessage {
    let role = try self.role(&reader)
    _ = try reader.optionalString("name")
    for key in ["audio", "function_call"] where reader.document(key) != nil {
      throw reader.failure(key, "is not supported in this version")
    }
    var message = ChatMessage(role: role, content: "")
    if role == .assistant {
      message.toolCalls = try self.calls(&reader)
      let refusal = try reader.optionalString("refusal")
      let said = reader.document("content") == nil ? nil : try self.text(&reader, "content")
      guard let content = said ?? refusal ?? (message.toolCalls.isEmpty ? nil : "") else { throw reader.missing("content") }
      message.content = content
    } else {
      message.content = try self.text(&reader, "content")
    }
    if role == .tool { message.toolCallID = try reader.string("tool_call_id") }
    try reader.finish()
    return message
  }

  private static func role(_ message: inout DocumentReader) throws(DocumentError) -> ChatMessage.Role {
    let name = try message.string("role")
    if name == "developer" { return .system }
    guard let role = ChatMessage.Role(rawValue: name) else {
      throw message.failure(
        "role",
        name == "function"
          ? "'function' is not supported; answer tool calls with 'tool'"
          : "'\(name)' is not one of: developer, system, user, assistant, tool")
    }
    return role
  }

  /// A string, or a list of text parts.
  static func text(_ reader: inout DocumentReader, _ key: String) throws(DocumentError) -> String {
    let value = try reader.required(key)
    guard case .list = value.content else { return try reader.string(key) }
    var text = ""
    for (path, element) in try reader.list(key) {
      var part = try DocumentReader(element, path: path)
      switch try part.string("type") {
      case "text", "input_text", "output_text":
        text += try part.string("text")
        for key in ["annotations", "logprobs", "cache_control", "prompt_cache_breakpoint"] { _ = part.document(key) }
      case "refusal": text += try part.string("refusal")
      case let type: throw part.failure("type", "'\(type)' parts are not supported; only 'text' is")
      }
      try part.finish()
    }
    return text
  }

  private static func calls(_ reader: inout DocumentReader) throws(DocumentError) -> [ToolCall] {
    let elements = try reader.list("tool_calls")
    guard elements.count <= ToolFields.most else {
      throw reader.failure("tool_calls", "at most \(ToolFields.most) calls belong here")
    }
    return try elements.map { (path, element) throws(DocumentError) in
      var call = try DocumentReader(element, path: path)
      let type = try call.optionalString("type") ?? "function"
      guard type == "function" else { throw call.failure("type", "'\(type)' calls are not supported; only 'function' is") }
      let id = try call.string("id")
      _ = call.document("index")
      var function = try call.reader("function")
      let name = try function.string("name")
      let arguments = try function.string("arguments")
      try function.finish()
      try call.finish()
      return ToolCall(id: id, name: name, arguments: arguments)
    }
  }
}
