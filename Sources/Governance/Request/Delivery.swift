internal import AcceptableUse
internal import Completions

/// How far one request has come: produced by the engine, released by the guards, delivered to the client, paid for by the hold.
struct Delivery {
  /// Each answer with its own guards; most requests have one.
  private var answers: [GuardedAnswer]
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
  private var clearedTokens = 0
  private let handover: LiveRequest.Handover

  init(
    guarding: StreamGuard, answers: Int, granted: Int, ceiling: Int, highWater: Int, prompt: CompletionUsage, recordsText: Bool,
    keepsAnswers: Bool, handover: LiveRequest.Handover
  ) {
    self.answers = (0..<answers).map { GuardedAnswer($0, guarding: guarding, recordsText: recordsText, isKept: keepsAnswers) }
    self.granted = granted
    self.ceiling = ceiling
    self.highWater = highWater
    self.prompt = prompt
    self.handover = handover
  }

  struct Step {
    /// What may be shown now, in order; none is empty.
    var pieces: [ReleasedPiece] = []
    var finding: Assessment?
  }

  /// The answers so far, kept only where a retry may ask for them again.
  var recorded: [ReleasedPiece] { self.answers.map(\.recorded) }

  /// What the engine produced, shown or not, for whoever is asked about the whole: all answers, one after the other. Nil where nobody
  /// is asked, or it is too long.
  var produced: String? {
    var whole: [String] = []
    for answer in self.answers {
      guard let text = answer.produced else { return nil }
      whole.append(text)
    }
    let text = whole.joined(separator: "\n\n")
    return text.utf8.count > SecondOpinion.mostBytes ? nil : text
  }

  /// What rules and classifier found so far: of the answer in which they found most.
  var assessment: Assessment? {
    self.answers.map(\.assessment).max { ($0.flagged ? 1 : 0, $0.probability) < ($1.flagged ? 1 : 0, $1.probability) }
  }

  /// Counts what the engine produced and asks the guards what of it is clear. What belongs to no answer that was asked for is dropped.
  mutating func take(_ deltas: [CompletionDelta]) -> Step {
    var step = Step()
    var rest = deltas[...]
    while let first = rest.first, step.finding == nil {
      let run = rest.prefix { $0.answer == first.answer }
      rest = rest.dropFirst(run.count)
      self.producedTokens += run.reduce(0) { $0 + $1.tokens }
      guard self.answers.indices.contains(first.answer) else { continue }
      self.add(self.answers[first.answer].take(run), to: &step)
    }
    return step
  }

  /// What the guards held back to the end.
  mutating func finish() -> Step {
    var step = Step()
    for place in self.answers.indices where step.finding == nil { self.add(self.answers[place].finish(), to: &step) }
    return step
  }

  private mutating func add(_ release: GuardedAnswer.Release, to step: inout Step) {
    self.clearedTokens += release.tokens
    if !release.piece.isEmpty { step.pieces.append(release.piece) }
    step.finding = release.finding
  }

  /// Tokens of which any part will be with the client once what was released is handed over: guards hold back the end of a token's text
  /// as well, and what was shown of it the client has seen.
  var tokensAfterDelivery: Int { self.answers.reduce(self.clearedTokens) { $0 + $1.tokensShownInPart } }

  /// The client has taken all that was released.
  ///
  /// What it has of a token is charged with the rest of it.
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

/// One answer on its way through its guards.
struct GuardedAnswer {
  private let answer: Int
  private var guarding: StreamGuard
  /// Reads the arguments of tool calls, which are an answer as much as its text is.
  private var callGuarding: StreamGuard
  private var releasedBytes = 0
  private var releasedCallBytes = 0
  private var pending: [Pending] = []
  /// Where the last token that is clear as a whole ends.
  private var clearedBytes = 0
  private var clearedCallBytes = 0
  private var producedBytes = 0
  private var producedCallBytes = 0
  private(set) var recorded: ReleasedPiece
  private let recordsText: Bool
  /// Text and arguments as the engine produced them; nil where nobody asks, or they are too long.
  private(set) var produced: String?

  init(_ answer: Int, guarding: StreamGuard, recordsText: Bool, isKept: Bool) {
    self.produced = isKept ? "" : nil
    self.answer = answer
    self.guarding = guarding
    self.callGuarding = guarding
    self.recorded = ReleasedPiece(answer: answer)
    self.recordsText = recordsText
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

  struct Release {
    /// May be empty.
    var piece: ReleasedPiece
    /// Tokens that are clear as a whole.
    var tokens = 0
    var finding: Assessment?
  }

  mutating func take(_ deltas: ArraySlice<CompletionDelta>) -> Release {
    var text = ""
    var arguments = ""
    for delta in deltas {
      text += delta.text
      for call in delta.toolCalls { arguments += call.arguments }
      self.pending.append(
        Pending(
          end: self.producedBytes + text.utf8.count, callEnd: self.producedCallBytes + arguments.utf8.count, tokens: delta.tokens,
          toolCalls: delta.toolCalls, logprobs: delta.logprobs))
    }
    self.producedBytes += text.utf8.count
    self.producedCallBytes += arguments.utf8.count
    if self.produced != nil { self.keep(text + arguments) }
    return self.release(self.guarding.append(text), arguments.isEmpty ? nil : self.callGuarding.append(arguments))
  }

  private mutating func keep(_ text: String) {
    self.produced?.append(text)
    if (self.produced?.utf8.count ?? 0) > SecondOpinion.mostBytes { self.produced = nil }
  }

  /// What rules and classifier found so far.
  var assessment: Assessment { self.guarding.assessment }

  /// What the guard held back to the end.
  mutating func finish() -> Release {
    let text = self.guarding.finish()
    return self.release(text, self.producedCallBytes > 0 ? self.callGuarding.finish() : nil)
  }

  /// Tokens that are not clear as a whole, and of which something is released.
  var tokensShownInPart: Int {
    var (start, callStart, tokens) = (self.clearedBytes, self.clearedCallBytes, 0)
    for entry in self.pending {
      guard start < self.releasedBytes || callStart < self.releasedCallBytes else { break }
      tokens += entry.tokens
      (start, callStart) = (entry.end, entry.callEnd)
    }
    return tokens
  }

  /// What is shown of a token beside its text is shown once its text is.
  private mutating func release(_ text: GuardStep, _ calls: GuardStep?) -> Release {
    self.releasedBytes += text.released.utf8.count
    self.releasedCallBytes += calls?.released.utf8.count ?? 0
    let clear = self.pending.prefix { $0.end <= self.releasedBytes && $0.callEnd <= self.releasedCallBytes }
    var release = Release(
      piece: ReleasedPiece(answer: self.answer, text: text.released), finding: text.finding ?? calls?.finding)
    for entry in clear {
      release.tokens += entry.tokens
      release.piece.toolCalls += entry.toolCalls
      release.piece.logprobs += entry.logprobs
      (self.clearedBytes, self.clearedCallBytes) = (entry.end, entry.callEnd)
    }
    self.pending.removeFirst(clear.count)
    if self.recordsText { self.recorded.append(release.piece) }
    return release
  }
}
