internal import Completions
public import Documents

/// Completions of the older kind: `text_completion`.
public struct LegacyDialect: AnswerDialect {
  private let head: AnswerHead
  private let includesUsage: Bool
  private let hasLogprobs: Bool
  private let echo: String?
  /// Where the next token's text begins, in characters of the whole text; of each answer.
  private var offsets: [Int]

  /// - Parameter answers: How many were asked for.
  public init(_ head: AnswerHead, includesUsage: Bool, hasLogprobs: Bool, echo: String?, answers: Int = 1) {
    self.head = head
    self.includesUsage = includesUsage
    self.hasLogprobs = hasLogprobs
    self.echo = echo
    self.offsets = Array(repeating: echo?.count ?? 0, count: max(1, answers))
  }

  public func opening() -> [UInt8] {
    guard let echo = self.echo else { return [] }
    return self.offsets.indices.flatMap { self.event($0, text: echo, logprobs: nil, finish: nil) }
  }

  public mutating func piece(_ piece: AnswerPiece) -> [UInt8] {
    guard self.offsets.indices.contains(piece.answer) else { return [] }
    let logprobs = self.hasLogprobs ? self.wire(piece.logprobs, &self.offsets[piece.answer]) : nil
    return self.event(piece.answer, text: piece.text, logprobs: logprobs, finish: nil)
  }

  public func closing(_ end: AnswerEnd) -> [UInt8] {
    var bytes: [UInt8] = []
    for answer in self.offsets.indices {
      // What the request cost stands in the last chunk that has a choice.
      bytes += self.event(
        answer, text: "", logprobs: nil, finish: end.finish(of: answer),
        extra: answer == self.offsets.count - 1 ? end.extra : [])
    }
    if self.includesUsage {
      bytes += ServerSentEvent.data(.object(self.members + [JSONMember("choices", []), JSONMember("usage", end.usage.wire)]))
    }
    return bytes + ServerSentEvent.done
  }

  public func failure(_ error: WireError) -> [UInt8] { ServerSentEvent.data(error.json) }

  public func whole(_ answers: [AnswerPiece], _ end: AnswerEnd) -> JSON {
    let choices = answers.map { answer in
      var offset = self.echo?.count ?? 0
      return self.choice(
        answer.answer, text: (self.echo ?? "") + answer.text,
        logprobs: self.hasLogprobs ? self.wire(answer.logprobs, &offset) : nil, finish: end.finish(of: answer.answer))
    }
    return .object(self.members + [JSONMember("choices", .array(choices)), JSONMember("usage", end.usage.wire)] + end.extra)
  }

  private func event(_ answer: Int, text: String, logprobs: JSON?, finish: String?, extra: [JSONMember] = []) -> [UInt8] {
    ServerSentEvent.data(
      .object(
        self.members + [JSONMember("choices", [self.choice(answer, text: text, logprobs: logprobs, finish: finish)])]
          + (self.includesUsage ? [JSONMember("usage", nil)] : []) + extra))
  }

  private func choice(_ answer: Int, text: String, logprobs: JSON?, finish: String?) -> JSON {
    ["text": .string(text), "index": .integer(answer), "logprobs": logprobs ?? .null, "finish_reason": JSON(finish)]
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
