internal import Documents
internal import GovernanceTypes
internal import LicenseTerms

/// What the edge learned of one request beside its text: from headers that the operator trusts, or from the configuration.
public struct RequestCircumstances: Sendable, Equatable {
  /// The country that the request comes from, ISO 3166-1 alpha-2; nil where nothing trusted says it.
  public var region: String?
  /// Whether ``region`` is the operator's own setting rather than something that came with the request.
  public var regionIsConfigured: Bool
  /// The family of the model that the output is to train, where the caller says so.
  public var trainingTarget: String?

  public init(region: String? = nil, regionIsConfigured: Bool = false, trainingTarget: String? = nil) {
    self.region = region
    self.regionIsConfigured = regionIsConfigured
    self.trainingTarget = trainingTarget
  }
}

/// The facts of a request by the keys that term files read them under.
enum RequestFact {
  static let findings = "request.use_findings"
  static let purpose = "request.declared_purpose"
  static let region = "request.region"
  static let trainingTarget = "train.target_lineage"
}

extension Gate {
  /// The facts of the request alone: what was found in its text, what it was said to be for, and where it comes from.
  func requestFacts(_ dossier: Dossier, findings: [String]) -> FactSheet {
    let at = dossier.standing?.at ?? self.environment.now()
    let call = dossier.call
    func fact(_ key: String, _ value: FactValue, _ source: FactSource) -> Fact {
      Fact(key: key, value: value, source: source, reference: dossier.decision.description, recordedAt: at)
    }
    var facts = [fact(RequestFact.findings, .set(findings), .rule)]
    if let purpose = call.declaredPurpose { facts.append(fact(RequestFact.purpose, .choice(purpose), .request)) }
    if let region = self.region(of: call, for: dossier.model) {
      facts.append(fact(RequestFact.region, region, call.circumstances.regionIsConfigured ? .config : .request))
    }
    if let target = call.circumstances.trainingTarget {
      facts.append(fact(RequestFact.trainingTarget, .text(target), .request))
    }
    return FactSheet(facts)
  }

  /// The country as the terms read it; nil where none of them asks, or where what the edge was told is no country: that is unknown.
  private func region(of call: Call, for model: ServedModel) -> FactValue? {
    guard let text = call.circumstances.region else { return nil }
    let asked = model.terms.lazy.compactMap { self.termFile($0)?.facts.first { $0.key == RequestFact.region } }.first
    guard let asked else { return nil }
    // What cannot be read as a country is left out, so that clauses about the place come out unknown.
    return try? FactValue(Document(.string(text), position: TextPosition(line: 1, column: 1)), for: asked)
  }

  /// Refuses what a caller declares in words that a term file of the model does not know. Were it passed on, it would count as not
  /// said, and a caller could declare a forbidden purpose by misspelling it.
  func checkDeclarations(_ call: Call, for model: ServedModel) throws(Refusal) {
    guard let purpose = call.declaredPurpose else { return }
    for file in model.terms.compactMap({ self.termFile($0) }) {
      guard let fact = file.facts.first(where: { $0.key == RequestFact.purpose }), !fact.values.contains(purpose) else {
        continue
      }
      let near = nearestName(to: purpose, among: fact.values).map { " Did you mean '\($0)'?" } ?? ""
      throw Refusal(
        .invalidRequest,
        "The purpose '\(purpose)' is none that the terms '\(file.id)' know: \(fact.values.joined(separator: ", ")).\(near)",
        parameter: "metadata.purpose")
    }
  }
}
