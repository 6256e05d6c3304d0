internal import AcceptableUse
internal import Completions
internal import Documents
internal import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

/// What a guard model said of one text, for the record.
struct OpinionRecord: Sendable {
  var outcome: OpinionOutcome
  var model: ModelID

  var json: JSON {
    var members = [JSONMember("model", .string(self.model.name)), JSONMember("outcome", .string(self.outcome.name))]
    if case .answered(.unsafe(let codes)) = self.outcome { members.append(JSONMember("codes", .array(codes.map(JSON.string)))) }
    return .object(members)
  }
}

extension Gate {
  /// Asks the guard model about a prompt of which something grave is in doubt, and takes its answer into the assessments.
  ///
  /// - Throws: ``Refusal`` where it gave no answer and the doubt is about a use that the policy calls critical.
  func consult(
    _ dossier: inout Dossier, _ conduct: EffectiveConduct, _ assessments: inout [Assessment]
  ) async throws(Refusal) {
    guard let opinion = self.opinion(for: dossier), let last = assessments.indices.last else { return }
    let doubts = self.doubts(of: assessments, opinion)
    guard !doubts.isEmpty else { return }
    let outcome = await self.ask(opinion, dossier.call.request.prompt.turns, judging: .user)
    dossier.opinion = OpinionRecord(outcome: outcome, model: opinion.model)
    if case .answered(.unsafe(let codes)) = outcome {
      assessments[last] = conduct.adding(codes, of: opinion, to: assessments[last])
    }
    guard let refusal = self.refusal(for: outcome, conduct, doubts: doubts, direction: .prompt) else { return }
    throw await self.refuse(dossier, refusal, verdict: "deny", moment: .request, assessment: assessments[last])
  }

  /// The second opinion that a request is under; a guard model is not asked about itself.
  func opinion(for dossier: Dossier) -> SecondOpinion? {
    guard let opinion = self.policy.secondOpinion, opinion.model != dossier.model.id else { return nil }
    return opinion
  }

  /// Uses in doubt that the guard model knows; none where something was enforced already.
  func doubts(of assessments: [Assessment], _ opinion: SecondOpinion) -> Set<ProhibitedUseID> {
    guard !assessments.contains(where: \.flagged) else { return [] }
    let critical = self.criticalUses
    let doubts = assessments.reduce(into: Set<ProhibitedUseID>()) { $0.formUnion($1.doubts(critical: critical)) }
    return doubts.intersection(opinion.prompt.covered)
  }

  var criticalUses: Set<ProhibitedUseID> {
    self.state.withLock { state in
      Set(state.terms.values.flatMap(\.uses).filter { $0.severity == .critical }.map { ProhibitedUseID($0.id) })
    }
  }

  /// Why a request is refused whose doubt nobody could decide; nil where it goes on with a record.
  func refusal(
    for outcome: OpinionOutcome, _ conduct: EffectiveConduct, doubts: Set<ProhibitedUseID>, direction: TextDirection
  ) -> Refusal? {
    let failure: DetectorFailure
    switch outcome {
    case .answered(.safe), .answered(.unsafe): return nil
    case .answered(.indeterminate): failure = .indeterminate
    case .failed(let why): failure = why
    }
    let verdict = conduct.policy.verdict(on: failure, covered: doubts, critical: self.criticalUses, direction: direction)
    return verdict.action == .refuse ? self.refusal(unchecked: verdict) : nil
  }

  /// A refusal for the moment: the detector that decides gave no answer.
  func refusal(unchecked verdict: DetectorFailureVerdict) -> Refusal {
    let uses = verdict.unchecked.map(\.name).joined(separator: ", ")
    return Refusal(
      .modelUnavailable,
      "The text may fall under a use that the policy calls critical (item \(uses)), and the check that decides it gave no answer (\(verdict.failure.rawValue)). Retry in a moment.",
      retryAfter: .seconds(5))
  }

  /// Asks about a request that is over, if chance takes it, and writes down what was said. Nobody waits for it.
  func sample(_ dossier: Dossier, answer: String) {
    guard let opinion = self.opinion(for: dossier), opinion.sampledPerMillion > 0, dossier.opinion == nil else { return }
    let drawn = self.environment.randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) } % 1_000_000
    guard drawn < UInt64(opinion.sampledPerMillion) else { return }
    let turns = dossier.call.request.prompt.turns
    guard !turns.isEmpty else { return }
    let box = SampledRequest(dossier: dossier, turns: turns, answer: answer)
    let isAsked = self.questions.start { await self.judge(box, opinion) }
    if !isAsked { self.note(box, ["prompt": OpinionRecord(outcome: .failed(.overloaded), model: opinion.model)]) }
  }

  private func judge(_ request: SampledRequest, _ opinion: SecondOpinion) async {
    let prompt = await self.ask(opinion, request.turns, judging: .user)
    var records = ["prompt": OpinionRecord(outcome: prompt, model: opinion.model)]
    if !request.answer.isEmpty {
      let response = await self.ask(opinion, request.turns + [(.agent, request.answer)], judging: .agent)
      records["response"] = OpinionRecord(outcome: response, model: opinion.model)
    }
    self.note(request, records)
  }

  private func note(_ request: SampledRequest, _ records: [String: OpinionRecord]) {
    let dossier = request.dossier
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      let entry = LogEntry(
        .decision, at: now,
        [
          JSONMember("id", .string(dossier.decision.description)), JSONMember("moment", "sample"),
          JSONMember("verdict", "record"), JSONMember("customer", .string(dossier.caller.customer.id.description)),
          JSONMember("model", .string(dossier.model.id.name)), JSONMember("usage", .string(dossier.usage.description)),
          JSONMember(
            "second_opinion", .object(records.sorted { $0.key < $1.key }.map { JSONMember($0.key, $0.value.json) })),
        ], lookup: Dossier.sampleLookup(dossier.decision))
      _ = self.journal.submit([JournalRecord(entry)])
    }
  }
}

/// A request that is over, for a question that is asked beside everything else.
private final class SampledRequest: Sendable {
  let dossier: Dossier
  let turns: [GuardTurn]
  let answer: String

  init(dossier: Dossier, turns: [GuardTurn], answer: String) {
    self.dossier = dossier
    self.turns = turns
    self.answer = answer
  }
}

extension LiveRequest {
  /// Asks the guard model about an answer of which something grave is in doubt. Returns the finding for which it ends, or the refusal
  /// where nobody could decide.
  @concurrent
  func consult(_ delivery: Delivery) async -> (finding: Assessment?, refusal: Refusal?) {
    guard let conduct = self.dossier.conduct, let opinion = self.gate.opinion(for: self.dossier),
      let assessment = delivery.assessment
    else { return (nil, nil) }
    let doubts = self.gate.doubts(of: [assessment], opinion)
    guard !doubts.isEmpty else { return (nil, nil) }
    var outcome = OpinionOutcome.failed(.bufferCap)
    if let answer = delivery.produced {
      outcome = await self.gate.ask(
        opinion, self.dossier.call.request.prompt.turns + [(.agent, answer)], judging: .agent)
    }
    if case .answered(.unsafe(let codes)) = outcome {
      let found = conduct.adding(codes, of: opinion, to: assessment)
      return (found.flagged ? found : nil, nil)
    }
    return (nil, self.gate.refusal(for: outcome, conduct, doubts: doubts, direction: .response))
  }
}

extension CompletionRequest.Prompt {
  /// The conversation as a guard model is shown it: what people and tools say, and what the model said.
  var turns: [GuardTurn] {
    switch self {
    case .chat(let messages):
      messages.compactMap { message in
        let text = ([message.content] + message.toolCalls.map(\.arguments)).filter { !$0.isEmpty }.joined(separator: "\n")
        guard !text.isEmpty, message.role != .system else { return nil }
        return (message.role == .assistant ? .agent : .user, text)
      }
    case .text(let text): [(.user, text)]
    case .tokens: []
    }
  }
}
