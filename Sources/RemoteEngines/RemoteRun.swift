internal import AsyncHTTPClient
internal import Completions
internal import NIOCore

/// One completion: its attempts, one after another, until one has begun to answer.
struct RemoteRun: Sendable {
  let engine: RemoteEngine
  let prompt: PreparedPrompt
  let gate: AllowanceGate
  let events: AsyncThrowingStream<CompletionEvent, any Error>.Continuation

  private static let firstPause = Duration.milliseconds(100)

  func follow() async {
    do throws(CompletionError) {
      let end = try await self.attempts()
      self.events.yield(.end(end))
      self.events.finish()
    } catch {
      self.events.finish(throwing: error)
    }
  }

  private func attempts() async throws(CompletionError) -> CompletionEnd {
    var tried: Set<Int> = []
    var last: UpstreamFault?
    var attempts: [EngineAttempt] = []
    for attempt in 1...self.engine.attempts {
      if tried.count == self.engine.pool.members.count {
        // All have failed once: after a pause the first may have come back.
        tried = []
        guard await self.pause(after: attempt) else { return self.cancelled }
      }
      guard let index = self.engine.pool.take(excluding: tried) else { break }
      tried.insert(index)
      let member = self.engine.pool.members[index]
      let start = ContinuousClock.now
      let outcome = await self.attempt(member)
      attempts.append(EngineAttempt(member.upstream.settings.id, outcome, lasting: ContinuousClock.now - start))
      switch outcome {
      case .ended(var end):
        end.attempts = attempts
        return end
      case .failed(let fault, let hasBegun):
        let isRetried = !hasBegun && fault.mayRetry && attempt < self.engine.attempts
        member.upstream.report(.failed(upstream: member.upstream.settings.id, reason: fault.reason, retried: isRetried))
        guard isRetried else { throw fault.error(after: attempts) }
        member.upstream.countRetry()
        last = fault
      }
    }
    throw last?.error(after: attempts)
      ?? CompletionError(.unavailable, "No server of the model takes a request now. Retry in a moment.")
  }

  private var cancelled: CompletionEnd { CompletionEnd(reason: .cancelled, usage: CompletionUsage()) }

  /// - Returns: false where the client left meanwhile.
  private func pause(after attempt: Int) async -> Bool {
    do {
      try await Task.sleep(for: Self.firstPause * (1 << min(attempt - 2, 4)))
      return true
    } catch {
      return false
    }
  }

  private func attempt(_ member: UpstreamPool.Member) async -> UpstreamExchange.Outcome {
    let upstream = member.upstream
    let timer = PhaseTimer(upstream.settings.timeouts, on: upstream.client.eventLoopGroup.any())
    let exchange = UpstreamExchange(
      upstream: upstream, model: member.model, prompt: self.prompt, counter: self.engine.counter, gate: self.gate, timer: timer,
      events: self.events)
    // A task of its own, so that the timer can end the attempt without ending the completion.
    let task = Task { await exchange.run() }
    timer.start { task.cancel() }
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    timer.stop()
    upstream.finish(result.health, tokens: result.tokens)
    return result.outcome
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
