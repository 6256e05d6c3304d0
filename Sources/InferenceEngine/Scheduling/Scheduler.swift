internal import Completions
internal import ConstrainedOutput
internal import LlamaModel
internal import Tensors
internal import Tokenization

/// The engine's loop, on its own thread: who reads a piece of prompt, who decodes, who waits and who ends.
///
/// Each turn reads one chunk of one prompt, in rotation, and decodes one token for every sequence that may have one; so no
/// request waits longer than one chunk and one step for its next token, and a new one for the chunks of those before it. Between
/// turns cancellations and ended allowances are honoured.
///
/// A sequence without allowance keeps its place until another request needs it; then it gives up its keys and values and reads
/// its tokens again when the allowance is raised, with the same result bit for bit.
final class Scheduler {
  private let pass: ForwardPass
  private let pool: KVBlockPool
  private let inbox: EngineInbox
  private let maximumSequences: Int
  private let prefillChunk: Int
  private var grammarRoom: GrammarRoom?
  private var randomSeeds = SystemRandomNumberGenerator()
  /// In memory, in order of arrival.
  private var running: [RunningSequence] = []
  /// Without keys and values, in the order in which they gave them up.
  private var suspended: [RunningSequence] = []
  /// Which prefilling sequence comes next.
  private var prefillTurn = 0
  private var statistics = EngineStatistics()
  private let embeddings: EmbeddingTurns

  init(model: LlamaModel, backend: CPUBackend, inbox: EngineInbox, options: EngineOptions, contextLength: Int) {
    self.pass = ForwardPass(model: model, backend: backend, rowLimit: max(options.prefillChunk, options.maximumSequences))
    let shape = model.cacheShape
    self.pool = KVBlockPool(shape: shape, capacity: options.maximumSequences * shape.blocks(positions: contextLength))
    self.inbox = inbox
    self.embeddings = EmbeddingTurns(
      pass: self.pass, inbox: inbox, chunk: options.prefillChunk, contextLength: contextLength)
    self.maximumSequences = options.maximumSequences
    self.prefillChunk = options.prefillChunk
  }

  /// Runs until the inbox is closed; then every stream has ended.
  func run() {
    while !self.inbox.isClosed {
      self.clear()
      self.admit()
      let hasRead = self.prefill()
      let hasDecoded = self.decode()
      let hasEmbedded = self.embeddings.turn()
      self.publish()
      // Every arrival, cancellation and raise rings, and a ring that came during this turn ends the wait at once.
      if !hasRead && !hasDecoded && !hasEmbedded { self.inbox.signal.wait() }
    }
    self.embeddings.close()
    self.close()
  }

  // MARK: Places

  /// Ends what is cancelled or has used up its allowance.
  private func clear() {
    for submission in self.inbox.takeCancelled() {
      submission.events.yield(.end(CompletionEnd(reason: .cancelled, usage: CompletionUsage())))
      submission.events.finish()
      self.didFinish()
    }
    for sequence in self.running + self.suspended {
      if sequence.isCancelled {
        self.end(sequence, .cancelled)
      } else if sequence.isExhausted {
        self.end(sequence, .allowance, last: sequence.finish())
      }
    }
  }

  /// Fills free places, those of parked sequences too where others wait: first with sequences that had one before.
  private func admit() {
    while let place = self.freePlace() {
      if let index = self.suspended.firstIndex(where: \.canResume) {
        self.take(place)
        self.running.append(self.suspended.remove(at: index))
      } else if let submission = self.inbox.next() {
        self.take(place)
        let tokenizer = self.pass.model.vocabulary.tokenizer
        self.running.append(
          RunningSequence(
            submission, tokenizer: tokenizer, grammars: self.grammars(submission), pool: self.pool,
            seed: self.randomSeeds.next()))
      } else {
        return
      }
    }
  }

  /// The grammars' room, made when the first request needs it; all requests have the same vocabulary.
  private func grammars(_ submission: Submission) -> GrammarRoom? {
    if self.grammarRoom == nil { self.grammarRoom = submission.vocabulary.map { GrammarRoom($0) } }
    return self.grammarRoom
  }

  private enum Place { case free, parked(Int) }

  private func freePlace() -> Place? {
    if self.running.count < self.maximumSequences { return .free }
    guard !self.inbox.isEmpty || self.suspended.contains(where: \.canResume) else { return nil }
    return self.running.firstIndex(where: \.isParked).map { .parked($0) }
  }

  private func take(_ place: Place) {
    guard case .parked(let index) = place else { return }
    let sequence = self.running.remove(at: index)
    sequence.suspend(pool: self.pool)
    self.suspended.append(sequence)
  }

  // MARK: Steps

  /// Reads one chunk of one prompt; false where there is none to read.
  private func prefill() -> Bool {
    let prefilling = self.running.filter(\.isPrefilling)
    guard !prefilling.isEmpty else { return false }
    let sequence = prefilling[self.prefillTurn % prefilling.count]
    self.prefillTurn &+= 1
    let readBefore = sequence.usage.promptUncached
    do {
      try self.pass.run([sequence.nextChunk(limit: self.prefillChunk)])
    } catch {
      self.fail(sequence, error.message)
      return true
    }
    self.statistics.prefillSteps += 1
    let hasPrompt = sequence.didReadChunk()
    self.statistics.promptTokens += UInt64(sequence.usage.promptUncached - readBefore)
    if hasPrompt { self.promptDidEnd(sequence) }
    return true
  }

  private func promptDidEnd(_ sequence: RunningSequence) {
    // The payer's answer to this event may be the first grant, so it is asked for only afterwards.
    sequence.submission.events.yield(.prompt(sequence.usage))
    sequence.phase = .holdingLogits([])
    if sequence.isReady {
      self.produce(sequence, row: 0)
    } else {
      sequence.phase = .holdingLogits(self.pass.logits(row: 0))
    }
  }

  /// One more token for every sequence that may have one; false where there is none.
  private func decode() -> Bool {
    let ready = self.running.filter(\.isReady)
    guard !ready.isEmpty else { return false }
    var steps: [SequenceStep] = []
    var stepping: [RunningSequence] = []
    for sequence in ready {
      switch sequence.phase {
      case .prefilling: break
      case .holdingLogits(let logits): self.produce(sequence, logits.span)
      case .decoding:
        steps.append(SequenceStep(tokens: [sequence.tokens[sequence.tokens.count - 1]], cache: sequence.cache))
        stepping.append(sequence)
      }
    }
    guard !steps.isEmpty else { return true }
    do {
      try self.pass.run(steps)
    } catch {
      for sequence in stepping { self.fail(sequence, error.message) }
      return true
    }
    self.statistics.decodeSteps += 1
    for (row, sequence) in stepping.enumerated() { self.produce(sequence, row: row) }
    return true
  }

  private func produce(_ sequence: RunningSequence, row: Int) {
    self.pass.withLogits(row: row) { self.produce(sequence, $0) }
  }

  /// Draws the next token and delivers what it adds. The token that ends a turn is neither counted nor charged: it has no text.
  private func produce(_ sequence: RunningSequence, _ logits: Span<Float>) {
    switch sequence.choose(logits) {
    case .failure(let message): self.fail(sequence, message)
    case .end:
      let last = sequence.finish()
      self.end(sequence, RunningSequence.reason(.stop, last), last: last)
    case .token(let token):
      let (delta, reason) = sequence.accept(token, logits)
      self.statistics.completionTokens += 1
      if case .terminated = sequence.submission.events.yield(.delta(delta)) { sequence.submission.cancellation.set() }
      if let reason { self.end(sequence, reason) }
    }
  }

  // MARK: Ends

  private func end(_ sequence: RunningSequence, _ reason: CompletionEnd.Reason, last: CompletionDelta? = nil) {
    let events = sequence.submission.events
    if let last, !last.text.isEmpty || !last.toolCalls.isEmpty { events.yield(.delta(last)) }
    events.yield(.end(CompletionEnd(reason: reason, usage: sequence.usage)))
    events.finish()
    self.remove(sequence)
  }

  private func fail(_ sequence: RunningSequence, _ message: String) {
    sequence.submission.events.finish(throwing: CompletionError(.failed, message))
    self.remove(sequence)
  }

  private func remove(_ sequence: RunningSequence) {
    self.running.removeAll { $0 === sequence }
    self.suspended.removeAll { $0 === sequence }
    self.didFinish()
  }

  private func didFinish() {
    self.statistics.finished += 1
    self.inbox.release()
  }

  private func close() {
    let error = CompletionError(.unavailable, "The engine is shutting down.")
    for submission in self.inbox.takeCancelled() {
      submission.events.finish(throwing: error)
      self.didFinish()
    }
    for sequence in self.running + self.suspended {
      sequence.submission.events.finish(throwing: error)
      self.remove(sequence)
    }
    self.publish()
  }

  private func publish() {
    self.statistics.running = self.running.count
    self.statistics.parked = self.running.count(where: \.isParked)
    self.statistics.queued = self.suspended.count
    self.statistics.cacheBytesUsed = self.pool.usedBytes
    self.statistics.cacheBytesResident = self.pool.residentBytes
    self.inbox.publish(self.statistics)
  }
}
