internal import AcceptableUse
internal import Completions

/// How far one answer has come: produced by the engine, released by the guard, delivered to the client, paid for by the hold.
struct Delivery {
  private var guarding: StreamGuard
  /// Reads the arguments of tool calls, which are an answer as much as its text is.
  private var callGuarding: StreamGuard
  /// Completion tokens that the hold pays for; `isFinal` once no more can be added.
  var granted: Int
  var grantIsFinal = false
  let ceiling: Int
  /// The durable promise: no more tokens than this are delivered before the next mark is on disk.
  var highWater: Int
  var lastMark = 0
  /// A mark on its way to disk, and the promise that will hold once it is there.
  var pendingMark: (ticket: CommitTicket, highWater: Int)?
  /// The prompt's tokens, and who counted: as first known, and as the engine's last word has it.
  private(set) var prompt: CompletionUsage

  private(set) var producedTokens = 0
  private(set) var deliveredTokens = 0
  private var releasedBytes = 0
  private var releasedCallBytes = 0
  private var pending: [Pending] = []
  private var producedBytes = 0
  private var producedCallBytes = 0
  private var clearedTokens = 0
  /// The answer so far, kept only where a retry may ask for it again.
  private(set) var recorded = ReleasedPiece()
  private let recordsText: Bool
  /// What the engine produced, shown or not, for whoever is asked about the whole answer; nil where nobody is, or it is too long.
  private(set) var answer: String?
  private let handover: LiveRequest.Handover

  init(
    guarding: StreamGuard, granted: Int, ceiling: Int, highWater: Int, prompt: CompletionUsage, recordsText: Bool,
    keepsAnswer: Bool, handover: LiveRequest.Handover
  ) {
    self.guarding = guarding
    self.callGuarding = guarding
    self.granted = granted
    self.ceiling = ceiling
    self.highWater = highWater
    self.prompt = prompt
    self.recordsText = recordsText
    self.answer = keepsAnswer ? "" : nil
    self.handover = handover
  }

  /// What one step of the engine added and is not yet released as a whole.
  private struct Pending {
    /// Where its text and its arguments end, in bytes of the whole answer.
    var end: Int
    var callEnd: Int
    var tokens: Int
    var toolCalls: [ToolCallPiece]
    var logprobs: [TokenLogprob]
  }

  struct Step {
    /// What may be shown now; nil where there is nothing.
    var piece: ReleasedPiece?
    var finding: Assessment?
  }

  /// Counts what the engine produced and asks the guard what of it is clear.
  mutating func take(_ deltas: [CompletionDelta]) -> Step {
    var text = ""
    var arguments = ""
    for delta in deltas {
      text += delta.text
      for call in delta.toolCalls { arguments += call.arguments }
      self.producedTokens += delta.tokens
      self.pending.append(
        Pending(
          end: self.producedBytes + text.utf8.count, callEnd: self.producedCallBytes + arguments.utf8.count, tokens: delta.tokens,
          toolCalls: delta.toolCalls, logprobs: delta.logprobs))
    }
    self.producedBytes += text.utf8.count
    if self.answer != nil { self.keep(text + arguments) }
    self.producedCallBytes += arguments.utf8.count
    return self.release(self.guarding.append(text), arguments.isEmpty ? nil : self.callGuarding.append(arguments))
  }

  private mutating func keep(_ text: String) {
    self.answer?.append(text)
    if (self.answer?.utf8.count ?? 0) > SecondOpinion.mostBytes { self.answer = nil }
  }

  /// What rules and classifier found in the answer so far.
  var assessment: Assessment { self.guarding.assessment }

  /// What the guard held back to the end.
  mutating func finish() -> Step {
    let text = self.guarding.finish()
    return self.release(text, self.producedCallBytes > 0 ? self.callGuarding.finish() : nil)
  }

  /// What is shown of a token beside its text is shown once its text is.
  private mutating func release(_ text: GuardStep, _ calls: GuardStep?) -> Step {
    self.releasedBytes += text.released.utf8.count
    self.releasedCallBytes += calls?.released.utf8.count ?? 0
    let clear = self.pending.prefix { $0.end <= self.releasedBytes && $0.callEnd <= self.releasedCallBytes }
    var piece = ReleasedPiece(text: text.released)
    for entry in clear {
      self.clearedTokens += entry.tokens
      piece.toolCalls += entry.toolCalls
      piece.logprobs += entry.logprobs
    }
    self.pending.removeFirst(clear.count)
    if self.recordsText { self.recorded.append(piece) }
    return Step(piece: piece.isEmpty ? nil : piece, finding: text.finding ?? calls?.finding)
  }

  /// Tokens that will be with the client once what was released is handed over.
  var tokensAfterDelivery: Int { self.clearedTokens }

  /// The client has taken all that was released.
  mutating func delivered() {
    if self.handover == .asItComes { self.deliveredTokens = self.clearedTokens }
  }

  /// All tokens count as delivered at a proper end, those that yielded no text included: by the engine's last word, which may be less
  /// than was counted on the way.
  mutating func deliveredAll(_ usage: CompletionUsage) {
    self.prompt = usage
    self.producedTokens = usage.completion
    self.deliveredTokens = usage.completion
  }

  /// Takes up the promise of a mark that has reached the disk meanwhile.
  mutating func takeDurableMark() {
    guard let (ticket, highWater) = self.pendingMark, case .success = ticket.outcome else { return }
    self.highWater = max(self.highWater, highWater)
    self.pendingMark = nil
  }

  /// The engine's last word on an answer that ended early.
  mutating func counted(_ produced: Int, _ usage: CompletionUsage?) {
    self.producedTokens = max(self.producedTokens, produced)
    guard let usage, usage.promptUncached + usage.promptCached > 0 else { return }
    self.prompt = usage
  }
}
