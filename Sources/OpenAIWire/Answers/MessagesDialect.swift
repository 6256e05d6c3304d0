internal import Completions
public import Documents

/// Anthropic's messages: blocks of text and of tool use.
public struct MessagesDialect: AnswerDialect {
  private let head: AnswerHead
  /// The prompt's tokens as far as they are known before the answer.
  private let promptTokens: Int
  /// The block that is open: its index, and the call that it is, where it is one.
  private var block: (index: Int, call: Int?)?
  private var blocks = 0

  public init(_ head: AnswerHead, promptTokens: Int) {
    self.head = head
    self.promptTokens = promptTokens
  }

  public func opening() -> [UInt8] {
    let message = JSON.object(
      self.members + [
        JSONMember("content", []), JSONMember("stop_reason", nil), JSONMember("stop_sequence", nil),
        JSONMember("usage", ["input_tokens": .integer(self.promptTokens), "output_tokens": 0]),
      ])
    return Self.event("message_start", [JSONMember("message", message)]) + Self.event("ping", [])
  }

  public mutating func piece(_ piece: AnswerPiece) -> [UInt8] {
    var bytes: [UInt8] = []
    if !piece.text.isEmpty {
      bytes += self.open(call: nil, ["type": "text", "text": ""])
      bytes += self.delta(["type": "text_delta", "text": .string(piece.text)])
    }
    for call in piece.toolCalls {
      bytes += self.open(
        call: call.index,
        ["type": "tool_use", "id": .string(call.id ?? ""), "name": .string(call.name ?? ""), "input": [:]])
      if !call.arguments.isEmpty {
        bytes += self.delta(["type": "input_json_delta", "partial_json": .string(call.arguments)])
      }
    }
    return bytes
  }

  public mutating func closing(_ end: AnswerEnd) -> [UInt8] {
    var bytes = self.close()
    bytes += Self.event(
      "message_delta",
      [
        JSONMember("delta", ["stop_reason": .string(Self.stopReason(end.finish)), "stop_sequence": nil]),
        JSONMember("usage", Self.usage(end.usage)),
      ] + end.extra)
    return bytes + Self.event("message_stop", [])
  }

  public func failure(_ error: WireError) -> [UInt8] { ServerSentEvent.named("error", error.anthropic) }

  public func whole(_ answers: [AnswerPiece], _ end: AnswerEnd) -> JSON {
    let answer = answers.first ?? AnswerPiece()
    var content: [JSON] = answer.text.isEmpty ? [] : [["type": "text", "text": .string(answer.text)]]
    content += answer.wholeCalls.map { call in
      ["type": "tool_use", "id": .string(call.id), "name": .string(call.name), "input": Self.input(call.arguments)]
    }
    return .object(
      self.members + [
        JSONMember("content", .array(content)), JSONMember("stop_reason", .string(Self.stopReason(end.finish))),
        JSONMember("stop_sequence", nil), JSONMember("usage", Self.usage(end.usage)),
      ] + end.extra)
  }

  private var members: [JSONMember] {
    [
      JSONMember("id", .string("msg_" + self.head.id)), JSONMember("type", "message"), JSONMember("role", "assistant"),
      JSONMember("model", .string(self.head.model)),
    ]
  }

  /// Arguments are a text in OpenAI's words and an object in these; what is no object stays visible as a text.
  private static func input(_ arguments: String) -> JSON {
    guard let document = try? Document.parseJSON(Array(arguments.utf8)), case .map = document.content else {  // Said beside.
      return arguments.isEmpty ? [:] : ["arguments": .string(arguments)]
    }
    return JSON(document)
  }

  private static func stopReason(_ finish: String) -> String {
    switch finish {
    case "length": "max_tokens"
    case "tool_calls": "tool_use"
    case "content_filter": "refusal"
    default: "end_turn"
    }
  }

  private static func usage(_ usage: CompletionUsage) -> JSON {
    [
      "input_tokens": .integer(usage.promptUncached), "cache_creation_input_tokens": 0,
      "cache_read_input_tokens": .integer(usage.promptCached), "output_tokens": .integer(usage.completion),
    ]
  }

  // MARK: Blocks

  private mutating func open(call: Int?, _ start: JSON) -> [UInt8] {
    if let block = self.block, block.call == call { return [] }
    let closed = self.close()
    self.block = (self.blocks, call)
    self.blocks += 1
    return closed
      + Self.event(
        "content_block_start", [JSONMember("index", .integer(self.blocks - 1)), JSONMember("content_block", start)])
  }

  private func delta(_ delta: JSON) -> [UInt8] {
    Self.event(
      "content_block_delta", [JSONMember("index", .integer(self.block?.index ?? 0)), JSONMember("delta", delta)])
  }

  private mutating func close() -> [UInt8] {
    guard let block = self.block else { return [] }
    self.block = nil
    return Self.event("content_block_stop", [JSONMember("index", .integer(block.index))])
  }

  private static func event(_ name: String, _ members: [JSONMember]) -> [UInt8] {
    ServerSentEvent.named(name, .object([JSONMember("type", .string(name))] + members))
  }
}

extension WireError {
  /// The same error in Anthropic's shape; OpenAI's members stay beside its two.
  public var anthropic: JSON {
    let type =
      switch self.type {
      case "authentication_error", "permission_error", "invalid_request_error", "rate_limit_error": self.type
      case "license_terms": "permission_error"
      case "insufficient_quota": "billing_error"
      default: self.code == "overloaded" ? "overloaded_error" : "api_error"
      }
    let members = self.members.map { $0.key == "type" ? JSONMember("type", .string(type)) : $0 }
    return ["type": "error", "error": .object(members)]
  }
}
