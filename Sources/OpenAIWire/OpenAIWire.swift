// OpenAIWire: OpenAI's JSON and server-sent events, in both directions, as values; Anthropic's messages beside them.
// Holds the reading of requests, field by field honoured or refused by name, and the writing of responses, chunks and errors.
// It must never know a customer, a license, a price or a connection.

public import Completions
public import Documents

/// A request for one answer, whatever dialect it came in.
public struct AskedCompletion: Sendable {
  public var model: String
  public var completion: CompletionRequest
  public var stream = false
  /// The end user, as the client names them.
  public var endUser: String?
  /// What the caller declares the request to be for.
  public var declaredPurpose: String?

  public init(model: String, completion: CompletionRequest) {
    self.model = model
    self.completion = completion
  }
}

/// A piece of an answer that may be shown.
public struct AnswerPiece: Sendable, Equatable {
  /// Which of the answers it belongs to, from 0.
  public var answer: Int
  public var text: String
  public var toolCalls: [ToolCallPiece]
  public var logprobs: [TokenLogprob]

  public init(answer: Int = 0, text: String = "", toolCalls: [ToolCallPiece] = [], logprobs: [TokenLogprob] = []) {
    self.answer = answer
    self.text = text
    self.toolCalls = toolCalls
    self.logprobs = logprobs
  }

  public mutating func append(_ more: AnswerPiece) {
    self.text += more.text
    self.toolCalls += more.toolCalls
    self.logprobs += more.logprobs
  }

  /// The calls, each put together from its pieces.
  public var wholeCalls: [ToolCall] {
    var calls: [Int: ToolCall] = [:]
    for piece in self.toolCalls {
      calls[piece.index, default: ToolCall(id: "", name: "", arguments: "")].append(piece)
    }
    return calls.sorted { $0.key < $1.key }.map(\.value)
  }
}

extension ToolCall {
  fileprivate mutating func append(_ piece: ToolCallPiece) {
    if let id = piece.id { self.id = id }
    if let name = piece.name { self.name = name }
    self.arguments += piece.arguments
  }
}

/// How an answer ended.
public struct AnswerEnd: Sendable {
  /// `stop`, `length`, `tool_calls` or `content_filter`.
  public var finish: String
  /// That of each answer; empty where only one was asked for.
  public var finishes: [String] = []
  public var usage: CompletionUsage
  /// Members of ours that follow the dialect's.
  public var extra: [JSONMember]

  public init(finish: String, usage: CompletionUsage, extra: [JSONMember] = []) {
    self.finish = finish
    self.usage = usage
    self.extra = extra
  }
}

extension AnswerEnd {
  /// How one answer ended.
  func finish(of answer: Int) -> String { self.finishes.indices.contains(answer) ? self.finishes[answer] : self.finish }
}

/// What all writings of one answer share.
public struct AnswerHead: Sendable {
  /// Of the request, without a prefix: the dialect puts its own before it.
  public var id: String
  /// Seconds since 1970.
  public var created: Int64
  public var model: String

  public init(id: String, created: Int64, model: String) {
    self.id = id
    self.created = created
    self.model = model
  }
}

/// How answers look in one dialect: as events while they come, or as one document.
public protocol AnswerDialect: Sendable {
  /// What goes out before the first piece.
  mutating func opening() -> [UInt8]
  mutating func piece(_ piece: AnswerPiece) -> [UInt8]
  mutating func closing(_ end: AnswerEnd) -> [UInt8]
  /// An error after the stream has begun; nothing follows it.
  mutating func failure(_ error: WireError) -> [UInt8]
  /// - Parameter answers: As many as were asked for, in their order.
  func whole(_ answers: [AnswerPiece], _ end: AnswerEnd) -> JSON
}
