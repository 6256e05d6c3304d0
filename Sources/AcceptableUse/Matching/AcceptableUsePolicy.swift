public import GovernanceTypes

/// The rule packs in force, compiled for both directions, with the classifier beside them; assesses texts and guards streams.
public struct AcceptableUsePolicy: Sendable {
  private var prompt: DirectedRules
  private var response: DirectedRules
  private var system: DirectedRules
  /// The packs, as given.
  public let packs: [RulePack]
  /// Nil where the operator switched it off or gave no weights.
  public let classifier: LinearClassifier?
  /// How an encoder behind the classifier is used; nil where there is none.
  public let encoder: EncoderTerms?

  /// With no pack at all no rule ever matches; whether that may be is for the caller to refuse.
  ///
  /// - Parameter classifier: Annotates from its own threshold on, unless ``applying(_:)`` says otherwise.
  /// - Throws: ``AcceptableUseError`` where two packs have one id: records could not tell their rules apart.
  public init(
    packs: [RulePack], classifier: LinearClassifier? = nil, encoder: EncoderTerms? = nil
  ) throws(AcceptableUseError) {
    var seen: Set<String> = [LinearClassifier.packID]
    for pack in packs where !seen.insert(pack.id).inserted {
      throw AcceptableUseError(message: "two rule packs have the id '\(pack.id)'; remove one of them")
    }
    self.init(compiling: packs, classifier: classifier, encoder: encoder)
  }

  init(compiling packs: [RulePack], classifier: LinearClassifier? = nil, encoder: EncoderTerms? = nil) {
    self.packs = packs
    self.encoder = encoder
    self.classifier = classifier
    let terms = ClassifierTerms(mode: .annotate, threshold: classifier?.threshold ?? 1_000_000)
    self.prompt = DirectedRules(CompiledRules(packs, direction: .prompt), terms)
    self.response = DirectedRules(CompiledRules(packs, direction: .response), terms)
    // Few packs have rules for system prompts alone; without any the prompt's are the same.
    let hasOwn = packs.contains { $0.rules.contains { $0.directions.contains(.system) } }
    self.system = hasOwn ? DirectedRules(CompiledRules(packs, direction: .system), terms) : self.prompt
  }

  /// The term file whose uses the findings of a pack, or of the classifier, name.
  public func policy(ofPack id: String) -> TermFileID? {
    if id == LinearClassifier.packID { return self.classifier?.policy }
    return self.packs.first { $0.id == id }?.policy
  }

  /// The same policy for someone whom other evidence permits `uses`: enforced rules that name no other use only annotate.
  /// O(rules); nothing is compiled again.
  public func permitting(_ uses: Set<ProhibitedUseID>) -> AcceptableUsePolicy {
    var copy = self
    copy.prompt.permit(uses)
    copy.response.permit(uses)
    copy.system.permit(uses)
    return copy
  }

  /// The same policy with the modes that an operator set: for single uses, and for the classifier. O(rules).
  public func applying(_ settings: PolicySettings) -> AcceptableUsePolicy {
    var copy = self
    copy.prompt.apply(settings)
    copy.response.apply(settings)
    copy.system.apply(settings)
    return copy
  }

  /// Runs everything of the direction over a whole text. O(bytes) time; memory bounded by the rules, not by the text.
  public func assess(_ text: String, direction: TextDirection) -> Assessment {
    var scanner = self.scanner(direction)
    return scanner.assess(text)
  }

  /// A scanner for many texts, one after the other, which allocates nothing for a text that has no findings.
  public func scanner(_ direction: TextDirection) -> TextScanner {
    let rules = self.rules(direction)
    return TextScanner(
      rules,
      TextScan(rules.compiled, modes: rules.modes, classifier: self.classifier, threshold: self.headThreshold(rules)))
  }

  /// A guard for one stream of generated text.
  ///
  /// - Parameters:
  ///   - maximumHold: How many bytes may be held back at most, see ``StreamGuard``.
  ///   - waitsForMore: Whether the text waits as `hold` says for a detector that the guard does not know, too.
  public func streamGuard(
    maximumHold: Int = StreamGuard.defaultHold, hold: StreamHold = .live, waitsForMore: Bool = false
  ) -> StreamGuard {
    StreamGuard(self.response, classifier: self.classifier, hold: hold, waitsForMore: waitsForMore, maximumHold: maximumHold)
  }

  /// From which score on it is asked which use a text is: where the encoder is in doubt too, as what it should have decided must have a name.
  private func headThreshold(_ rules: DirectedRules) -> Int {
    guard let encoder, let classifier else { return rules.classifier.threshold }
    return min(rules.classifier.threshold, classifier.score(ofLogit: encoder.band.lowerBound))
  }

  func rules(_ direction: TextDirection) -> DirectedRules {
    switch direction {
    case .prompt: self.prompt
    case .response: self.response
    case .system: self.system
    }
  }
}

extension AcceptableUsePolicy {
  /// Every rule, as `pack/rule`.
  public var ruleNames: Set<String> { Set(self.packs.flatMap { pack in pack.rules.map { "\(pack.id)/\($0.id)" } }) }

  /// Uses that some rule or the classifier looks for.
  public var uses: Set<ProhibitedUseID> {
    self.packs.reduce(into: Set(self.classifier?.heads.compactMap(\.use) ?? [])) { $0.formUnion($1.uses) }
  }

  /// What is in mode enforce in any direction: rules as `pack/rule`, the classifier by ``LinearClassifier/packID``, each with its uses.
  public var enforced: [String: Set<ProhibitedUseID>] {
    var found: [String: Set<ProhibitedUseID>] = [:]
    for direction in TextDirection.allCases {
      let directed = self.rules(direction)
      for (rule, mode) in zip(directed.compiled.rules, directed.modes) where mode == .enforce {
        found["\(rule.packID)/\(rule.id)"] = Set(rule.uses)
      }
    }
    if let classifier, self.prompt.classifier.mode == .enforce {
      found[LinearClassifier.packID] = Set(classifier.heads.compactMap(\.use))
    }
    return found
  }
}

/// Takes texts one after the other with the memory of the first.
public struct TextScanner: Sendable {
  private let rules: DirectedRules
  private var scan: TextScan

  init(_ rules: DirectedRules, _ scan: TextScan) {
    self.rules = rules
    self.scan = scan
  }

  /// O(bytes) time. Allocates only where an encoded run was decoded or something was found.
  public mutating func assess(_ text: String) -> Assessment {
    self.scan.reset()
    self.scan.feed(text)
    self.scan.finish()
    return Assessment(self.scan, self.rules)
  }
}

/// The rules of one direction with the modes in force.
struct DirectedRules: Sendable {
  let compiled: CompiledRules
  private(set) var modes: [RuleMode]
  private(set) var classifier: ClassifierTerms
  private(set) var permitted: Set<ProhibitedUseID> = []

  init(_ compiled: CompiledRules, _ classifier: ClassifierTerms) {
    self.compiled = compiled
    self.modes = compiled.modes
    self.classifier = classifier
  }

  mutating func permit(_ uses: Set<ProhibitedUseID>) {
    self.permitted.formUnion(uses)
    for (index, rule) in self.compiled.rules.enumerated() where self.modes[index] == .enforce {
      if uses.isSuperset(of: rule.uses) { self.modes[index] = .annotate }
    }
  }

  mutating func apply(_ settings: PolicySettings) {
    if let classifier = settings.classifier { self.classifier = classifier }
    for (index, rule) in self.compiled.rules.enumerated() {
      if let mode = settings.mode(ofRule: rule.id, pack: rule.packID, uses: rule.uses, shipped: self.modes[index]) {
        self.modes[index] = mode
      }
    }
  }
}

/// Packs, settings or weights that cannot be in force.
public struct AcceptableUseError: Error, Sendable, Equatable, CustomStringConvertible {
  public var message: String
  public var description: String { self.message }

  public init(message: String) { self.message = message }
}
