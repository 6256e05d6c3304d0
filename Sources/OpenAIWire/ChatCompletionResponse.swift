public import Completions
public import Documents

/// What all responses to one chat completion request share.
public struct ChatCompletionHead: Sendable {
  public var id: String
  public var created: Int64
  public var model: String

  public init(id: String, created: Int64, model: String) {
    self.id = id
    self.created = created
    self.model = model
  }

  fileprivate func members(object: String) -> [JSONMember] {
    [
      JSONMember("id", .string(self.id)), JSONMember("object", .string(object)),
      JSONMember("created", .integer(Int(self.created))),
      JSONMember("model", .string(self.model)),
    ]
  }
}

/// Responses and chunks in OpenAI's shape.
public enum ChatCompletionWire {
  /// The whole answer at once.
  ///
  /// - Parameter extra: members of ours that follow OpenAI's.
  public static func response(
    _ head: ChatCompletionHead, text: String, finish: String, usage: CompletionUsage, extra: [JSONMember] = []
  ) -> JSON {
    let message: JSON = ["role": "assistant", "content": .string(text), "refusal": nil]
    let choice: JSON = ["index": 0, "message": message, "logprobs": nil, "finish_reason": .string(finish)]
    return .object(
      head.members(object: "chat.completion") + [
        JSONMember("choices", [choice]), JSONMember("usage", self.usage(usage)),
        JSONMember("service_tier", "default"), JSONMember("system_fingerprint", nil),
      ] + extra)
  }

  /// The first chunk: the role, no text.
  public static func opening(_ head: ChatCompletionHead, includesUsage: Bool) -> JSON {
    self.chunk(head, delta: ["role": "assistant", "content": "", "refusal": nil], finish: nil, includesUsage: includesUsage)
  }

  public static func delta(_ head: ChatCompletionHead, text: String, includesUsage: Bool) -> JSON {
    self.chunk(head, delta: ["content": .string(text)], finish: nil, includesUsage: includesUsage)
  }

  /// The chunk that says why the answer ended.
  public static func closing(_ head: ChatCompletionHead, finish: String, includesUsage: Bool, extra: [JSONMember] = []) -> JSON {
    self.chunk(head, delta: [:], finish: finish, includesUsage: includesUsage, extra: extra)
  }

  /// The last chunk of a stream that was asked to include its usage: no choices.
  public static func usageChunk(_ head: ChatCompletionHead, _ usage: CompletionUsage) -> JSON {
    .object(
      head.members(object: "chat.completion.chunk") + [JSONMember("choices", []), JSONMember("usage", self.usage(usage))])
  }

  public static func usage(_ usage: CompletionUsage) -> JSON {
    let prompt = usage.promptUncached + usage.promptCached
    return [
      "prompt_tokens": .integer(prompt), "completion_tokens": .integer(usage.completion),
      "total_tokens": .integer(prompt + usage.completion),
      "prompt_tokens_details": ["cached_tokens": .integer(usage.promptCached)],
      "completion_tokens_details": ["reasoning_tokens": 0],
    ]
  }

  private static func chunk(
    _ head: ChatCompletionHead, delta: JSON, finish: String?, includesUsage: Bool, extra: [JSONMember] = []
  ) -> JSON {
    let choice: JSON = ["index": 0, "delta": delta, "logprobs": nil, "finish_reason": JSON(finish)]
    return .object(
      head.members(object: "chat.completion.chunk") + [JSONMember("choices", [choice])]
        + (includesUsage ? [JSONMember("usage", nil)] : []) + extra)
  }
}

/// OpenAI's error object.
public struct WireError: Sendable {
  public var message: String
  public var type: String
  public var parameter: String?
  public var code: String
  /// Members of ours beside OpenAI's four.
  public var extra: [JSONMember]

  public init(message: String, type: String, parameter: String? = nil, code: String, extra: [JSONMember] = []) {
    self.message = message
    self.type = type
    self.parameter = parameter
    self.code = code
    self.extra = extra
  }

  public var json: JSON {
    [
      "error": .object(
        [
          JSONMember("message", .string(self.message)), JSONMember("type", .string(self.type)),
          JSONMember("param", JSON(self.parameter)), JSONMember("code", .string(self.code)),
        ] + self.extra)
    ]
  }
}

/// One server-sent event with a JSON value, or the end mark.
public enum ServerSentEvent {
  public static func data(_ value: JSON) -> [UInt8] { Array("data: ".utf8) + value.bytes + [0x0A, 0x0A] }
  public static let done = Array("data: [DONE]\n\n".utf8)
}
