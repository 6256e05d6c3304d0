public import AcceptableUse
internal import Completions
public import GovernanceTypes
internal import Synchronization

/// A guard model that is asked about what rules and classifier leave open: before the answer where something grave is in doubt,
/// afterwards and of a sample where nothing is.
///
/// What it is asked is the operator's own work: it goes through no hold and is charged to nobody.
public struct SecondOpinion: Sendable {
  public var model: ModelID
  public var prompt: GuardPrompt
  /// Names the categories in records.
  public var digest: Digest
  /// What an unsafe answer leads to.
  public var mode: RuleMode
  public var timeout = Duration.seconds(20)
  /// Of a million requests without doubt, how many are asked about when they are over.
  public var sampledPerMillion = 0

  public init(model: ModelID, prompt: GuardPrompt, digest: Digest, mode: RuleMode) {
    self.model = model
    self.prompt = prompt
    self.digest = digest
    self.mode = mode
  }

  /// Longest conversation that is asked about, in bytes.
  static let mostBytes = 32 << 10
  /// Enough for `unsafe` and some codes.
  static let answerTokens = 48
  /// Questions asked afterwards that may wait at once; more are not asked.
  static let mostSampled = 4
}

/// One turn of a conversation as a guard model is shown it.
typealias GuardTurn = (speaker: GuardPrompt.Speaker, text: String)

/// What became of a question.
enum OpinionOutcome: Sendable {
  case answered(GuardPrompt.Answer)
  case failed(DetectorFailure)

  var name: String {
    switch self {
    case .answered(.safe): "safe"
    case .answered(.unsafe): "unsafe"
    case .answered(.indeterminate): DetectorFailure.indeterminate.rawValue
    case .failed(let failure): failure.rawValue
    }
  }
}

extension Gate {
  /// Asks the guard model; never throws: that it gave no answer is an outcome.
  @concurrent
  func ask(_ opinion: SecondOpinion, _ turns: [GuardTurn], judging speaker: GuardPrompt.Speaker) async -> OpinionOutcome {
    guard turns.reduce(0, { $0 + $1.text.utf8.count }) <= SecondOpinion.mostBytes else { return .failed(.bufferCap) }
    guard let engine = self.state.withLock({ $0.models[opinion.model]?.engine }) else { return .failed(.engineError) }
    let request = CompletionRequest(
      prompt: .text(opinion.prompt.text(turns, judging: speaker)), sampling: SamplingParameters(temperature: 0),
      maximumCompletionTokens: SecondOpinion.answerTokens, cacheScope: GuardPrompt.packID, fairnessKey: GuardPrompt.packID)
    let sleep = self.environment.sleep
    return await withTaskGroup(of: OpinionOutcome?.self) { group in
      group.addTask { await Self.answer(of: engine, to: request, opinion.prompt) }
      group.addTask {
        // Cancelled once the answer is there.
        do { try await sleep(opinion.timeout) } catch { return nil }
        return .failed(.timeout)
      }
      defer { group.cancelAll() }
      while let outcome = await group.next() {
        if let outcome { return outcome }
      }
      return .failed(.timeout)
    }
  }

  private static func answer(
    of engine: any CompletionEngine, to request: CompletionRequest, _ prompt: GuardPrompt
  ) async -> OpinionOutcome {
    var text = ""
    do {
      let prepared = try await engine.prepare(request)
      let stream = engine.start(prepared, allowance: TokenAllowance(tokens: SecondOpinion.answerTokens, isFinal: true))
      try await withTaskCancellationHandler {
        for try await event in stream { for step in event.steps { text += step.text } }
      } onCancel: {
        stream.cancel()
      }
    } catch let error as CompletionError {
      return .failed(DetectorFailure(error))
    } catch {
      return .failed(.engineError)
    }
    return .answered(prompt.answer(text))
  }
}

extension DetectorFailure {
  fileprivate init(_ error: CompletionError) {
    switch error.code {
    case .overloaded: self = .overloaded
    case .contextLengthExceeded: self = .bufferCap
    case .invalidRequest, .unavailable, .failed: self = .engineError
    }
  }
}

/// Questions that are asked when their request is over, counted so that a slow guard model does not gather them without end.
final class SampledQuestions: Sendable {
  private let waiting = Mutex(0)

  /// Runs `question` beside everything else, or says that too many wait already.
  func start(_ question: @escaping @Sendable () async -> Void) -> Bool {
    let isTaken = self.waiting.withLock { waiting in
      guard waiting < SecondOpinion.mostSampled else { return false }
      waiting += 1
      return true
    }
    guard isTaken else { return false }
    Task {
      await question()
      self.waiting.withLock { $0 -= 1 }
    }
    return true
  }
}
