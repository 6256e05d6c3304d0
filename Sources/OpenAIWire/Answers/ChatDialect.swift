public import Completions
public import Documents

/// Chat completions: `chat.completion` and its chunks.
public struct ChatDialect: AnswerDialect {
  private let head: AnswerHead
  private let includesUsage: Bool
  private let hasLogprobs: Bool
  /// What stands before and behind the text of a chunk that has nothing else, by answer: most chunks are that. Made with the first of
  /// them.
  private var frames: [(before: [UInt8], after: [UInt8])?]

  /// - Parameter answers: How many were asked for.
  public init(_ head: AnswerHead, includesUsage: Bool, hasLogprobs: Bool = false, answers: Int = 1) {
    self.head = head
    self.includesUsage = includesUsage
    self.hasLogprobs = hasLogprobs
    self.frames = Array(repeating: nil, count: max(1, answers))
  }

  private static func frame(_ head: AnswerHead, _ answer: Int, includesUsage: Bool) -> (before: [UInt8], after: [UInt8]) {
    let members = JSON.object(self.members(head, "chat.completion.chunk")).bytes.dropLast()
    return (
      Array("data: ".utf8) + members + Array(#","choices":[{"index":\#(answer),"delta":{"content":"#.utf8),
      Array(#"},"logprobs":null,"finish_reason":null}]\#(includesUsage ? #","usage":null"# : "")}"#.utf8) + [0x0A, 0x0A]
    )
  }

  // MARK: Streamed

  public func opening() -> [UInt8] {
    self.frames.indices.flatMap { self.event($0, delta: ["role": "assistant", "content": "", "refusal": nil]) }
  }

  public mutating func piece(_ piece: AnswerPiece) -> [UInt8] {
    guard self.frames.indices.contains(piece.answer) else { return [] }
    guard !piece.toolCalls.isEmpty || self.hasLogprobs else {
      let frame =
        self.frames[piece.answer] ?? Self.frame(self.head, piece.answer, includesUsage: self.includesUsage)
      self.frames[piece.answer] = frame
      return frame.before + JSON.string(piece.text).bytes + frame.after
    }
    var delta: [JSONMember] = []
    if !piece.text.isEmpty || piece.toolCalls.isEmpty { delta.append(JSONMember("content", .string(piece.text))) }
    if !piece.toolCalls.isEmpty { delta.append(JSONMember("tool_calls", .array(piece.toolCalls.map(\.wire)))) }
    return self.event(piece.answer, delta: .object(delta), logprobs: self.hasLogprobs ? piece.logprobs.chatWire : nil)
  }

  public func closing(_ end: AnswerEnd) -> [UInt8] {
    var bytes: [UInt8] = []
    for answer in self.frames.indices {
      // What the request cost stands in the last chunk that has a choice.
      bytes += ServerSentEvent.data(
        Self.chunk(
          self.head, answer, delta: [:], finish: end.finish(of: answer), includesUsage: self.includesUsage,
          extra: answer == self.frames.count - 1 ? end.extra : []))
    }
    if self.includesUsage {
      bytes += ServerSentEvent.data(
        .object(
          Self.members(self.head, "chat.completion.chunk")
            + [JSONMember("choices", []), JSONMember("usage", end.usage.wire)]))
    }
    return bytes + ServerSentEvent.done
  }

  public func failure(_ error: WireError) -> [UInt8] { ServerSentEvent.data(error.json) }

  private func event(_ answer: Int, delta: JSON, logprobs: JSON? = nil) -> [UInt8] {
    ServerSentEvent.data(
      Self.chunk(self.head, answer, delta: delta, logprobs: logprobs, finish: nil, includesUsage: self.includesUsage))
  }

  private static func chunk(
    _ head: AnswerHead, _ answer: Int, delta: JSON, logprobs: JSON? = nil, finish: String?, includesUsage: Bool,
    extra: [JSONMember] = []
  ) -> JSON {
    let choice: JSON = ["index": .integer(answer), "delta": delta, "logprobs": logprobs ?? .null, "finish_reason": JSON(finish)]
    return .object(
      self.members(head, "chat.completion.chunk") + [JSONMember("choices", [choice])]
        + (includesUsage ? [JSONMember("usage", nil)] : []) + extra)
  }

  private static func members(_ head: AnswerHead, _ object: String) -> [JSONMember] {
    [
      JSONMember("id", .string("chatcmpl-" + head.id)), JSONMember("object", .string(object)),
      JSONMember("created", .integer(Int(head.created))), JSONMember("model", .string(head.model)),
    ]
  }

  // MARK: Whole

  public func whole(_ answers: [AnswerPiece], _ end: AnswerEnd) -> JSON {
    .object(
      Self.members(self.head, "chat.completion") + [
        JSONMember("choices", .array(answers.map { self.choice($0, finish: end.finish(of: $0.answer)) })),
        JSONMember("usage", end.usage.wire), JSONMember("service_tier", "default"), JSONMember("system_fingerprint", nil),
      ] + end.extra)
  }

  private func choice(_ answer: AnswerPiece, finish: String) -> JSON {
    let calls = answer.wholeCalls
    var message = [JSONMember("role", "assistant")]
    message.append(JSONMember("content", answer.text.isEmpty && !calls.isEmpty ? nil : .string(answer.text)))
    message.append(JSONMember("refusal", nil))
    if !calls.isEmpty { message.append(JSONMember("tool_calls", .array(calls.map(\.wire)))) }
    return [
      "index": .integer(answer.answer), "message": .object(message),
      "logprobs": self.hasLogprobs ? answer.logprobs.chatWire : .null, "finish_reason": .string(finish),
    ]
  }
}

extension CompletionUsage {
  public var wire: JSON {
    let prompt = self.promptUncached + self.promptCached
    return [
      "prompt_tokens": .integer(prompt), "completion_tokens": .integer(self.completion),
      "total_tokens": .integer(prompt + self.completion),
      "prompt_tokens_details": ["cached_tokens": .integer(self.promptCached)],
      "completion_tokens_details": ["reasoning_tokens": 0],
    ]
  }
}

extension ToolCallPiece {
  fileprivate var wire: JSON {
    var members = [JSONMember("index", .integer(self.index))]
    if let id = self.id {
      members.append(JSONMember("id", .string(id)))
      members.append(JSONMember("type", "function"))
    }
    var function: [JSONMember] = []
    if let name = self.name { function.append(JSONMember("name", .string(name))) }
    function.append(JSONMember("arguments", .string(self.arguments)))
    members.append(JSONMember("function", .object(function)))
    return .object(members)
  }
}

extension [TokenLogprob] {
  fileprivate var chatWire: JSON {
    let content = self.map { entry -> JSON in
      .object(entry.token.members + [JSONMember("top_logprobs", .array(entry.alternatives.map { .object($0.members) }))])
    }
    return ["content": .array(content), "refusal": nil]
  }
}

extension ScoredToken {
  fileprivate var members: [JSONMember] {
    [
      JSONMember("token", .string(self.text)), JSONMember("logprob", .number("\(self.logprob)")),
      JSONMember("bytes", .array(self.bytes.map { .integer(Int($0)) })),
    ]
  }
}
