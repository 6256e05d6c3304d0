internal import Completions
internal import ConstrainedOutput
internal import Sampling
internal import Tokenization

extension RunningSequence {
  /// What the next step of a sequence is.
  enum Choice {
    case token(Int32)
    /// The model ended its turn.
    case end
    case failure(String)
  }

  /// Draws the next token among those that the request's form allows.
  func choose(_ logits: Span<Float>) -> Choice {
    let mask = self.grammar?.mask()
    let choice = self.sampler.sample(logits, allowed: mask?.words)
    guard logits[choice].isFinite, let token = Int32(exactly: choice) else {
      return .failure("The model computed a value that is no number; its file may be damaged.")
    }
    if let mask, !mask.contains(choice) {
      return .failure("No token of the model's vocabulary can go on with the form that was asked for.")
    }
    return self.tokenizer.isEndOfText(token) ? .end : .token(token)
  }

  /// What a produced token adds; `end` where it is the last.
  func accept(_ token: Int32, _ logits: Span<Float>) -> (delta: CompletionDelta, end: CompletionEnd.Reason?) {
    self.take(token)
    let output = self.filter.append(self.detokenizer.append(token))
    var delta = CompletionDelta(text: self.shown(output.text), tokens: 1, logprobs: self.logprobs(of: token, logits))
    let isFinished = output.isStopped || self.grammar?.isFinished == true
    guard isFinished || self.produced == self.submission.prompt.completionCeiling else { return (delta, nil) }
    let last = output.isStopped ? self.finishCalls() : self.finish()
    delta.text += last.text
    delta.toolCalls = last.toolCalls
    return (delta, isFinished ? Self.reason(.stop, last) : .length)
  }

  /// What is still held back, at an end that is no stop text.
  func finish() -> CompletionDelta {
    let last = self.filter.append(self.detokenizer.finish())
    let text = self.shown(last.isStopped ? last.text : last.text + self.filter.finish())
    var delta = self.finishCalls()
    delta.text = text + delta.text
    return delta
  }

  /// A turn that ended with calls ended for them.
  static func reason(_ reason: CompletionEnd.Reason, _ last: CompletionDelta) -> CompletionEnd.Reason {
    reason == .stop && !last.toolCalls.isEmpty ? .toolCalls : reason
  }

  private func shown(_ text: String) -> String { self.callFilter?.append(text) ?? text }

  private func finishCalls() -> CompletionDelta {
    guard let (text, calls) = self.callFilter?.finish() else { return CompletionDelta(text: "", tokens: 0) }
    let pieces = calls.enumerated().map { index, call in
      ToolCallPiece(index: index, id: self.callID(index), name: call.name, arguments: call.arguments)
    }
    return CompletionDelta(text: text, tokens: 0, toolCalls: pieces)
  }

  /// Depends on the tokens alone, so that a repeated request repeats it, and a longer conversation does not.
  private func callID(_ index: Int) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for token in self.tokens { hash = (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x100_0000_01B3 }
    hash = (hash ^ UInt64(index)) &* 0x9E37_79B9_7F4A_7C15
    let digits = String(hash ^ (hash >> 29), radix: 16)
    return "call_" + String(repeating: "0", count: 16 - digits.count) + digits
  }

  private func logprobs(of token: Int32, _ logits: Span<Float>) -> [TokenLogprob] {
    guard let alternatives = self.submission.prompt.request.logprobs else { return [] }
    let logprobs = Logprobs(logits, of: Int(token), alternatives: alternatives)
    return [TokenLogprob(token: self.scored(logprobs.chosen), alternatives: logprobs.best.map(self.scored))]
  }

  private func scored(_ entry: Logprobs.Entry) -> ScoredToken {
    var bytes: [UInt8] = []
    self.tokenizer.appendBytes(of: Int32(entry.token), to: &bytes)
    return ScoredToken(text: String(decoding: bytes, as: UTF8.self), bytes: bytes, logprob: entry.logprob)
  }
}

extension Sampler {
  /// - Parameter seed: where the request has none.
  init(_ parameters: SamplingParameters, seed: UInt64) {
    self.init(
      temperature: Double(parameters.temperature), topK: parameters.topK, topP: Double(parameters.topP),
      seed: parameters.seed ?? seed, minP: Double(parameters.minP),
      adjustment: LogitAdjustment(
        repetition: parameters.repetitionPenalty, presence: parameters.presencePenalty, frequency: parameters.frequencyPenalty,
        biases: parameters.logitBias))
  }
}
