internal import Completions
internal import NIOCore

/// One completion: its attempts, one after another, until one has begun to answer.
///
/// All of it happens on one event loop, the one of the connections that it uses, and no task is made for it: what comes from a server
/// is read, counted and handed on where it arrives.
final class RemoteRun: Sendable {
  private struct State {
    var tried: Set<Int> = []
    var last: UpstreamFault?
    var attempts: [EngineAttempt] = []
    var exchange: UpstreamExchange?
    var isOver = false
  }

  private let engine: RemoteEngine
  private let prompt: PreparedPrompt
  private let allowance: TokenAllowance
  private let events: AsyncThrowingStream<CompletionEvent, any Error>.Continuation
  private let loop: any EventLoop
  private let state: NIOLoopBoundBox<State>

  private static let firstPause = TimeAmount.milliseconds(100)

  init(
    _ engine: RemoteEngine, _ prompt: PreparedPrompt, allowance: TokenAllowance, on loop: any EventLoop,
    events: AsyncThrowingStream<CompletionEvent, any Error>.Continuation
  ) {
    self.engine = engine
    self.prompt = prompt
    self.allowance = allowance
    self.events = events
    self.loop = loop
    self.state = NIOLoopBoundBox.makeBoxSendingValue(State(), eventLoop: loop)
  }

  func start() {
    self.allowance.onRaise { [weak self] in
      guard let self else { return }
      self.onLoop { self.state.value.exchange?.resume() }
    }
    self.onLoop { self.attempt() }
  }

  /// Ends the completion with what has been handed on. Harmless after its end.
  func cancel() {
    self.onLoop {
      guard !self.state.value.isOver else { return }
      guard let exchange = self.state.value.exchange else {
        return self.finish(.success(CompletionEnd(reason: .cancelled, usage: CompletionUsage())))
      }
      exchange.cancel()
    }
  }

  private func onLoop(_ work: @escaping @Sendable () -> Void) {
    if self.loop.inEventLoop { work() } else { self.loop.execute(work) }
  }

  private func attempt() {
    guard !self.state.value.isOver else { return }
    guard let index = self.engine.pool.take(excluding: self.state.value.tried) else { return self.giveUp() }
    self.state.value.tried.insert(index)
    let member = self.engine.pool.members[index]
    let start = ContinuousClock.now
    let exchange = UpstreamExchange(
      member, prompt: self.prompt, counter: self.engine.counter, allowance: self.allowance, on: self.loop, events: self.events
    ) { outcome in
      self.ended(outcome, at: member, after: ContinuousClock.now - start)
    }
    self.state.value.exchange = exchange
    exchange.start()
  }

  private func ended(_ outcome: UpstreamExchange.Outcome, at member: UpstreamPool.Member, after duration: Duration) {
    let upstream = member.upstream
    self.state.value.exchange = nil
    self.state.value.attempts.append(EngineAttempt(upstream.settings.id, outcome, lasting: duration))
    let attempts = self.state.value.attempts
    switch outcome {
    case .ended(var end):
      end.attempts = attempts
      self.finish(.success(end))
    case .failed(let fault, let hasBegun):
      let isRetried = !hasBegun && fault.mayRetry && attempts.count < self.engine.attempts
      upstream.report(.failed(upstream: upstream.settings.id, reason: fault.reason, retried: isRetried))
      guard isRetried else { return self.finish(.failure(fault.error(after: attempts))) }
      upstream.countRetry()
      self.state.value.last = fault
      self.goOn(after: attempts.count)
    }
  }

  /// Asks the next server; where all have failed once, after a pause the first may have come back.
  private func goOn(after failures: Int) {
    guard self.state.value.tried.count == self.engine.pool.members.count else { return self.attempt() }
    self.state.value.tried = []
    self.loop.scheduleTask(in: Self.firstPause * (1 << min(failures - 1, 4))) { self.attempt() }
  }

  private func giveUp() {
    let state = self.state.value
    self.finish(
      .failure(
        state.last?.error(after: state.attempts)
          ?? CompletionError(.unavailable, "No server of the model takes a request now. Retry in a moment.")))
  }

  private func finish(_ result: Result<CompletionEnd, CompletionError>) {
    self.state.value.isOver = true
    switch result {
    case .success(let end):
      self.events.yield(.end(end))
      self.events.finish()
    case .failure(let error): self.events.finish(throwing: error)
    }
  }
}

extension UpstreamFault {
  /// What the client is told, with the attempts for the ledger.
  fileprivate func error(after attempts: [EngineAttempt]) -> CompletionError {
    var error = self.error
    error.attempts = attempts
    return error
  }
}

extension EngineAttempt {
  fileprivate init(_ engine: String, _ outcome: UpstreamExchange.Outcome, lasting duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    switch outcome {
    case .ended(let end):
      self.init(
        engine: engine, outcome: end.reason == .cancelled ? .cancelled : .completed, usage: end.usage, countedBy: end.countedBy,
        nanoseconds: nanoseconds)
    case .failed(let fault, _):
      self.init(
        engine: engine, outcome: .failed, reason: fault.error.code.rawValue, countedBy: .estimate, nanoseconds: nanoseconds)
    }
  }
}
