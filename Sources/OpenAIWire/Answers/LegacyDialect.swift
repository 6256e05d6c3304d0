internal import Completions
public import Documents

/// Completions of the older kind: `text_completion`.
public struct LegacyDialect: AnswerDialect {
  private let head: AnswerHead
  private let includesUsage: Bool
  private let hasLogprobs: Bool
  private let echo: String?
  /// Where the next token's text begins, in characters of the whole text.
  private var offset: Int

  public init(_ head: AnswerHead, includesUsage: Bool, hasLogprobs: Bool, echo: String?) {
    self.head = head
    self.includesUsage = includesUsage
    self.hasLogprobs = hasLogprobs
    self.echo = echo
    self.offset = echo?.count ?? 0
  }

  public func opening() -> [UInt8] { self.echo.map { self.event(text: $0, logprobs: nil, finish: nil) } ?? [] }

  public mutating func piece(_ piece: AnswerPiece) -> [UInt8] {
    let logprobs = self.hasLogprobs ? self.wire(piece.logprobs, &self.offset) : nil
    return self.event(text: piece.text, logprobs: logprobs, finish: nil)
  }

  public func closing(_ end: AnswerEnd) -> [UInt8] {
    var bytes = self.event(text: "", logprobs: nil, finish: end.finish, extra: end.extra)
    if self.includesUsage {
      bytes += ServerSentEvent.data(.object(self.members + [JSONMember("choices", []), JSONMember("usage", end.usage.wire)]))
    }
    return bytes + ServerSentEvent.done
  }

  public func failure(_ error: WireError) -> [UInt8] { ServerSentEvent.data(error.json) }

  public func whole(_ answer: AnswerPiece, _ end: AnswerEnd) -> JSON {
    var offset = self.offset
    let logprobs = self.hasLogprobs ? self.wire(answer.logprobs, &offset) : nil
    let choice = self.choice(text: (self.echo ?? "") + answer.text, logprobs: logprobs, finish: end.finish)
    return .object(
      self.members + [JSONMember("choices", [choice]), JSONMember("usage", end.usage.wire)] + end.extra)
  }

  private func event(text: String, logprobs: JSON?, finish: String?, extra: [JSONMember] = []) -> [UInt8] {
    ServerSentEvent.data(
      .object(
        self.members + [JSONMember("choices", [self.choice(text: text, logprobs: logprobs, finish: finish)])]
          + (self.includesUsage ? [JSONMember("usage", nil)] : []) + extra))
  }

  private func choice(text: String, logprobs: JSON?, finish: String?) -> JSON {
    ["text": .string(text), "index": 0, "logprobs": logprobs ?? .null, "finish_reason": JSON(finish)]
  }

  private var members: [JSONMember] {
    [
      JSONMember("id", .string("cmpl-" + self.head.id)), JSONMember("object", "text_completion"),
      JSONMember("created", .integer(Int(self.head.created))), JSONMember("model", .string(self.head.model)),
    ]
  }

  private func wire(_ logprobs: [TokenLogprob], _ offset: inout Int) -> JSON {
    var offsets: [JSON] = []
    for entry in logprobs {
      offsets.append(.integer(offset))
      offset += entry.token.text.count
    }
    return [
      "tokens": .array(logprobs.map { .string($0.token.text) }),
      "token_logprobs": .array(logprobs.map { .number("\($0.token.logprob)") }),
      "top_logprobs": .array(
        logprobs.map { entry in
          var seen: Set<String> = []
          let distinct = entry.alternatives.filter { seen.insert($0.text).inserted }
          return .object(distinct.map { JSONMember($0.text, .number("\($0.logprob)")) })
        }), "text_offset": .array(offsets),
    ]
  }
}
