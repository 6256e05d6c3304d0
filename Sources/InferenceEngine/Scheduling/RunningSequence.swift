internal import Completions
internal import ConstrainedOutput
internal import LlamaModel
internal import Sampling
internal import Tensors
internal import Tokenization

/// One request on the engine's thread: its tokens, its keys and values, and what it may still produce.
final class RunningSequence {
  /// Where the sequence stands between two steps.
  enum Phase {
    /// Tokens before `prefillTarget` are still to be read.
    case prefilling
    /// The prompt has been read but nothing may be produced yet: the logits wait.
    case holdingLogits([Float])
    /// The last token is produced but not read.
    case decoding
  }

  let submission: Submission
  /// The prompt and what was produced so far.
  private(set) var tokens: [Int32]
  private(set) var produced = 0
  private(set) var cache: KVCache
  var phase: Phase = .prefilling
  /// What to do once prefilled again after the place was given up.
  private var phaseBeforeSuspension: Phase?
  /// Prompt positions ever filled, and how many of them were computed for this sequence; filling some again changes nothing.
  private var promptFilled = 0
  private var promptComputed = 0
  /// What is shared with other sequences: the node of the last whole block that stands in the index.
  private var sharing: (index: PrefixIndex, node: PrefixIndex.Node, blocks: Int)?
  var lookup = PromptLookup()
  /// The tokens of the step in work, kept for its memory.
  private var nextStep: [Int32] = []
  /// The turn in which a piece of its prompt was last read.
  var lastTurn: UInt64 = 0
  var sampler: Sampler
  /// Nil for free text.
  var grammar: GrammarRun?
  let tokenizer: any Tokenizer
  var detokenizer: StreamingDetokenizer
  var filter: StopFilter
  /// Nil where the text can hold no calls of tools.
  var callFilter: ToolCallFilter?

  /// - Parameter grammars: where the submission's form has a grammar.
  init(
    _ submission: Submission, tokenizer: any Tokenizer, grammars: GrammarRoom?, pool: KVBlockPool, prefixes: PrefixIndex?,
    seed: UInt64
  ) {
    let request = submission.prompt.request
    self.submission = submission
    self.tokens = submission.prompt.tokens
    self.cache = KVCache(pool: pool)
    self.sharing = Self.beginning(submission, prefixes)
    self.tokenizer = tokenizer
    self.sampler = Sampler(request.sampling, seed: seed)
    self.sampler.observe(prompt: submission.prompt.tokens)
    // The answer of a chat stands alone; text and tokens are continued, and there a leading space belongs to the continuation.
    let standsAlone = if case .chat = request.prompt { true } else { false }
    let dropsSpace = standsAlone && tokenizer.addsSpacePrefix
    self.detokenizer = StreamingDetokenizer(tokenizer: tokenizer, stripLeadingSpace: dropsSpace)
    self.grammar = submission.form.grammar.flatMap { grammars?.begin($0, leadingSpace: dropsSpace) }
    self.callFilter = submission.form.calls.map { ToolCallFilter($0.form, tools: $0.tools) }
    self.filter = StopFilter(request.stop)
    self.tokens.reserveCapacity(submission.prompt.tokens.count + min(submission.prompt.completionCeiling, 4096))
  }

  var promptCount: Int { self.submission.prompt.tokens.count }
  var grant: TokenAllowance.Grant { self.submission.allowance.grant }
  var isCancelled: Bool { self.submission.cancellation.isSet }
  var usage: CompletionUsage {
    CompletionUsage(
      promptUncached: self.promptComputed, promptCached: self.promptFilled - self.promptComputed, completion: self.produced)
  }

  var isPrefilling: Bool { if case .prefilling = self.phase { true } else { false } }
  /// Read up to the newest token, and allowed to produce one more.
  var isReady: Bool { !self.isPrefilling && self.produced < self.grant.tokens }
  /// Ready, and its newest token is still to be read.
  var isDecoding: Bool {
    guard self.isReady, case .decoding = self.phase else { return false }
    return true
  }
  /// Waits for the payer.
  var isParked: Bool {
    let grant = self.grant
    return !self.isPrefilling && self.produced >= grant.tokens && !grant.isFinal
  }
  /// The grant is used up for good; never before the prompt has been read.
  var isExhausted: Bool {
    let grant = self.grant
    let hasReadPrompt = !self.isPrefilling || self.phaseBeforeSuspension != nil
    return hasReadPrompt && self.produced >= grant.tokens && grant.isFinal
  }

  /// Tokens still to be read before anything can be produced.
  var unread: Int { self.prefillTarget - self.cache.count }
  /// Blocks to be had before the next token is produced.
  var missingBlocks: Int { self.cache.missingBlocks(positions: max(self.prefillTarget, self.cache.count) + 1) }

  /// The next `count` tokens to read. Logits are wanted where they are not known yet.
  func nextChunk(_ count: Int) -> SequenceStep {
    let start = self.cache.count
    let end = start + count
    let wantsLogits = end == self.prefillTarget && self.phaseBeforeSuspension == nil
    return SequenceStep(tokens: Array(self.tokens[start..<end]), cache: self.cache, logits: wantsLogits ? .last : .none)
  }

  /// Takes note of a chunk that was read; true once the whole prompt is in and its logits are there.
  func didReadChunk() -> Bool {
    self.didFill(computed: true)
    self.share()
    guard self.cache.count == self.prefillTarget else { return false }
    if let phase = self.phaseBeforeSuspension {
      self.phase = phase
      self.phaseBeforeSuspension = nil
      return false
    }
    return true
  }

  /// Gives up the keys and values; the sequence reads its tokens again before it goes on, with the same result bit for bit.
  func suspend(pool: KVBlockPool) {
    self.leave()
    if !self.isPrefilling {
      self.phaseBeforeSuspension = self.phase
      self.phase = .prefilling
    }
    self.cache = KVCache(pool: pool)
    self.sharing = Self.beginning(self.submission, self.sharing?.index)
  }

  /// Whether a suspended sequence may go on: its prompt has to be read first, or it may produce again.
  var canResume: Bool { self.phaseBeforeSuspension == nil || self.produced < self.grant.tokens }

  /// Lets go of the keys and values, for others to share.
  func end(pool: KVBlockPool) {
    self.leave()
    self.sharing = nil
    self.cache = KVCache(pool: pool)
  }

  /// Takes note of a token that was produced.
  func take(_ token: Int32) {
    self.produced += 1
    self.tokens.append(token)
    self.phase = .decoding
    self.sampler.observe(token)
    // The mask had the token, so that it fits.
    _ = self.grammar?.accept(token)
  }

  private var prefillTarget: Int {
    if case .decoding = self.phaseBeforeSuspension { return self.tokens.count - 1 }
    return self.promptCount
  }
}

/// What a sequence has in common with others.
extension RunningSequence {
  private static func beginning(
    _ submission: Submission, _ index: PrefixIndex?
  ) -> (index: PrefixIndex, node: PrefixIndex.Node, blocks: Int)? {
    guard let index, let scope = submission.prompt.request.cacheScope else { return nil }
    return (index, index.root(scope: scope), 0)
  }

  /// The block that is to be computed next, where it may be shared: what it follows and its tokens.
  var nextShared: (after: PrefixIndex.Node, tokens: ArraySlice<Int32>)? {
    let start = self.cache.count
    let end = start + KVShape.blockPositions
    guard let sharing = self.sharing, sharing.blocks * KVShape.blockPositions == start, end <= self.lastKnown else { return nil }
    return (sharing.node, self.tokens[start..<end])
  }

  /// The last token that is read is computed in any case, where its logits are wanted.
  private var lastKnown: Int { self.prefillTarget - (self.phaseBeforeSuspension == nil ? 1 : 0) }

  /// Takes over whatever was computed before for the tokens that come next.
  func adopt() {
    while let (node, tokens) = self.nextShared, let known = self.sharing?.index.next(after: node, tokens) {
      self.cache.adopt(known.block)
      self.advance(to: known.node)
    }
    if let sharing = self.sharing, sharing.blocks * KVShape.blockPositions == self.cache.count, self.cache.count < self.lastKnown
    {
      let rest = self.tokens[self.cache.count..<min(self.lastKnown, self.cache.count + KVShape.blockPositions - 1)]
      if let (block, count) = sharing.index.beginning(after: sharing.node, rest) {
        // Where there is no memory for a copy the tokens are computed, once there is.
        try? self.cache.copy(block, positions: count)
      }
    }
    self.didFill(computed: false)
  }

  /// Offers all whole blocks that are filled to others.
  func share() {
    while let sharing = self.sharing, (sharing.blocks + 1) * KVShape.blockPositions <= self.cache.count {
      let start = sharing.blocks * KVShape.blockPositions
      let block = self.cache.block(sharing.blocks)
      let known = sharing.index.insert(after: sharing.node, self.tokens[start..<start + KVShape.blockPositions], block)
      // Two sequences that computed the same block at once go on with one of them.
      if known.block !== block { self.cache.replace(sharing.blocks, by: known.block) }
      self.advance(to: known.node)
    }
  }

  /// Offers also the last block that is not full, as nothing will be written to it any more.
  func leave() {
    self.share()
    guard let sharing = self.sharing else { return }
    let start = sharing.blocks * KVShape.blockPositions
    guard self.cache.count > start else { return }
    _ = sharing.index.insert(after: sharing.node, self.tokens[start..<self.cache.count], self.cache.block(sharing.blocks))
  }

  private func advance(to node: PrefixIndex.Node) {
    self.sharing?.node = node
    self.sharing?.blocks += 1
  }

  private func didFill(computed: Bool) {
    let filled = min(self.cache.count, self.promptCount)
    guard filled > self.promptFilled else { return }
    if computed { self.promptComputed += filled - self.promptFilled }
    self.promptFilled = filled
  }
}

/// Several tokens in one step.
extension RunningSequence {
  /// The last token and what may follow it; fewer than `limit` guessed tokens, and never more than may be produced.
  func nextTokens(guessing limit: Int) -> [Int32] {
    let last = self.tokens[self.tokens.count - 1]
    let left = min(self.grant.tokens, self.submission.prompt.completionCeiling) - self.produced - 1
    self.nextStep.removeAll(keepingCapacity: true)
    self.nextStep.append(last)
    if limit > 0, left > 0 { self.nextStep += self.lookup.guess(self.tokens, limit: min(limit, left)) }
    return self.nextStep
  }

  /// Forgets the positions of guesses that were wrong.
  func didDecode(guessed: Int, right: Int) {
    self.cache.truncate(count: min(self.cache.count, self.tokens.count - 1))
    self.lookup.note(guessed: guessed, right: right)
    self.share()
  }
}
