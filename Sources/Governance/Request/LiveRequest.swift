internal import AcceptableUse
internal import Billing
internal import Completions
public import GovernanceTypes
internal import LicenseTerms
internal import Synchronization
public import UsageLedger

/// A request that has been let through: its hold is on disk and its engine is running.
///
/// It ends exactly once, whatever happens: ``run(deliver:)`` settles it; one that is dropped without being run is voided.
public final class LiveRequest: Sendable {
  enum Phase { case opening, open, running, closed }

  let gate: Gate
  let dossier: Dossier
  let held: HeldRequest
  let prompt: PreparedPrompt
  let allowance: TokenAllowance
  let stream: CompletionStream
  private let phase = Mutex(Phase.opening)
  private let promptUsage = Mutex(CompletionUsage())
  private let engine = Mutex(EngineWatch())

  init(gate: Gate, dossier: Dossier, prompt: PreparedPrompt, held: HeldRequest) {
    self.gate = gate
    self.dossier = dossier
    self.prompt = prompt
    self.held = held
    self.allowance = TokenAllowance(
      tokens: min(held.completionTokens, gate.policy.leadTokens * dossier.call.request.answers), isFinal: false)
    self.stream = dossier.engine.start(prompt, allowance: self.allowance)
    gate.state.withLock { $0.live[dossier.usage] = LiveReference(request: self) }
  }

  deinit {
    let abandoned = self.phase.withLock { $0 != .closed && $0 != .running }
    guard abandoned else { return }
    self.stream.cancel()
    // Nobody is left to wait for the engine's last word, which says how much it had produced for nobody.
    Task { [gate = self.gate, stream = self.stream, record = self.held.record] in
      await gate.void(record, finish: "client_abort", produced: await stream.lastWord().produced)
    }
  }

  public var usage: UsageID { self.dossier.usage }
  public var decision: DecisionID { self.dossier.decision }
  public var model: ModelID { self.dossier.model.id }
  public var terms: [TermFileID] { self.dossier.model.terms }
  /// The vectors, where they were asked for and the work is done.
  public var vectors: [[Float]]? { (self.dossier.engine as? EmbeddingWork)?.vectors }
  /// The prompt's tokens, as far as the engine has told.
  public var promptTokens: Int {
    let usage = self.promptUsage.withLock { $0 }
    return usage.promptUncached + usage.promptCached
  }
  public var rates: RateState { self.held.rates }
  /// Duties that ride along with the verdict and reach the client as headers.
  public var responseHeaders: [(name: String, value: String)] {
    (self.dossier.standing?.headers ?? []) + (self.dossier.annotation.map { [("weighbridge-acceptable-use", $0)] } ?? [])
  }

  /// Waits for the hold to be on disk and for the engine to have read the prompt.
  ///
  /// - Throws: ``Refusal`` after voiding the hold, where either fails.
  func open(hold ticket: CommitTicket) async throws(Refusal) {
    do {
      try await ticket.durable()
    } catch {
      self.stream.cancel()
      self.phase.withLock { $0 = .closed }
      self.gate.forget(self.held.record)
      self.gate.uncount(self.dossier.counted)
      throw self.citing(Refusal(error))
    }
    do throws(CompletionError) {
      guard case .prompt(let usage)? = try await self.firstEvent() else {
        throw CompletionError(.failed, "The engine ended before it had read the prompt.")
      }
      self.promptUsage.withLock { $0 = usage }
      self.phase.withLock { $0 = .open }
    } catch {
      self.stream.cancel()
      self.phase.withLock { $0 = .closed }
      self.note(error.attempts, countedBy: nil)
      await self.gate.void(
        self.held.record, finish: "engine_error", produced: await self.stream.lastWord().produced, attempts: self.attempts)
      throw self.citing(self.isGivenUp ? Self.silent : Refusal(error))
    }
  }

  /// A refusal by which the operator finds the decision that had let the request through.
  private func citing(_ refusal: Refusal) -> Refusal {
    var refusal = refusal
    refusal.decision = self.decision
    self.gate.counters.request(outcome: refusal.code.rawValue)
    return refusal
  }

  private func firstEvent() async throws(CompletionError) -> CompletionEvent? {
    var iterator = self.stream.makeAsyncIterator()
    self.awaitsEngine(true)
    defer { self.awaitsEngine(false) }
    do {
      return try await iterator.next()
    } catch let error as CompletionError {
      throw error
    } catch {
      throw CompletionError(.failed, "The engine failed: \(error)")
    }
  }

  // MARK: The engine under watch

  private struct EngineWatch {
    /// Since when the engine has been silent although it may produce; nil while nobody waits for it.
    var silentSince: Duration?
    var isGivenUp = false
    var attempts: [EngineAttempt] = []
    var countedBy = TokenCounter.engine
  }

  var isGivenUp: Bool { self.engine.withLock { $0.isGivenUp } }
  var attempts: [EngineAttempt] { self.engine.withLock { $0.attempts } }
  var countedBy: UsageRecord.Source { UsageRecord.Source(self.engine.withLock { $0.countedBy }) }

  func note(_ attempts: [EngineAttempt], countedBy counter: TokenCounter?) {
    self.engine.withLock { engine in
      engine.attempts = attempts
      engine.countedBy = counter ?? attempts.last?.countedBy ?? .engine
    }
  }

  func awaitsEngine(_ isWaiting: Bool) {
    let since = isWaiting ? self.gate.environment.uptime() : nil
    self.engine.withLock { $0.silentSince = since }
  }

  /// Cancels the stream where the engine has been silent for longer than `most`.
  func giveUp(at uptime: Duration, after most: Duration) {
    let isSilent = self.engine.withLock { engine in
      guard let since = engine.silentSince, uptime - since > most else { return false }
      engine.isGivenUp = true
      return true
    }
    if isSilent { self.stream.cancel() }
  }

  /// When what is delivered is with the client.
  public enum Handover: Sendable {
    case asItComes
    /// The answer is collected and sent as one: a client that leaves before has received nothing.
    case atTheEnd
  }

  /// Stops the engine within one step, because nobody waits for the answer any more. Harmless at any time.
  public func stop() { self.stream.cancel() }

  /// Claims the request for the one run that it may have.
  func begin(_ handover: Handover) -> Delivery? {
    let isFirst = self.phase.withLock { phase in
      guard phase == .open else { return false }
      phase = .running
      return true
    }
    guard isFirst else { return nil }
    let hasOpinion = self.gate.opinion(for: self.dossier) != nil
    let guarding = self.dossier.conduct?.streamGuard(hasOpinion: hasOpinion) ?? self.gate.acceptableUse.streamGuard()
    return Delivery(
      guarding: guarding, answers: self.dossier.call.request.answers,
      granted: self.held.completionTokens,
      ceiling: self.prompt.completionCeiling, highWater: self.gate.policy.leaseTokens,
      prompt: self.promptUsage.withLock { $0 }, recordsText: self.dossier.call.idempotencyKey != nil, keepsAnswers: hasOpinion,
      handover: handover)
  }

  func close() { self.phase.withLock { $0 = .closed } }
}
