internal import AcceptableUse
internal import Completions
internal import GovernanceTypes
internal import LicenseTerms

extension Gate {
  /// Reads the prompt with the rules and asks the license about what they found.
  func checkPrompt(_ dossier: inout Dossier) async throws(Refusal) {
    let texts = dossier.call.request.prompt.texts
    let assessments = texts.map { self.acceptableUse.assess($0, direction: .prompt) }
    let assessment = assessments.max { ($0.flagged ? 1 : 0, $0.score) < ($1.flagged ? 1 : 0, $1.score) }
    dossier.assessment = assessment
    dossier.promptTag = self.tag(texts)
    guard let standing = dossier.standing?.standing else {
      throw Refusal(.licenseTerms, "The license has not been asked.", context: "checkPrompt before askLicense")
    }
    let uses = Set(assessments.flatMap(\.flaggedUses)).sorted()
    let verdict = standing.verdict(for: self.requestFacts(dossier, uses: uses), at: self.now())
    guard verdict.verdict != .allow else { return }
    let refusal = Refusal(verdict, uses: uses)
    throw await self.refuse(
      dossier, refusal, verdict: verdict.verdict.rawValue, moment: .request, assessment: assessment)
  }

  /// The facts of the request alone: what was found in its text and what it was said to be for.
  func requestFacts(_ dossier: Dossier, uses: [ProhibitedUseID]) -> FactSheet {
    let now = dossier.standing?.at ?? self.environment.now()
    var facts = [
      Fact(
        key: "request.use_findings", value: .set(uses.map(\.name)), source: .rule, reference: dossier.decision.description,
        recordedAt: now)
    ]
    if let purpose = dossier.call.declaredPurpose {
      facts.append(
        Fact(
          key: "request.declared_purpose", value: .choice(purpose), source: .request, reference: dossier.decision.description,
          recordedAt: now))
    }
    return FactSheet(facts)
  }

  /// HMAC over the texts, under a key that stays here.
  func tag(_ texts: [String]) -> Digest {
    self.environment.keyedDigest(self.environment.tagKey, texts.reduce(into: []) { $0 += Array($1.utf8) + [0] })
  }
}

extension CompletionRequest.Prompt {
  var texts: [String] {
    switch self {
    case .chat(let messages): messages.map(\.content)
    case .text(let text): [text]
    case .tokens: []
    }
  }
}

extension Refusal {
  init(_ verdict: RequestVerdict, uses: [ProhibitedUseID]) {
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
