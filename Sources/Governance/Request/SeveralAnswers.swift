internal import Completions
internal import GovernanceTypes
internal import Synchronization

/// Several answers from an engine that gives one at a time: as many sequences, which share the beginning that the prompt is to all of
/// them, as one completion with one allowance.
///
/// The prompt counts once. The allowance is split evenly among the sequences that run, and what one leaves over goes to the others, so
/// that together they never have more tokens than it grants.
final class SeveralAnswers: CompletionEngine {
  private let engine: any CompletionEngine
  private let usage: UsageID

  /// - Parameter usage: Names what the sequences share where the prompt is shared with no other request.
  init(_ engine: any CompletionEngine, usage: UsageID) {
    self.engine = engine
    self.usage = usage
  }

  var contextLength: Int { self.engine.contextLength }
  var answersSeveral: Bool { true }

  func prepare(_ request: CompletionRequest) async throws(CompletionError) -> PreparedPrompt {
    var single = request
    single.answers = 1
    if single.cacheScope == nil { single.cacheScope = self.usage.description }
    let prompt = try await self.engine.prepare(single)
    var several = prompt.request
    several.answers = request.answers
    return PreparedPrompt(
      request: several, tokens: prompt.tokens, promptTokens: prompt.promptTokens, isExact: prompt.isExact,
      completionCeiling: prompt.completionCeiling * request.answers)
  }

  func start(_ prompt: PreparedPrompt, allowance: TokenAllowance) -> CompletionStream {
    let (events, continuation) = AsyncThrowingStream<CompletionEvent, any Error>.makeStream()
    let fan = AnswerFan(self.engine, prompt, allowance: allowance, events: continuation)
    let task = Task { await fan.run() }
    continuation.onTermination = { _ in fan.cancel() }
    return CompletionStream(events) {
      fan.cancel()
      _ = task
    }
  }
}

/// The sequences of one request for several answers.
private final class AnswerFan: Sendable {
  private struct State {
    var shares: AnswerShares
    var streams: [CompletionStream] = []
    var isCancelled = false
    var isTold = false
    var usage = CompletionUsage()
    var reasons: [CompletionEnd.Reason]
    var countedBy = TokenCounter.engine
    var attempts: [EngineAttempt] = []
  }

  private let engine: any CompletionEngine
  private let prompt: PreparedPrompt
  private let total: TokenAllowance
  private let events: AsyncThrowingStream<CompletionEvent, any Error>.Continuation
  private let allowances: [TokenAllowance]
  private let state: Mutex<State>

  init(
    _ engine: any CompletionEngine, _ prompt: PreparedPrompt, allowance: TokenAllowance,
    events: AsyncThrowingStream<CompletionEvent, any Error>.Continuation
  ) {
    let count = prompt.request.answers
    self.engine = engine
    self.prompt = prompt
    self.total = allowance
    self.events = events
    self.allowances = (0..<count).map { _ in TokenAllowance(tokens: 0, isFinal: false) }
    self.state = Mutex(
      State(shares: AnswerShares(count), reasons: Array(repeating: .cancelled, count: count)))
    self.total.onRaise { [weak self] in self?.share() }
    self.share()
  }

  func cancel() {
    let streams = self.state.withLock { state in
      state.isCancelled = true
      return state.streams
    }
    for stream in streams { stream.cancel() }
  }

  /// The first sequence reads the prompt; the others find it read.
  func run() async {
    do {
      let first = self.begin(0)
      var events = first.makeAsyncIterator()
      if let event = try await events.next() { self.take(event, of: 0) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for answer in 1..<self.allowances.count {
          let stream = self.begin(answer)
          group.addTask { for try await event in stream { self.take(event, of: answer) } }
        }
        while let event = try await events.next() { self.take(event, of: 0) }
        try await group.waitForAll()
      }
      self.finish()
    } catch {
      self.cancel()
      self.events.finish(throwing: error)
    }
  }

  private func begin(_ answer: Int) -> CompletionStream {
    var request = self.prompt.request
    request.answers = 1
    // The same seed would give the same answer again.
    if let seed = request.sampling.seed { request.sampling.seed = seed &+ UInt64(answer) }
    let stream = self.engine.start(
      PreparedPrompt(
        request: request, tokens: self.prompt.tokens, promptTokens: self.prompt.promptTokens, isExact: self.prompt.isExact,
        completionCeiling: self.prompt.completionCeiling / self.prompt.request.answers), allowance: self.allowances[answer])
    let isCancelled = self.state.withLock { state in
      state.streams.append(stream)
      return state.isCancelled
    }
    if isCancelled { stream.cancel() }
    return stream
  }

  private func take(_ event: CompletionEvent, of answer: Int) {
    switch event {
    case .prompt(let usage):
      let isFirst = self.state.withLock { state in
        defer { state.isTold = true }
        if !state.isTold { state.usage = usage }
        return !state.isTold
      }
      if isFirst { self.events.yield(event) }
    case .delta, .deltas:
      let steps = event.steps.map { step in
        var step = step
        step.answer = answer
        return step
      }
      self.state.withLock { $0.shares.produced(steps.reduce(0) { $0 + $1.tokens }, by: answer) }
      self.events.yield(steps.count == 1 ? .delta(steps[0]) : .deltas(steps))
      self.share()
    case .end(let end):
      self.state.withLock { state in
        state.reasons[answer] = end.reason
        state.usage.completion += end.usage.completion
        if answer == 0 {
          state.usage.promptUncached = end.usage.promptUncached
          state.usage.promptCached = end.usage.promptCached
        }
        state.countedBy = end.countedBy
        state.attempts += end.attempts
        state.shares.ended(answer, with: end.usage.completion)
      }
      self.share()
    }
  }

  /// Hands the allowance on.
  private func share() {
    let grant = self.total.grant
    let grants = self.state.withLock { $0.shares.grants(of: grant) }
    for (answer, share) in grants { self.allowances[answer].raise(to: share.tokens, isFinal: share.isFinal) }
  }

  private func finish() {
    let state = self.state.withLock { $0 }
    var end = CompletionEnd(
      reason: state.reasons.first { $0 != .stop } ?? .stop, usage: state.usage, countedBy: state.countedBy,
      attempts: state.attempts)
    end.reasons = state.reasons
    self.events.yield(.end(end))
    self.events.finish()
  }
}

/// How an allowance is split among the answers of one request, as a value.
struct AnswerShares: Sendable {
  private struct Share: Sendable {
    var produced = 0
    var granted = 0
    var isRunning = true
  }

  private var shares: [Share]

  init(_ count: Int) { self.shares = Array(repeating: Share(), count: count) }

  mutating func produced(_ tokens: Int, by answer: Int) { self.shares[answer].produced += tokens }

  mutating func ended(_ answer: Int, with tokens: Int) {
    self.shares[answer].isRunning = false
    self.shares[answer].produced = tokens
  }

  /// What each answer that runs may have of a grant: an even part of what those that ended have left. A grant that is final is final for
  /// each of them once all that run have come to their ends of it: until then one may still leave something to the others.
  mutating func grants(of total: TokenAllowance.Grant) -> [(answer: Int, TokenAllowance.Grant)] {
    let running = self.shares.indices.filter { self.shares[$0].isRunning }
    guard !running.isEmpty else { return [] }
    let spent = self.shares.reduce(0) { $0 + ($1.isRunning ? 0 : $1.produced) }
    let left = max(0, total.tokens - spent)
    let even = left / running.count
    // What does not divide goes to the first, a token each.
    var rest = left % running.count
    for answer in running {
      let share = even + (rest > 0 ? 1 : 0)
      rest = max(0, rest - 1)
      self.shares[answer].granted = max(self.shares[answer].granted, share)
    }
    let isFinal = total.isFinal && running.allSatisfy { self.shares[$0].produced >= self.shares[$0].granted }
    return running.map { ($0, TokenAllowance.Grant(tokens: self.shares[$0].granted, isFinal: isFinal)) }
  }
}
