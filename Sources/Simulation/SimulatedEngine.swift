internal import Completions
internal import Synchronization

/// An engine that does one step of one sequence when the schedule says so, keeps to its allowance to the token, and counts what it made.
final class SimulatedEngine: CompletionEngine {
  /// What a request meets.
  struct Script: Sendable {
    var promptTokens: Int
    /// The model's own end.
    var length: Int
    var breaksAfter: Int?
    /// Says nothing after so many tokens, until it is cancelled.
    var fallsSilentAfter: Int?
    /// Breaks when it is cancelled, and does not say what it had made.
    var vanishes = false
  }

  fileprivate struct Sequence {
    let call: Int
    let script: Script
    let ceiling: Int
    let allowance: TokenAllowance
    let continuation: AsyncThrowingStream<CompletionEvent, any Error>.Continuation
    var produced = 0
    var hasReadPrompt = false
    var isCancelled = false
  }

  private struct State {
    var scripts: [Int: Script] = [:]
    var running: [Sequence] = []
    var produced: [Int: Int] = [:]
  }

  let contextLength = 512
  /// Of the text of every token: a space and a word. After `say` the guard waits, once the space is out, for what follows.
  static let tokenBytes = 4
  private let state = Mutex(State())

  func expect(_ call: Int, _ script: Script) { self.state.withLock { $0.scripts[call] = script } }

  /// Completion tokens made for a call, over all its runs in this process.
  func produced(for call: Int) -> Int { self.state.withLock { $0.produced[call] ?? 0 } }

  private static func call(of request: CompletionRequest) -> Int {
    guard case .chat(let messages) = request.prompt, let text = messages.first?.content else { return -1 }
    return Int(text) ?? -1
  }

  func prepare(_ request: CompletionRequest) async throws(CompletionError) -> PreparedPrompt {
    guard let script = self.state.withLock({ $0.scripts[Self.call(of: request)] }) else {
      throw CompletionError(.invalidRequest, "no script for this call")
    }
    return PreparedPrompt(
      request: request, tokens: [], promptTokens: script.promptTokens, isExact: true,
      completionCeiling: min(request.maximumCompletionTokens ?? .max, self.contextLength - script.promptTokens))
  }

  func start(_ prompt: PreparedPrompt, allowance: TokenAllowance) -> CompletionStream {
    let (events, continuation) = AsyncThrowingStream<CompletionEvent, any Error>.makeStream()
    let call = Self.call(of: prompt.request)
    self.state.withLock { state in
      guard let script = state.scripts[call] else { return }
      state.running.append(
        Sequence(
          call: call, script: script, ceiling: prompt.completionCeiling, allowance: allowance, continuation: continuation))
    }
    return CompletionStream(events) { [self] in
      self.state.withLock { state in
        for place in state.running.indices where state.running[place].call == call { state.running[place].isCancelled = true }
      }
    }
  }

  /// Every sequence ends at its next step.
  func cancelAll() {
    self.state.withLock { state in
      for place in state.running.indices { state.running[place].isCancelled = true }
    }
  }

  var running: Int { self.state.withLock { $0.running.count } }

  /// One step of the sequence at a place.
  func step(_ place: Int) {
    let (sequence, event) = self.state.withLock { state -> (Sequence, CompletionEvent?) in
      var sequence = state.running[place]
      let event = Self.next(&sequence)
      state.running[place] = sequence
      if case .delta = event { state.produced[sequence.call, default: 0] += 1 }
      switch event {
      case .end: state.running.remove(at: place)
      case nil where sequence.breaks: state.running.remove(at: place)
      default: break
      }
      return (sequence, event)
    }
    if let event { sequence.continuation.yield(event) }
    if case .end = event { sequence.continuation.finish() }
    if event == nil, sequence.breaks {
      sequence.continuation.finish(throwing: CompletionError(.failed, "the engine broke, as the schedule has it"))
    }
  }

  private static func next(_ sequence: inout Sequence) -> CompletionEvent? {
    var usage = CompletionUsage(promptUncached: sequence.script.promptTokens, completion: sequence.produced)
    if sequence.isCancelled { return sequence.breaks ? nil : .end(CompletionEnd(reason: .cancelled, usage: usage)) }
    guard sequence.hasReadPrompt else {
      sequence.hasReadPrompt = true
      usage.completion = 0
      return .prompt(usage)
    }
    if let most = sequence.script.fallsSilentAfter, sequence.produced >= most { return nil }
    if sequence.breaks { return nil }
    if sequence.produced >= sequence.script.length { return .end(CompletionEnd(reason: .stop, usage: usage)) }
    if sequence.produced >= sequence.ceiling { return .end(CompletionEnd(reason: .length, usage: usage)) }
    let grant = sequence.allowance.grant
    guard sequence.produced < grant.tokens else {
      return grant.isFinal ? .end(CompletionEnd(reason: .allowance, usage: usage)) : nil
    }
    sequence.produced += 1
    return .delta(CompletionDelta(text: (sequence.call + sequence.produced) % 3 == 0 ? " say" : " yes", tokens: 1))
  }
}

extension SimulatedEngine.Sequence {
  /// The next step is its last, and no end.
  fileprivate var breaks: Bool {
    if self.isCancelled { return self.script.vanishes }
    return self.hasReadPrompt && (self.script.breaksAfter.map { self.produced >= $0 } ?? false)
  }
}
