public import Completions
internal import Documents

/// One event of a stream that another OpenAI-compatible server sends.
///
/// Read leniently, as one must read what others write: unknown members are skipped. What is read is checked.
public struct UpstreamChunk: Sendable, Equatable {
  /// Which of the answers it belongs to, from 0.
  public var answer = 0
  public var text = ""
  public var logprobs: [TokenLogprob] = []
  public var toolCalls: [ToolCallPiece] = []
  /// The server's word for why the answer is over.
  public var finish: String?
  /// The server's own count, so far or in all.
  public var usage: ReportedUsage?

  /// Tokens as a server counts them.
  public struct ReportedUsage: Sendable, Equatable {
    public var prompt: Int
    public var cached: Int
    public var completion: Int
    /// Completion tokens that are not shown.
    public var reasoning: Int

    public init(prompt: Int, cached: Int = 0, completion: Int, reasoning: Int = 0) {
      self.prompt = prompt
      self.cached = cached
      self.completion = completion
      self.reasoning = reasoning
    }
  }

  /// Text that cannot be a chunk, or an error in the place of one.
  public enum Fault: Error, Sendable, Equatable {
    case unreadable(String)
    case error(message: String, code: String?)
  }

  init(text: String) { self.text = text }

  /// Reads one event of a stream of one answer in one pass over its bytes. O(bytes).
  public init(_ bytes: [UInt8]) throws(Fault) {
    self = try Self.read(bytes, answers: 1)[0]
  }

  /// Reads one event in one pass over its bytes: a chunk for each answer that it has something of, one at least; the last has the usage.
  /// O(bytes).
  ///
  /// - Parameter answers: How many were asked for; what has another index is not ours.
  public static func read(_ bytes: [UInt8], answers: Int) throws(Fault) -> [UpstreamChunk] {
    var reading = Reading(answers)
    do throws(DocumentError) {
      var walker = try JSONWalker(bytes, limits: JSONLimits(bytes: 1 << 20, depth: 32, nodes: 1 << 15))
      guard walker.isAtMap() else { throw walker.failure("an object belongs here") }
      try walker.map { (walker, key) throws(DocumentError) in try reading.take(key, &walker) }
      try walker.finish()
    } catch {
      throw .unreadable(error.description)
    }
    return try reading.chunks()
  }
}

/// What has been read of an event: its members stand in any order, so what is at fault is told at the end.
private struct Reading {
  private var usage: UpstreamChunk.ReportedUsage?
  private var usageFault: String?
  private var error: (message: String, code: String?)?
  private var hasChoices = false
  private var choices: [Choice] = []
  private let answers: Int

  init(_ answers: Int) { self.answers = answers }

  mutating func take(_ key: String, _ walker: inout JSONWalker) throws(DocumentError) {
    switch key {
    case "choices" where walker.isAtList():
      self.hasChoices = true
      try walker.list { (walker) throws(DocumentError) in
        let choice = try Choice(&walker)
        // What was not asked for is not ours; nor is a second part of one answer in one event.
        guard choice.index < self.answers, !self.choices.contains(where: { $0.index == choice.index }) else { return }
        self.choices.append(choice)
      }
    case "usage" where walker.isAtMap(): try self.takeUsage(&walker)
    case "usage":
      if !(try walker.document().isNull) { self.usageFault = UpstreamChunk.ReportedUsage.expectation }
    case "error":
      let error = try walker.document()
      if !error.isNull { self.error = (error.message, error["code"]?.text) }
    default: try walker.skip()
    }
  }

  private mutating func takeUsage(_ walker: inout JSONWalker) throws(DocumentError) {
    var prompt: Int?
    var completion = 0
    var cached = 0
    var reasoning = 0
    try walker.map { (walker, key) throws(DocumentError) in
      switch key {
      case "prompt_tokens": prompt = try walker.tokens()
      case "completion_tokens": completion = try walker.tokens() ?? 0
      case "prompt_tokens_details": cached = try walker.tokens(in: "cached_tokens")
      case "completion_tokens_details": reasoning = try walker.tokens(in: "reasoning_tokens")
      default: try walker.skip()
      }
    }
    guard let prompt else {
      self.usageFault = UpstreamChunk.ReportedUsage.expectation
      return
    }
    self.usage = UpstreamChunk.ReportedUsage(
      prompt: prompt, cached: min(cached, prompt), completion: completion, reasoning: min(reasoning, completion))
  }

  func chunks() throws(UpstreamChunk.Fault) -> [UpstreamChunk] {
    if let error = self.error { throw .error(message: error.message, code: error.code) }
    if let fault = self.usageFault { throw .unreadable(fault) }
    guard self.hasChoices || self.usage != nil else { throw .unreadable("there are no choices and no usage") }
    var chunks = try self.choices.map { (choice) throws(UpstreamChunk.Fault) in try self.chunk(of: choice) }
    if chunks.isEmpty { chunks.append(UpstreamChunk(text: "")) }
    chunks[chunks.count - 1].usage = self.usage
    return chunks
  }

  private func chunk(of choice: Choice) throws(UpstreamChunk.Fault) -> UpstreamChunk {
    var chunk = UpstreamChunk(text: "")
    chunk.answer = choice.index
    chunk.finish = choice.finish
    if let logprobs = choice.logprobs { chunk.logprobs = try TokenLogprob.reading(logprobs) }
    guard choice.hasDelta else {
      chunk.text = choice.text
      return chunk
    }
    chunk.text = choice.content
    chunk.toolCalls = try choice.toolCalls.map { (call) throws(UpstreamChunk.Fault) in try ToolCallPiece(reading: call) }
    return chunk
  }
}

/// One element of `choices`.
private struct Choice {
  var index = 0
  var finish: String?
  var logprobs: Document?
  var hasDelta = false
  var content = ""
  var text = ""
  var toolCalls: [Document] = []

  init(_ walker: inout JSONWalker) throws(DocumentError) {
    guard walker.isAtMap() else {
      try walker.skip()
      return
    }
    try walker.map { (walker, key) throws(DocumentError) in
      switch key {
      case "index": self.index = try walker.tokens() ?? 0
      case "delta":
        self.hasDelta = true
        if walker.isAtMap() {
          try walker.map { (walker, key) throws(DocumentError) in try self.takeDelta(key, &walker) }
        } else {
          try walker.skip()
        }
      case "finish_reason": self.finish = try walker.text()
      case "text": self.text = try walker.text() ?? ""
      case "logprobs" where walker.isAtMap(): self.logprobs = try walker.document()
      default: try walker.skip()
      }
    }
  }

  private mutating func takeDelta(_ key: String, _ walker: inout JSONWalker) throws(DocumentError) {
    switch key {
    case "content": self.content = try walker.text() ?? ""
    case "tool_calls" where walker.isAtList():
      try walker.list { (walker) throws(DocumentError) in self.toolCalls.append(try walker.document()) }
    default: try walker.skip()
    }
  }
}

extension JSONWalker {
  /// A whole number from 0 to 2^40; nil for anything else.
  fileprivate mutating func tokens() throws(DocumentError) -> Int? {
    guard let count = try self.count(), count <= 1 << 40 else { return nil }
    return count
  }

  /// A count within an object; 0 where it is not told.
  fileprivate mutating func tokens(in member: String) throws(DocumentError) -> Int {
    guard self.isAtMap() else {
      try self.skip()
      return 0
    }
    var count = 0
    try self.map { (walker, key) throws(DocumentError) in
      if key == member { count = try walker.tokens() ?? 0 } else { try walker.skip() }
    }
    return count
  }
}

extension UpstreamChunk.ReportedUsage {
  fileprivate static let expectation = "usage: prompt_tokens must be a count"
}

extension ToolCallPiece {
  /// The most calls in one answer.
  private static let mostCalls = 128

  fileprivate init(reading document: Document) throws(UpstreamChunk.Fault) {
    let index = document["index"]?.count ?? 0
    guard index < Self.mostCalls else { throw .unreadable("tool call \(index); at most \(Self.mostCalls) are read") }
    let function = document["function"]
    self.init(
      index: index, id: document["id"]?.text, name: function?["name"]?.text, arguments: function?["arguments"]?.text ?? "")
  }
}

extension TokenLogprob {
  /// The chat form (`content`) or the one of legacy completions (`tokens`, `token_logprobs`, `top_logprobs`).
  fileprivate static func reading(_ document: Document) throws(UpstreamChunk.Fault) -> [TokenLogprob] {
    if case .list(let entries)? = document["content"]?.content {
      return try entries.map { (entry) throws(UpstreamChunk.Fault) in
        guard let token = ScoredToken(reading: entry) else { throw .unreadable("logprobs: a token and its logprob belong here") }
        var alternatives: [ScoredToken] = []
        if case .list(let others)? = entry["top_logprobs"]?.content {
          alternatives = others.compactMap(ScoredToken.init(reading:))
        }
        return TokenLogprob(token: token, alternatives: alternatives)
      }
    }
    guard case .list(let tokens)? = document["tokens"]?.content, case .list(let scores)? = document["token_logprobs"]?.content,
      tokens.count == scores.count
    else { return [] }
    var tops: [Document] = []
    if case .list(let elements)? = document["top_logprobs"]?.content { tops = elements }
    return zip(tokens, scores).enumerated().map { place, pair in
      let text = pair.0.text ?? ""
      let token = ScoredToken(text: text, bytes: Array(text.utf8), logprob: pair.1.fraction ?? 0)
      guard place < tops.count, case .map(let members) = tops[place].content else { return TokenLogprob(token: token) }
      return TokenLogprob(
        token: token,
        alternatives: members.compactMap { member in
          member.value.fraction.map { ScoredToken(text: member.key, bytes: Array(member.key.utf8), logprob: $0) }
        }.sorted { $0.logprob > $1.logprob })
    }
  }
}

extension ScoredToken {
  fileprivate init?(reading document: Document) {
    guard let text = document["token"]?.text, let logprob = document["logprob"]?.fraction else { return nil }
    var bytes = Array(text.utf8)
    if case .list(let elements)? = document["bytes"]?.content {
      bytes = elements.compactMap { $0.count.flatMap { UInt8(exactly: $0) } }
    }
    self.init(text: text, bytes: bytes, logprob: logprob)
  }
}

extension Document {
  var isNull: Bool { if case .null = self.content { true } else { false } }

  /// The text of a string; nil for anything else.
  var text: String? { if case .string(let text) = self.content { text } else { nil } }

  /// A whole number from 0 to 2^40; nil for anything else.
  var count: Int? {
    guard case .number(let digits) = self.content, let value = Int(digits), (0...(1 << 40)).contains(value) else { return nil }
    return value
  }

  var fraction: Float? { if case .number(let digits) = self.content { Float(digits) } else { nil } }

  /// The message of an error object, or the error itself where it is a text.
  fileprivate var message: String { self["message"]?.text ?? self.text ?? "an error without a message" }
}
