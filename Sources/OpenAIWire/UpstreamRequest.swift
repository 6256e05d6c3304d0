public import Completions
public import Documents

/// What is asked of another OpenAI-compatible server: always a stream that ends with its usage.
public struct UpstreamRequest: Sendable {
  /// Below the server's base address: one of ``paths``.
  public let path: String
  public let body: JSON

  public static let paths = [chatPath, plainPath]
  private static let chatPath = "chat/completions"
  private static let plainPath = "completions"

  /// - Parameters:
  ///   - model: The name that the server knows the model by.
  ///   - countsEachChunk: Whether the server is asked to report its count with each chunk (vLLM's `continuous_usage_stats`).
  public init(_ request: CompletionRequest, model: String, countsEachChunk: Bool) {
    var members = [JSONMember("model", .string(model))]
    switch request.prompt {
    case .chat(let messages):
      self.path = Self.chatPath
      members.append(JSONMember("messages", .array(messages.map(\.wire))))
      members += Self.chatMembers(request)
    case .text(let text):
      self.path = Self.plainPath
      members.append(JSONMember("prompt", .string(text)))
      if let alternatives = request.logprobs { members.append(JSONMember("logprobs", .integer(alternatives))) }
    case .tokens(let tokens):
      self.path = Self.plainPath
      members.append(JSONMember("prompt", .array(tokens.map { .integer(Int($0)) })))
      if let alternatives = request.logprobs { members.append(JSONMember("logprobs", .integer(alternatives))) }
    }
    if let most = request.maximumCompletionTokens { members.append(JSONMember("max_tokens", .integer(most))) }
    if request.answers > 1 { members.append(JSONMember("n", .integer(request.answers))) }
    if !request.stop.isEmpty { members.append(JSONMember("stop", .array(request.stop.map(JSON.string)))) }
    members += request.sampling.members
    members.append(JSONMember("stream", true))
    members.append(
      JSONMember(
        "stream_options",
        countsEachChunk ? ["include_usage": true, "continuous_usage_stats": true] : ["include_usage": true]))
    self.body = .object(members)
  }

  private static func chatMembers(_ request: CompletionRequest) -> [JSONMember] {
    var members: [JSONMember] = []
    if let alternatives = request.logprobs {
      members.append(JSONMember("logprobs", true))
      if alternatives > 0 { members.append(JSONMember("top_logprobs", .integer(alternatives))) }
    }
    switch request.output {
    case .text: break
    case .jsonObject: members.append(JSONMember("response_format", ["type": "json_object"]))
    case .jsonSchema(let format):
      members.append(
        JSONMember(
          "response_format",
          [
            "type": "json_schema",
            "json_schema": ["name": .string(format.name), "schema": .verbatim(format.schema), "strict": .bool(format.isStrict)],
          ]))
    }
    guard !request.tools.isEmpty else { return members }
    members.append(JSONMember("tools", .array(request.tools.map(\.wire))))
    members.append(JSONMember("tool_choice", request.toolChoice.wire))
    if !request.allowsParallelToolCalls { members.append(JSONMember("parallel_tool_calls", false)) }
    return members
  }
}

extension SamplingParameters {
  /// The members of a request; what changes nothing is left out, but temperature and top_p, for which servers have defaults of
  /// their own.
  fileprivate var members: [JSONMember] {
    var members = [
      JSONMember("temperature", .number("\(self.temperature)")), JSONMember("top_p", .number("\(self.topP)")),
    ]
    if self.topK > 0 { members.append(JSONMember("top_k", .integer(self.topK))) }
    if self.minP > 0 { members.append(JSONMember("min_p", .number("\(self.minP)"))) }
    if self.repetitionPenalty != 1 { members.append(JSONMember("repetition_penalty", .number("\(self.repetitionPenalty)"))) }
    if self.presencePenalty != 0 { members.append(JSONMember("presence_penalty", .number("\(self.presencePenalty)"))) }
    if self.frequencyPenalty != 0 { members.append(JSONMember("frequency_penalty", .number("\(self.frequencyPenalty)"))) }
    if !self.logitBias.isEmpty {
      let biases = self.logitBias.sorted { $0.key < $1.key }
      members.append(JSONMember("logit_bias", .object(biases.map { JSONMember(String($0.key), .number("\($0.value)")) })))
    }
    // A seed is any 64 bits here and a signed number on the wire.
    if let seed = self.seed { members.append(JSONMember("seed", .integer(Int(Int64(bitPattern: seed))))) }
    return members
  }
}

extension ChatMessage {
  fileprivate var wire: JSON {
    var members = [JSONMember("role", .string(self.role.rawValue))]
    let onlyCalls = self.content.isEmpty && !self.toolCalls.isEmpty
    members.append(JSONMember("content", onlyCalls ? .null : .string(self.content)))
    if !self.toolCalls.isEmpty { members.append(JSONMember("tool_calls", .array(self.toolCalls.map(\.wire)))) }
    if let call = self.toolCallID { members.append(JSONMember("tool_call_id", .string(call))) }
    return .object(members)
  }
}

extension ToolCall {
  /// A whole call in OpenAI's form.
  var wire: JSON {
    [
      "id": .string(self.id), "type": "function",
      "function": ["name": .string(self.name), "arguments": .string(self.arguments)],
    ]
  }
}

extension ToolDefinition {
  var wire: JSON {
    var function = [JSONMember("name", .string(self.name))]
    if let description = self.description { function.append(JSONMember("description", .string(description))) }
    if let parameters = self.parameters { function.append(JSONMember("parameters", .verbatim(parameters))) }
    return ["type": "function", "function": .object(function)]
  }
}

extension ToolChoice {
  var wire: JSON {
    switch self {
    case .none: "none"
    case .automatic: "auto"
    case .required: "required"
    case .named(let name): ["type": "function", "function": ["name": .string(name)]]
    }
  }
}

extension JSON {
  /// JSON text that was checked when it came in, put in as it stands.
  static func verbatim(_ text: String) -> JSON { .number(text) }
}
