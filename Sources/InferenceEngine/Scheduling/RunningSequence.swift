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
  /// The most prompt tokens ever read; reading some again changes nothing.
  private var promptTokensRead = 0
  var sampler: Sampler
  /// Nil for free text.
  var grammar: GrammarRun?
  let tokenizer: any Tokenizer
  var detokenizer: StreamingDetokenizer
  var filter: StopFilter
  /// Nil where the text can hold no calls of tools.
  var callFilter: ToolCallFilter?

  /// - Parameter grammars: where the submission's form has a grammar.
  init(_ submission: Submission, tokenizer: any Tokenizer, grammars: GrammarRoom?, pool: KVBlockPool, seed: UInt64) {
    let request = submission.prompt.request
    self.submission = submission
    self.tokens = submission.prompt.tokens
    self.cache = KVCache(pool: pool)
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
  var usage: CompletionUsage { CompletionUsage(promptUncached: self.promptTokensRead, completion: self.produced) }

  var isPrefilling: Bool { if case .prefilling = self.phase { true } else { false } }
  /// Read up to the newest token, and allowed to produce one more.
  var isReady: Bool { !self.isPrefilling && self.produced < self.grant.tokens }
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

  /// The next tokens to read, in the same pieces each time: the prompt by chunks, then, after a suspension, what was produced
  /// since. Logits are wanted where they are not known yet.
  func nextChunk(limit: Int) -> SequenceStep {
    let start = self.cache.count
    let isPrompt = start < self.promptCount
    let end = min(start + limit, isPrompt ? self.promptCount : self.prefillTarget)
    let wantsLogits = end == self.prefillTarget && self.phaseBeforeSuspension == nil
    return SequenceStep(tokens: Array(self.tokens[start..<end]), cache: self.cache, logits: wantsLogits ? .last : .none)
  }

  /// Takes note of a chunk that was read; true once the whole prompt is in.
  func didReadChunk() -> Bool {
    self.promptTokensRead = max(self.promptTokensRead, min(self.cache.count, self.promptCount))
    guard self.cache.count == self.prefillTarget else { return false }
    if let phase = self.phaseBeforeSuspension {
      self.phase = phase
      self.phaseBeforeSuspension = nil
      return false
    }
    return true
  }

  /// Gives up the keys and values; the sequence reads its tokens again before it goes on.
  ///
  /// - Precondition: it is parked.
  func suspend(pool: KVBlockPool) {
    precondition(!self.isPrefilling)
    self.phaseBeforeSuspension = self.phase
    self.phase = .prefilling
    self.cache = KVCache(pool: pool)
  }

  /// Whether a suspended sequence may produce again.
  var canResume: Bool { self.produced < self.grant.tokens }

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
