internal import AcceptableUse
internal import Completions

/// How far one answer has come: produced by the engine, released by the guard, delivered to the client, paid for by the hold.
struct Delivery {
  private var guarding: StreamGuard
  /// Completion tokens that the hold pays for; `isFinal` once no more can be added.
  var granted: Int
  var grantIsFinal = false
  let ceiling: Int
  /// The durable promise: no more tokens than this are delivered before the next mark is on disk.
  var highWater: Int
  var lastMark = 0
  /// A mark on its way to disk, and the promise that will hold once it is there.
  var pendingMark: (ticket: CommitTicket, highWater: Int)?
  let prompt: CompletionUsage

  private(set) var producedTokens = 0
  private(set) var deliveredTokens = 0
  private var releasedBytes = 0
  /// Where the text of each token that is not yet released ends, in bytes of the whole answer.
  private var pending: [(end: Int, tokens: Int)] = []
  private var producedBytes = 0
  private var clearedTokens = 0
  /// The answer so far, kept only where a retry may ask for it again.
  private(set) var recordedText = ""
  private let recordsText: Bool
  private let handover: LiveRequest.Handover

  init(
    guarding: StreamGuard, granted: Int, ceiling: Int, highWater: Int, prompt: CompletionUsage, recordsText: Bool,
    handover: LiveRequest.Handover
  ) {
    self.guarding = guarding
    self.granted = granted
    self.ceiling = ceiling
    self.highWater = highWater
    self.prompt = prompt
    self.recordsText = recordsText
    self.handover = handover
  }

  struct Step {
    /// Text that may be shown now; nil where there is none.
    var text: String?
    var finding: Assessment?
  }

  /// Counts what the engine produced and asks the guard what of it is clear.
  mutating func take(_ delta: CompletionDelta) -> Step {
    self.producedTokens += delta.tokens
    self.producedBytes += delta.text.utf8.count
    self.pending.append((self.producedBytes, delta.tokens))
    return self.release(self.guarding.append(delta.text))
  }

  /// What the guard held back to the end.
  mutating func finish() -> Step { self.release(self.guarding.finish()) }

  private mutating func release(_ step: GuardStep) -> Step {
    self.releasedBytes += step.released.utf8.count
    let clear = self.pending.prefix { $0.end <= self.releasedBytes }
    self.clearedTokens += clear.reduce(0) { $0 + $1.tokens }
    self.pending.removeFirst(clear.count)
    if self.recordsText { self.recordedText += step.released }
    return Step(text: step.released.isEmpty ? nil : step.released, finding: step.finding)
  }

  /// Tokens that will be with the client once what was released is handed over.
  var tokensAfterDelivery: Int { self.clearedTokens }

  /// The client has taken all that was released.
  mutating func delivered() {
    if self.handover == .asItComes { self.deliveredTokens = self.clearedTokens }
  }

  /// All tokens count as delivered at a proper end, those that yielded no text included.
  mutating func deliveredAll(produced: Int) {
    self.producedTokens = max(self.producedTokens, produced)
    self.deliveredTokens = self.producedTokens
  }

  /// Takes up the promise of a mark that has reached the disk meanwhile.
  mutating func takeDurableMark() {
    guard let (ticket, highWater) = self.pendingMark, case .success = ticket.outcome else { return }
    self.highWater = max(self.highWater, highWater)
    self.pendingMark = nil
  }

  mutating func counted(produced: Int) { self.producedTokens = max(self.producedTokens, produced) }
}
