internal import Completions
public import Documents

/// OpenAI's responses: items of output, and numbered events while they come.
public struct ResponsesDialect: AnswerDialect {
  private let head: AnswerHead
  /// The members of the request that the response repeats.
  private let echo: [JSONMember]
  private var sequence = 0
  private var items: [Item] = []
  private var isOpen = false

  private enum Item: Sendable {
    case message(String)
    case call(index: Int, ToolCall)
  }

  public init(_ head: AnswerHead, echo: [JSONMember]) {
    self.head = head
    self.echo = echo
  }

  public var id: String { "resp_" + self.head.id }

  // MARK: Streamed

  public mutating func opening() -> [UInt8] {
    let response = self.response(status: "in_progress", output: [], end: nil)
    return self.event("response.created", [JSONMember("response", response)])
      + self.event("response.in_progress", [JSONMember("response", response)])
  }

  public mutating func piece(_ piece: AnswerPiece) -> [UInt8] {
    var bytes: [UInt8] = []
    if !piece.text.isEmpty { bytes += self.take(text: piece.text) }
    for call in piece.toolCalls { bytes += self.take(call) }
    return bytes
  }

  private mutating func take(text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var before = ""
    if self.isOpen, case .message(let said)? = self.items.last {
      before = said
      self.items.removeLast()
      self.items.append(.message(before + text))
    } else {
      bytes += self.close()
      self.items.append(.message(text))
      self.isOpen = true
      bytes += self.added()
      bytes += self.event(
        "response.content_part.added", self.place + [JSONMember("content_index", 0), JSONMember("part", Self.part(""))])
    }
    return bytes
      + self.event(
        "response.output_text.delta",
        self.place + [JSONMember("content_index", 0), JSONMember("delta", .string(text)), JSONMember("logprobs", [])])
  }

  private mutating func take(_ piece: ToolCallPiece) -> [UInt8] {
    var bytes: [UInt8] = []
    if self.isOpen, case .call(piece.index, var call)? = self.items.last {
      call.arguments += piece.arguments
      self.items.removeLast()
      self.items.append(.call(index: piece.index, call))
    } else {
      bytes += self.close()
      self.items.append(.call(index: piece.index, ToolCall(id: piece.id ?? "", name: piece.name ?? "", arguments: "")))
      self.isOpen = true
      bytes += self.added()
      self.items.removeLast()
      self.items.append(
        .call(index: piece.index, ToolCall(id: piece.id ?? "", name: piece.name ?? "", arguments: piece.arguments)))
    }
    guard !piece.arguments.isEmpty else { return bytes }
    return bytes
      + self.event("response.function_call_arguments.delta", self.place + [JSONMember("delta", .string(piece.arguments))])
  }

  private mutating func added() -> [UInt8] {
    self.event(
      "response.output_item.added",
      [
        JSONMember("output_index", .integer(self.items.count - 1)),
        JSONMember("item", self.item(self.items.count - 1, status: "in_progress", isEmpty: true)),
      ])
  }

  /// Ends the item that is open.
  private mutating func close(status: String = "completed") -> [UInt8] {
    guard self.isOpen, let last = self.items.last else { return [] }
    self.isOpen = false
    var bytes: [UInt8]
    switch last {
    case .message(let text):
      bytes = self.event(
        "response.output_text.done",
        self.place + [JSONMember("content_index", 0), JSONMember("text", .string(text)), JSONMember("logprobs", [])])
      bytes += self.event(
        "response.content_part.done", self.place + [JSONMember("content_index", 0), JSONMember("part", Self.part(text))])
    case .call(_, let call):
      bytes = self.event(
        "response.function_call_arguments.done",
        self.place + [JSONMember("name", .string(call.name)), JSONMember("arguments", .string(call.arguments))])
    }
    return bytes
      + self.event(
        "response.output_item.done",
        [
          JSONMember("output_index", .integer(self.items.count - 1)),
          JSONMember("item", self.item(self.items.count - 1, status: status)),
        ])
  }

  public mutating func closing(_ end: AnswerEnd) -> [UInt8] {
    let status = Self.status(end.finish)
    let bytes = self.close(status: status)
    let output = self.items.indices.map { self.item($0, status: status) }
    return bytes
      + self.event("response.\(status)", [JSONMember("response", self.response(status: status, output: output, end: end))])
  }

  public mutating func failure(_ error: WireError) -> [UInt8] {
    let failed = self.response(
      status: "failed", output: self.items.indices.map { self.item($0, status: "incomplete") }, end: nil, error: error)
    return self.event("response.failed", [JSONMember("response", failed)])
      + self.event(
        "error",
        [
          JSONMember("code", .string(error.code)), JSONMember("message", .string(error.message)),
          JSONMember("param", JSON(error.parameter)),
        ])
  }

  // MARK: Whole

  public func whole(_ answers: [AnswerPiece], _ end: AnswerEnd) -> JSON {
    let answer = answers.first ?? AnswerPiece()
    var whole = self
    let calls = answer.wholeCalls
    whole.items = answer.text.isEmpty && !calls.isEmpty ? [] : [.message(answer.text)]
    whole.items += calls.enumerated().map { .call(index: $0.offset, $0.element) }
    let status = Self.status(end.finish)
    return whole.response(status: status, output: whole.items.indices.map { whole.item($0, status: status) }, end: end)
  }

  private static func status(_ finish: String) -> String {
    finish == "length" || finish == "content_filter" ? "incomplete" : "completed"
  }

  private func response(status: String, output: [JSON], end: AnswerEnd?, error: WireError? = nil) -> JSON {
    let created = Int(self.head.created)
    let incomplete: JSON? = end.flatMap { end in
      switch end.finish {
      case "length": ["reason": "max_output_tokens"]
      case "content_filter": ["reason": "content_filter"]
      default: nil
      }
    }
    return .object(
      [
        JSONMember("id", .string(self.id)), JSONMember("object", "response"), JSONMember("created_at", .integer(created)),
        JSONMember("status", .string(status)),
        JSONMember("error", error.map { ["code": "server_error", "message": .string($0.message)] } ?? .null),
        JSONMember("incomplete_details", incomplete ?? .null), JSONMember("model", .string(self.head.model)),
        JSONMember("output", .array(output)), JSONMember("usage", end.map { Self.usage($0.usage) } ?? .null),
      ] + self.echo + (end?.extra ?? []))
  }

  private static func usage(_ usage: CompletionUsage) -> JSON {
    let input = usage.promptUncached + usage.promptCached
    return [
      "input_tokens": .integer(input),
      "input_tokens_details": ["cached_tokens": .integer(usage.promptCached), "cache_write_tokens": 0],
      "output_tokens": .integer(usage.completion), "output_tokens_details": ["reasoning_tokens": 0],
      "total_tokens": .integer(input + usage.completion),
    ]
  }

  // MARK: Items

  private func item(_ index: Int, status: String, isEmpty: Bool = false) -> JSON {
    switch self.items[index] {
    case .message(let text):
      [
        "id": .string(self.itemID(index)), "type": "message", "status": .string(status), "role": "assistant",
        "content": isEmpty ? [] : [Self.part(text)],
      ]
    case .call(_, let call):
      [
        "id": .string(self.itemID(index)), "type": "function_call", "status": .string(status),
        "call_id": .string(call.id), "name": .string(call.name), "arguments": .string(call.arguments),
      ]
    }
  }

  private func itemID(_ index: Int) -> String {
    if case .message = self.items[index] { "msg_\(self.head.id)_\(index)" } else { "fc_\(self.head.id)_\(index)" }
  }

  private static func part(_ text: String) -> JSON {
    ["type": "output_text", "text": .string(text), "annotations": [], "logprobs": []]
  }

  private var place: [JSONMember] {
    let index = self.items.count - 1
    return [JSONMember("item_id", .string(self.itemID(index))), JSONMember("output_index", .integer(index))]
  }

  private mutating func event(_ name: String, _ members: [JSONMember]) -> [UInt8] {
    defer { self.sequence += 1 }
    return ServerSentEvent.named(
      name,
      .object([JSONMember("type", .string(name)), JSONMember("sequence_number", .integer(self.sequence))] + members))
  }
}
