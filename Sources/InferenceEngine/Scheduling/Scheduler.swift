internal import Completions
internal import ConstrainedOutput
internal import LlamaModel
internal import Tensors
internal import Tokenization

/// The engine's loop, on its own thread: who reads a piece of prompt, who decodes, who waits and who ends.
///
/// Each turn is one forward pass, which reads every weight once: a token, and what is guessed to follow, for every sequence that may
/// have one, and pieces of prompts, so many as do not hold the others up. Between turns cancellations and ended allowances are honoured.
/// Who reads next, gets a place or has to give one up is decided by the shares of the requests' fairness keys.
///
/// A sequence that gives up its keys and values reads its tokens again, as far as they are not still there, and goes on with the same
/// result bit for bit.
final class Scheduler {
  /// Guessed tokens of one turn, of all sequences together.
  static let guessedRows = 8

  let pool: KVBlockPool
  let prefixes: PrefixIndex?
  let inbox: EngineInbox
  let maximumSequences: Int
  private let pass: ForwardPass
  private let prefillChunk: Int
  private let looksAhead: Bool
  /// Blocks that may wait for later prompts.
  private let keptBlocks: Int
  private var grammarRoom: GrammarRoom?
  private var randomSeeds = SystemRandomNumberGenerator()
  /// In memory, in order of admission.
  var running: [RunningSequence] = []
  /// Without keys and values, in the order in which they gave them up.
  var suspended: [RunningSequence] = []
  var shares = Shares()
  var statistics = EngineStatistics()
  private var turn: UInt64 = 0
  // Kept from turn to turn for their memory: in the steady state of decoding a turn allocates nothing.
  private var parts: [TurnPart] = []
  private var steps: [SequenceStep] = []
  /// Whether somebody came or went since the shares were last kept.
  private var membersMayDiffer = true
  private let embeddings: EmbeddingTurns

  init(
    model: LlamaModel, backend: CPUBackend, inbox: EngineInbox, options: EngineOptions, kvType: KVType, blocks: Int,
    contextLength: Int
  ) {
    self.pass = ForwardPass(model: model, backend: backend, rowLimit: options.rowLimit)
    let pool = KVBlockPool(shape: model.cacheShape(kvType), capacity: blocks)
    let prefixes = options.sharesPrefixes ? PrefixIndex() : nil
    pool.reclaim = { [weak prefixes] in prefixes?.reclaim() ?? false }
    self.pool = pool
    self.prefixes = prefixes
    self.inbox = inbox
    self.embeddings = EmbeddingTurns(
      pass: self.pass, inbox: inbox, chunk: min(options.prefillChunk, 128), contextLength: contextLength)
    self.maximumSequences = options.maximumSequences
    self.prefillChunk = options.prefillChunk
    self.looksAhead = options.looksAhead
    self.keptBlocks = options.kvMemory == nil ? EngineOptions.keptBytes / pool.shape.blockBytes : blocks
  }

  /// Runs until the inbox is closed; then every stream has ended.
  func run() {
    while !self.inbox.isClosed {
      // Every arrival, cancellation and raise rings, and a ring that came during this turn ends the wait at once.
      if !self.takeTurn() { self.inbox.signal.wait() }
    }
    self.embeddings.close()
    self.close()
  }

  /// One turn; false where there was nothing to do.
  func takeTurn() -> Bool {
    self.turn &+= 1
    self.clear()
    self.admit()
    let hasProduced = self.produceFromHeldLogits()
    let hasStepped = self.step()
    let hasEmbedded = self.embeddings.turn()
    while self.pool.used - self.pool.held > self.keptBlocks, self.prefixes?.reclaim() == true {}
    self.publish()
    return hasProduced || hasStepped || hasEmbedded
  }

  /// Ends what is cancelled or has used up its allowance.
  private func clear() {
    for submission in self.inbox.takeCancelled() {
      submission.events.yield(.end(CompletionEnd(reason: .cancelled, usage: CompletionUsage())))
      submission.events.finish()
      self.didFinish()
    }
    for sequence in self.running { self.endIfOver(sequence) }
    for sequence in self.suspended { self.endIfOver(sequence) }
  }

  private func endIfOver(_ sequence: RunningSequence) {
    if sequence.isCancelled {
      self.end(sequence, .cancelled)
    } else if sequence.isExhausted {
      self.end(sequence, .allowance, last: sequence.finish())
    }
  }

  /// A sequence for a request, without a place yet.
  func makeSequence(_ submission: Submission) -> RunningSequence {
    self.membersMayDiffer = true
    if self.grammarRoom == nil { self.grammarRoom = submission.vocabulary.map { GrammarRoom($0) } }
    return RunningSequence(
      submission, tokenizer: self.pass.model.vocabulary.tokenizer, grammars: self.grammarRoom, pool: self.pool,
      prefixes: self.prefixes, seed: self.randomSeeds.next())
  }

  // MARK: Steps

  /// The first token of those that waited for an allowance after their prompt was read.
  private func produceFromHeldLogits() -> Bool {
    var hasProduced = false
    for sequence in self.running where sequence.isReady {
      guard case .holdingLogits(let logits) = sequence.phase else { continue }
      _ = self.produce(sequence, logits.span)
      hasProduced = true
    }
    return hasProduced
  }

  /// One forward pass; false where there is nothing to do.
  private func step() -> Bool {
    // What has ended is held by nobody after the step.
    defer {
      self.parts.removeAll(keepingCapacity: true)
      self.steps.removeAll(keepingCapacity: true)
    }
    self.planDecoding()
    let decoding = self.parts.count
    let adopted = self.planPrefill(decoding: decoding)
    guard !self.parts.isEmpty else { return adopted }
    do {
      for part in self.parts { self.steps.append(part.step) }
      try self.pass.run(self.steps)
    } catch {
      for part in self.parts { self.fail(part.sequence, error.message) }
      return true
    }
    if decoding > 0 { self.statistics.decodeSteps += 1 }
    if decoding < self.parts.count { self.statistics.prefillSteps += 1 }
    var row = 0
    for part in self.parts {
      if part.isPrefill {
        self.didRead(part, row: row)
        row += part.step.logits == .none ? 0 : 1
      } else {
        self.didDecode(part, row: row)
        row += part.step.tokens.count
      }
    }
    return true
  }

  /// One token, and guesses, for every sequence that may have one and has room.
  private func planDecoding() {
    // Room first: who has to give up its place for another is no part of this turn.
    if self.running.contains(where: { $0.isDecoding && $0.cache.missingBlocks(positions: $0.cache.count + 1) > 0 }) {
      for sequence in self.running.filter(\.isDecoding) where self.running.contains(where: { $0 === sequence }) {
        _ = self.makeRoom(for: sequence, positions: sequence.cache.count + 1)
      }
    }
    var guesses = self.looksAhead ? max(0, Self.guessedRows - self.running.count(where: \.isDecoding)) : 0
    for sequence in self.running where sequence.isDecoding {
      var tokens = sequence.nextTokens(guessing: guesses)
      // A guess is no reason to take memory from anybody.
      if tokens.count > 1, (try? sequence.cache.reserve(positions: sequence.cache.count + tokens.count)) == nil {
        tokens.removeLast(tokens.count - 1)
      }
      guesses -= tokens.count - 1
      let step = SequenceStep(tokens: tokens, cache: sequence.cache, logits: tokens.count > 1 ? .all : .last)
      self.parts.append(TurnPart(sequence: sequence, step: step, isPrefill: false))
    }
  }

  /// Pieces of prompts. What was computed before is taken over; a block that another part of this turn computes is waited for. True where
  /// something was taken over or somebody gave up a place, so that another turn may do more.
  private func planPrefill(decoding: Int) -> Bool {
    var candidates: [RunningSequence] = []
    var computed: Set<SharedBlock> = []
    var hasChanged = false
    for sequence in self.running where sequence.isPrefilling {
      let before = sequence.usage.promptCached
      let filled = sequence.cache.count
      sequence.adopt()
      hasChanged = hasChanged || sequence.cache.count > filled
      self.statistics.cachedPromptTokens += UInt64(sequence.usage.promptCached - before)
      if sequence.unread == 0 {
        // All that a suspended sequence had read is still there.
        _ = sequence.didReadChunk()
        continue
      }
      if let next = sequence.nextShared, !computed.insert(SharedBlock(next.after, next.tokens)).inserted { continue }
      candidates.append(sequence)
    }
    self.keepShares()
    let budget = PrefillPlan.budget(chunk: self.prefillChunk, prefilling: candidates.count, decoding: decoding)
    let chunks = PrefillPlan.chunks(
      candidates.map {
        PrefillPlan.Candidate(
          key: $0.submission.fairnessKey, unread: $0.unread, filled: $0.cache.count, lastTurn: $0.lastTurn)
      }, budget: budget, shares: self.shares)
    for (index, count) in chunks {
      let sequence = candidates[index]
      guard self.running.contains(where: { $0 === sequence }) else { continue }
      let positions = sequence.cache.count + count
      if (try? sequence.cache.reserve(positions: positions)) == nil {
        // Whoever decodes goes first; where nothing else can be done in this turn, somebody has to make room.
        guard self.parts.isEmpty else { continue }
        hasChanged = true
        guard self.makeRoom(for: sequence, positions: positions) else { continue }
      }
      sequence.lastTurn = self.turn
      self.shares.charge(sequence.submission.fairnessKey, count)
      self.parts.append(TurnPart(sequence: sequence, step: sequence.nextChunk(count), isPrefill: true))
    }
    return hasChanged
  }

  /// Whoever is here or waits has a share.
  private func keepShares() {
    let waiting = self.inbox.waitingKeys
    guard self.membersMayDiffer || !waiting.isEmpty else { return }
    self.membersMayDiffer = !waiting.isEmpty
    var active = Set(waiting.map(\.key))
    for sequence in self.running { active.insert(sequence.submission.fairnessKey) }
    for sequence in self.suspended { active.insert(sequence.submission.fairnessKey) }
    self.shares.keep(active)
  }

  private func didRead(_ part: TurnPart, row: Int) {
    let sequence = part.sequence
    let readBefore = sequence.usage.promptUncached
    let hasPrompt = sequence.didReadChunk()
    self.statistics.promptTokens += UInt64(sequence.usage.promptUncached - readBefore)
    guard hasPrompt else { return }
    // The payer's answer to this event may be the first grant, so it is asked for only afterwards.
    sequence.submission.events.yield(.prompt(sequence.usage))
    sequence.phase = .holdingLogits([])
    if sequence.isReady {
      _ = self.pass.withLogits(row: row) { self.produce(sequence, $0) }
    } else {
      sequence.phase = .holdingLogits(self.pass.logits(row: row))
    }
  }

  /// Draws token after token as plain decoding would, from the same logits, for as long as the guesses are what is drawn.
  private func didDecode(_ part: TurnPart, row: Int) {
    let sequence = part.sequence
    let guesses = part.step.tokens.dropFirst()
    var right = 0
    while let token = self.pass.withLogits(row: row + right, { self.produce(sequence, $0) }) {
      guard right < guesses.count, token == guesses[guesses.startIndex + right] else { break }
      right += 1
    }
    self.statistics.guessedTokens += UInt64(guesses.count)
    self.statistics.rightGuesses += UInt64(right)
    sequence.didDecode(guessed: guesses.count, right: right)
  }

  /// Draws the next token and delivers what it adds; nil where that was the last. The token that ends a turn is neither counted nor
  /// charged: it has no text.
  private func produce(_ sequence: RunningSequence, _ logits: Span<Float>) -> Int32? {
    switch sequence.choose(logits) {
    case .failure(let message): self.fail(sequence, message)
    case .end:
      let last = sequence.finish()
      self.end(sequence, RunningSequence.reason(.stop, last), last: last)
    case .token(let token):
      let (delta, reason) = sequence.accept(token, logits)
      self.statistics.completionTokens += 1
      if case .terminated = sequence.submission.events.yield(.delta(delta)) { sequence.submission.cancellation.set() }
      guard let reason else { return token }
      self.end(sequence, reason)
    }
    return nil
  }

  // MARK: Ends

  private func end(_ sequence: RunningSequence, _ reason: CompletionEnd.Reason, last: CompletionDelta? = nil) {
    let events = sequence.submission.events
    if let last, !last.text.isEmpty || !last.toolCalls.isEmpty { events.yield(.delta(last)) }
    events.yield(.end(CompletionEnd(reason: reason, usage: sequence.usage)))
    events.finish()
    self.remove(sequence)
  }

  func fail(_ sequence: RunningSequence, _ message: String) {
    sequence.submission.events.finish(throwing: CompletionError(.failed, message))
    self.remove(sequence)
  }

  private func remove(_ sequence: RunningSequence) {
    self.membersMayDiffer = true
    sequence.end(pool: self.pool)
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
    self.statistics.cacheBytesUsed = self.pool.heldBytes
    self.statistics.cacheBytesKept = (self.pool.used - self.pool.held) * self.pool.shape.blockBytes
    self.statistics.cacheBytesResident = self.pool.residentBytes
    self.inbox.publish(self.statistics)
  }
}

/// What one sequence does in one turn.
struct TurnPart {
  var sequence: RunningSequence
  var step: SequenceStep
  var isPrefill: Bool
}

/// A block that is computed in a turn.
private struct SharedBlock: Hashable {
  private let after: ObjectIdentifier
  private let tokens: ArraySlice<Int32>

  init(_ after: PrefixIndex.Node, _ tokens: ArraySlice<Int32>) {
    self.after = ObjectIdentifier(after)
    self.tokens = tokens
  }
}
