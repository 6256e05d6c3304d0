public import Completions
internal import Documents

/// One event of a stream that another OpenAI-compatible server sends.
///
/// Read leniently, as one must read what others write: unknown members are skipped. What is read is checked.
public struct UpstreamChunk: Sendable, Equatable {
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

  public init(_ bytes: [UInt8]) throws(Fault) {
    let document: Document
    do throws(DocumentError) {
      document = try Document.parseJSON(bytes, limits: JSONLimits(bytes: 1 << 20, depth: 32, nodes: 1 << 15))
    } catch {
      throw .unreadable(error.description)
    }
    guard case .map = document.content else { throw .unreadable("an object belongs here, not \(document.kind)") }
    if let error = document["error"], !error.isNull { throw .error(message: error.message, code: error["code"]?.text) }
    if let usage = document["usage"], !usage.isNull { self.usage = try ReportedUsage(usage) }
    guard let choices = document["choices"], case .list(let elements) = choices.content else {
      guard self.usage != nil else { throw .unreadable("there are no choices and no usage") }
      return
    }
    // One answer was asked for; others are not ours.
    guard let choice = elements.first(where: { ($0["index"]?.count ?? 0) == 0 }) else { return }
    self.finish = choice["finish_reason"]?.text
    if let logprobs = choice["logprobs"] { self.logprobs = try TokenLogprob.reading(logprobs) }
    guard let delta = choice["delta"] else {
      self.text = choice["text"]?.text ?? ""
      return
    }
    self.text = delta["content"]?.text ?? ""
    if case .list(let calls)? = delta["tool_calls"]?.content {
      self.toolCalls = try calls.map { (call) throws(Fault) in try ToolCallPiece(reading: call) }
    }
  }
}

extension UpstreamChunk.ReportedUsage {
  fileprivate init(_ document: Document) throws(UpstreamChunk.Fault) {
    guard let prompt = document["prompt_tokens"]?.count, let completion = document["completion_tokens"]?.count ?? Optional(0)
    else {
      throw .unreadable("usage: prompt_tokens and completion_tokens must be counts")
    }
    let cached = document["prompt_tokens_details"]?["cached_tokens"]?.count ?? 0
    let reasoning = document["completion_tokens_details"]?["reasoning_tokens"]?.count ?? 0
    self.init(prompt: prompt, cached: min(cached, prompt), completion: completion, reasoning: min(reasoning, completion))
  }
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
