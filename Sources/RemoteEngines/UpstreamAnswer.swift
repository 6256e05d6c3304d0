internal import Completions
internal import OpenAIWire

/// One answer as a value: what a server's events add to it, what of that may be handed on, and what is charged for it.
struct UpstreamAnswer: Sendable {
  /// What comes next of what has been taken.
  enum Step {
    case delta(CompletionDelta)
    /// There is more, and the allowance has no room for it.
    case waits
    case ends(Ending)
    /// All that was taken is handed on.
    case needsMore
  }

  enum Ending: Sendable, Equatable {
    /// As the server says.
    case proper(CompletionEnd.Reason)
    /// The server would go on: at the request's own limit.
    case limit
    /// The allowance is final and reached.
    case allowance
    case cancelled

    /// Whether the server may have more to send that nobody wants.
    var leavesMore: Bool { if case .proper = self { false } else { true } }
  }

  /// A count of the server's that is not ours.
  struct Difference: Sendable {
    var category: String
    var reported: Int
    var counted: Int
    var charged: Int
  }

  private(set) var hasBegun = false
  private(set) var isWaiting = false
  private let prompt: PreparedPrompt
  private let counter: TextCounter?
  private let bound: PromptBound
  private var tally: AnswerTally
  /// The server's words for why each answer ended.
  private var finishes: [String?]
  /// What is taken and not handed on, in order.
  private var rest: [CompletionDelta] = []
  /// How the answer ends once the rest is handed on.
  private var ending: Ending?

  /// The most bytes of an answer, and how many more for each token that it may have.
  private static let answerBytes = 1 << 20
  private static let bytesPerToken = 256
  private static let done = Array("[DONE]".utf8)

  init(to prompt: PreparedPrompt, counter: TextCounter?) {
    self.prompt = prompt
    self.counter = counter
    self.bound = PromptBound(prompt.request, counter: counter)
    self.tally = AnswerTally(counter: counter)
    self.finishes = Array(repeating: nil, count: prompt.request.answers)
  }

  /// Tokens that were handed on.
  var emitted: Int { self.tally.emitted }

  /// The prompt's usage as long as the server has said nothing of it.
  var expectedUsage: CompletionUsage { CompletionUsage(promptUncached: min(self.bound.likely, self.prompt.promptTokens)) }

  /// Takes one event. What came before must have been handed on.
  mutating func take(_ data: [UInt8], url: String) throws(UpstreamFault) {
    guard data != Self.done else { return self.close(.proper(self.reason)) }
    let chunks: [UpstreamChunk]
    do throws(UpstreamChunk.Fault) { chunks = try UpstreamChunk.read(data, answers: self.finishes.count) } catch {
      switch error {
      case .unreadable(let reason): throw .garbage("sent an event that is no chunk: \(reason)")
      case .error(let message, let code): throw UpstreamFault(message: message, code: code, url: url)
      }
    }
    self.hasBegun = true
    for chunk in chunks { try self.take(chunk) }
  }

  private mutating func take(_ chunk: UpstreamChunk) throws(UpstreamFault) {
    if let finish = chunk.finish { self.finishes[chunk.answer] = finish }
    let tokens = self.tally.take(chunk)
    guard self.tally.bytes <= Self.answerBytes + Self.bytesPerToken * self.prompt.completionCeiling else {
      throw .garbage("sent more text than \(self.prompt.completionCeiling) tokens can have")
    }
    guard tokens > 0 || !chunk.text.isEmpty || !chunk.toolCalls.isEmpty else { return }
    var delta = CompletionDelta(text: chunk.text, tokens: tokens, logprobs: chunk.logprobs, toolCalls: chunk.toolCalls)
    delta.answer = chunk.answer
    self.rest.append(delta)
  }

  /// The server has closed its stream.
  ///
  /// - Returns: false where it had not said why it ended.
  mutating func closes() -> Bool {
    guard self.finishes.allSatisfy({ $0 != nil }) else { return false }
    if self.ending == nil { self.close(.proper(self.reason)) }
    return true
  }

  /// Of several answers that of the first that did not just stop.
  private var reason: CompletionEnd.Reason { self.reasons.first { $0 != .stop } ?? .stop }

  private var reasons: [CompletionEnd.Reason] { self.finishes.map(Self.reason) }

  private static func reason(_ finish: String?) -> CompletionEnd.Reason {
    switch finish {
    case "length": .length
    case "tool_calls", "function_call": .toolCalls
    default: .stop
    }
  }

  /// What is charged beyond what was handed on is handed on as tokens without text.
  private mutating func close(_ ending: Ending) {
    self.ending = ending
    let (total, _) = self.tally.total
    guard total > self.tally.emitted else { return }
    self.rest = [CompletionDelta(text: "", tokens: total - self.tally.emitted)]
  }

  /// Hands on as much as the grant covers.
  mutating func step(_ grant: TokenAllowance.Grant) -> Step {
    self.isWaiting = false
    guard var rest = self.rest.first else { return self.ending.map { .ends($0) } ?? .needsMore }
    guard rest.tokens > 0 else {
      self.rest.removeFirst()
      return .delta(rest)
    }
    let left = self.prompt.completionCeiling - self.tally.emitted
    guard left > 0 else { return self.cut(at: .limit) }
    let room = min(left, grant.tokens - self.tally.emitted)
    guard room > 0 else {
      guard !grant.isFinal else { return self.cut(at: .allowance) }
      self.isWaiting = true
      return .waits
    }
    guard room < rest.tokens else {
      self.rest.removeFirst()
      self.tally.emit(rest.tokens)
      return .delta(rest)
    }
    let part = rest.split(off: room)
    self.rest[0] = rest
    self.tally.emit(part.tokens)
    return .delta(part)
  }

  /// An answer that was over already ends as it was to end; only its count is cut.
  private mutating func cut(at ending: Ending) -> Step {
    self.rest = []
    return .ends(self.ending ?? ending)
  }

  // MARK: The end

  /// The end as it is told, with the counts that differ.
  func end(_ ending: Ending) -> (CompletionEnd, [Difference]) {
    let reason: CompletionEnd.Reason
    switch ending {
    case .proper(let proper): reason = proper
    case .limit: reason = .length
    case .allowance: reason = .allowance
    case .cancelled: reason = .cancelled
    }
    let isCut = ending == .allowance || ending == .cancelled
    let charged = isCut ? self.tally.emitted : min(self.tally.total.tokens, self.tally.emitted)
    var end = CompletionEnd(reason: reason, usage: self.usage(completion: charged), countedBy: self.countedBy)
    // An answer that had not ended by itself ended with the request.
    if self.finishes.count > 1 { end.reasons = self.finishes.map { $0 == nil ? reason : Self.reason($0) } }
    return (end, isCut ? [] : self.differences(charged: charged))
  }

  /// The usage as it is charged: never above what was held for.
  private func usage(completion: Int) -> CompletionUsage {
    guard let reported = self.tally.reported else {
      var usage = self.expectedUsage
      usage.completion = completion
      return usage
    }
    let prompt = min(reported.prompt, self.prompt.promptTokens)
    let cached = min(reported.cached, prompt)
    return CompletionUsage(promptUncached: prompt - cached, promptCached: cached, completion: completion)
  }

  private var countedBy: TokenCounter {
    guard self.tally.reported == nil else { return self.tally.total.source }
    return self.counter != nil || self.bound.isExact ? .gateway : .estimate
  }

  /// Where the server's count is not ours. One token more is the answer's end, which has no text.
  private func differences(charged: Int) -> [Difference] {
    guard let reported = self.tally.reported else { return [] }
    var differences: [Difference] = []
    let own = self.tally.own
    if !self.tally.isPlausible(reported) || reported.completion > charged
      || (self.counter != nil && abs(reported.completion - own) > 1 + own / 50)
    {
      differences.append(Difference(category: "completion", reported: reported.completion, counted: own, charged: charged))
    }
    if reported.prompt > self.prompt.promptTokens {
      differences.append(
        Difference(
          category: "prompt", reported: reported.prompt, counted: self.prompt.promptTokens, charged: self.prompt.promptTokens))
    }
    return differences
  }
}

extension CompletionDelta {
  /// Takes off the first `count` tokens with their share of the text: a server may put several tokens into one chunk, and where one
  /// ends is known to it alone.
  fileprivate mutating func split(off count: Int) -> CompletionDelta {
    let length = self.text.count
    let cut = self.text.index(self.text.startIndex, offsetBy: length * count / self.tokens)
    var part = self
    part.text = String(self.text[..<cut])
    part.tokens = count
    part.logprobs = Array(self.logprobs.prefix(count))
    self.text = String(self.text[cut...])
    self.tokens -= count
    self.logprobs = Array(self.logprobs.dropFirst(count))
    self.toolCalls = []
    return part
  }
}
