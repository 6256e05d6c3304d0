internal import Completions
public import Documents

/// A request in Anthropic's words (`POST /v1/messages`).
public struct MessagesRequest: Sendable {
  public let asked: AskedCompletion

  /// - Parameter counts: Whether only the prompt's tokens are asked for (`/v1/messages/count_tokens`), which needs no limit.
  /// - Throws: ``DocumentError`` naming the field and what belongs there.
  public init(_ document: Document, counts: Bool = false) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let model = try reader.string("model")
    var messages = try Self.messages(&reader)
    if reader.document("system") != nil {
      messages.insert(ChatMessage(role: .system, content: try ChatMessages.text(&reader, "system")), at: 0)
    }
    let tools = try ToolFields.anthropic(&reader)
    let (choice, parallel) = try Self.choice(&reader, among: tools)
    let most = try reader.optionalInteger("max_tokens", in: 1...(1 << 31))
    guard counts || most != nil else { throw reader.missing("max_tokens") }
    let sampling = SamplingParameters(
      temperature: try reader.fraction("temperature", in: 0...1) ?? 1, topP: try reader.fraction("top_p", in: 0...1) ?? 1,
      topK: try reader.optionalInteger("top_k", in: 0...1_000_000) ?? 0)
    var asked = AskedCompletion(
      model: model,
      completion: CompletionRequest(
        prompt: .chat(messages), sampling: sampling, maximumCompletionTokens: most,
        stop: try reader.stop("stop_sequences", most: 16), tools: tools, toolChoice: choice, allowsParallelToolCalls: parallel))
    asked.stream = try reader.optionalBool("stream") ?? false
    if var metadata = try reader.optionalReader("metadata") {
      asked.endUser = try metadata.boundedText("user_id", most: 256)
      try metadata.finish()
    }
    self.asked = asked
    try UnsupportedFields.checkMessages(&reader)
    try reader.finish()
  }

  private static func choice(
    _ reader: inout DocumentReader, among tools: [ToolDefinition]
  ) throws(DocumentError) -> (ToolChoice, Bool) {
    guard var choice = try reader.optionalReader("tool_choice") else { return (.automatic, true) }
    let parallel = !(try choice.optionalBool("disable_parallel_tool_use") ?? false)
    let type = try choice.string("type")
    let name = try choice.optionalString("name")
    try choice.finish()
    switch type {
    case "auto": return (.automatic, parallel)
    case "none": return (.none, parallel)
    case "any": return (.required, parallel)
    case "tool": return (try ToolFields.named(name ?? "", among: tools, reader), parallel)
    default: throw choice.failure("type", "'\(type)' is not one of: auto, any, tool, none")
    }
  }

  private static func messages(_ reader: inout DocumentReader) throws(DocumentError) -> [ChatMessage] {
    let elements = try reader.list("messages")
    guard !elements.isEmpty else { throw reader.failure("messages", "at least one message belongs here") }
    var messages: [ChatMessage] = []
    for (path, element) in elements {
      var message = try DocumentReader(element, path: path)
      let name = try message.string("role")
      guard let role = ChatMessage.Role(rawValue: name), role == .user || role == .assistant else {
        throw message.failure("role", "'\(name)' is not one of: user, assistant")
      }
      try self.blocks(&message, role: role, into: &messages)
      try message.finish()
    }
    return messages
  }

  /// A message's blocks: text stays a message of its role, a result of a tool becomes one of its own.
  private static func blocks(
    _ message: inout DocumentReader, role: ChatMessage.Role, into messages: inout [ChatMessage]
  ) throws(DocumentError) {
    let value = try message.required("content")
    guard case .list = value.content else {
      messages.append(ChatMessage(role: role, content: try message.string("content")))
      return
    }
    var turn = ChatMessage(role: role, content: "")
    for (path, element) in try message.list("content") {
      var block = try DocumentReader(element, path: path)
      _ = block.document("cache_control")
      switch (try block.string("type"), role) {
      case ("text", _):
        turn.content += try block.string("text")
        _ = block.document("citations")
      case ("tool_use", .assistant):
        let input = try block.required("input")
        _ = block.document("caller")
        // A client that sends an answer's blocks back names it, as null.
        try UnsupportedFields.refuse(&block, ["toolset_name"])
        turn.toolCalls.append(
          ToolCall(id: try block.string("id"), name: try block.string("name"), arguments: JSON(input).text))
      case ("tool_result", .user):
        _ = try block.optionalBool("is_error")
        let id = try block.string("tool_use_id")
        let text = block.document("content") == nil ? "" : try ChatMessages.text(&block, "content")
        messages.append(ChatMessage(role: .tool, content: text, toolCallID: id))
      case (let type, _): throw block.failure("type", "'\(type)' blocks are not supported in a message of \(role.rawValue)")
      }
      try block.finish()
    }
    if !turn.content.isEmpty || !turn.toolCalls.isEmpty { messages.append(turn) }
  }
}
