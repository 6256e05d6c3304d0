internal import AcceptableUse
internal import Completions
internal import GovernanceTypes
internal import LicenseTerms

extension Gate {
  /// Reads the prompt with the rules and asks the license about what they found.
  func checkPrompt(_ dossier: inout Dossier) async throws(Refusal) {
    // Those of the application first, as they are assessed.
    let texts = dossier.call.request.prompt.texts.systemFirst
    let conduct = self.conduct(of: dossier.caller.customer.id)
    dossier.conduct = conduct
    var assessments = conduct.assess(texts)
    try await self.readAgain(&dossier, conduct, texts, &assessments)
    try await self.consult(&dossier, conduct, &assessments)
    let assessment = assessments.max { ($0.flagged ? 1 : 0, $0.score) < ($1.flagged ? 1 : 0, $1.score) }
    dossier.assessment = assessment
    dossier.promptTag = self.tag(dossier.call.request.prompt.texts.map(\.text))
    guard let standing = dossier.standing?.standing else {
      throw Refusal(.licenseTerms, "The license has not been asked.", context: "checkPrompt before askLicense")
    }
    let findings = self.findings(in: assessments, for: dossier.model)
    let verdict = standing.verdict(for: self.requestFacts(dossier, findings: findings), at: self.now())
    guard verdict.verdict != .allow else { return }
    throw await self.refuse(
      dossier, Refusal(verdict), verdict: verdict.verdict.rawValue, moment: .request, assessment: assessment)
  }

  /// What enforced rules found, in words that the model's term files know: the ids of the policy that a rule names its uses by, and
  /// for other policies the categories that all of them share.
  func findings(in assessments: [Assessment], for model: ServedModel) -> [String] {
    var names: Set<String> = []
    for hit in assessments.flatMap(\.rules) where hit.mode == .enforce {
      let guardPolicy = hit.packID == GuardPrompt.packID ? self.policy.secondOpinion?.prompt.policy : nil
      guard let policy = guardPolicy ?? self.acceptableUse.policy(ofPack: hit.packID) else { continue }
      if model.terms.contains(policy) { names.formUnion(hit.uses.map(\.name)) }
      guard model.terms.contains(where: { $0 != policy }), let file = self.termFile(policy) else { continue }
      names.formUnion(file.uses.filter { use in hit.uses.contains { $0.name == use.id } }.map(\.category))
    }
    return names.sorted()
  }

  /// HMAC over the texts, under a key that stays here.
  func tag(_ texts: [String]) -> Digest {
    self.environment.keyedDigest(self.environment.tagKey, texts.reduce(into: []) { $0 += Array($1.utf8) + [0] })
  }
}

extension CompletionRequest.Prompt {
  var texts: [PromptText] {
    switch self {
    case .chat(let messages):
      messages.flatMap { message in
        ([message.content] + message.toolCalls.map(\.arguments)).filter { !$0.isEmpty }
          .map { PromptText(text: $0, isSystem: message.role == .system) }
      }
    case .text(let text): [PromptText(text: text, isSystem: false)]
    case .tokens: []
    }
  }
}

extension Refusal {
  init(_ verdict: RequestVerdict) {
    let citation = verdict.deciding.map { Citation($0) }
    guard !verdict.findings.isEmpty else {
      self.init(.licenseTerms, "The license of this model does not allow the request.", citation: citation)
      return
    }
    let items = verdict.findings.map(\.use).joined(separator: ", ")
    self.init(
      .acceptableUse,
      "The request falls under a use that the model's acceptable-use policy forbids (item \(items)). If this is a mistake, tell the operator the decision id.",
      citation: citation)
  }
}
