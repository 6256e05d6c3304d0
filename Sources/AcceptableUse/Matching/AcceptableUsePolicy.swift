/// The rule packs in force, compiled for both directions; assesses texts and guards streams.
public struct AcceptableUsePolicy: Sendable {
  private var prompt: DirectedRules
  private var response: DirectedRules
  /// The packs, as given.
  public let packs: [RulePack]

  /// With no pack at all nothing is ever flagged; whether that may be is for the caller to refuse.
  ///
  /// - Throws: ``AcceptableUseError`` where two packs have one id: records could not tell their rules apart.
  public init(packs: [RulePack]) throws(AcceptableUseError) {
    var seen: Set<String> = []
    for pack in packs where !seen.insert(pack.id).inserted {
      throw AcceptableUseError(message: "two rule packs have the id '\(pack.id)'; remove one of them")
    }
    self.init(compiling: packs)
  }

  init(compiling packs: [RulePack]) {
    self.packs = packs
    self.prompt = DirectedRules(CompiledRules(packs, direction: .prompt))
    self.response = DirectedRules(CompiledRules(packs, direction: .response))
  }

  /// The same policy for someone whom other evidence permits `uses`: enforced rules that name no other use only annotate.
  /// O(rules); nothing is compiled again.
  public func permitting(_ uses: Set<ProhibitedUseID>) -> AcceptableUsePolicy {
    var copy = self
    copy.prompt.permit(uses)
    copy.response.permit(uses)
    return copy
  }

  /// Runs all rules of the direction over a whole text. O(bytes) time; memory bounded by the rules, not by the text.
  public func assess(_ text: String, direction: TextDirection) -> Assessment {
    let rules =
      switch direction {
      case .prompt: self.prompt
      case .response: self.response
      }
    var scan = TextScan(rules.compiled, modes: rules.modes)
    for scalar in text.unicodeScalars { scan.feed(scalar) }
    scan.finish()
    return Assessment(scan, rules.compiled, rules.modes)
  }

  /// A guard for one stream of generated text.
  ///
  /// - Parameter maximumHold: How many bytes may be held back at most, see ``StreamGuard``.
  public func streamGuard(maximumHold: Int = StreamGuard.defaultHold) -> StreamGuard {
    StreamGuard(self.response.compiled, modes: self.response.modes, maximumHold: maximumHold)
  }
}

/// The rules of one direction with the modes in force.
private struct DirectedRules: Sendable {
  let compiled: CompiledRules
  private(set) var modes: [RuleMode]

  init(_ compiled: CompiledRules) {
    self.compiled = compiled
    self.modes = compiled.modes
  }

  mutating func permit(_ uses: Set<ProhibitedUseID>) {
    for (index, rule) in self.compiled.rules.enumerated() where self.modes[index] == .enforce {
      if uses.isSuperset(of: rule.uses) { self.modes[index] = .annotate }
    }
  }
}

/// Packs that cannot be in force together.
public struct AcceptableUseError: Error, Sendable, Equatable, CustomStringConvertible {
  public var message: String
  public var description: String { self.message }

  public init(message: String) { self.message = message }
}

extension Assessment {
  init(_ scan: TextScan, _ rules: CompiledRules, _ modes: [RuleMode]) {
    let found = scan.hits
    self.flagged = scan.isFlagged
    self.transforms = scan.transforms
    self.scannedBytes = scan.position
    self.rules = []
    self.uses = []
    self.score = 0
    guard !found.isEmpty else { return }
    // Enforced rules first where the record cannot hold all: what flagged the text must be in it.
    let enforced = found.filter { modes[$0.rule] == .enforce }
    let kept = found.count <= Self.hitLimit ? found : enforced + found.filter { modes[$0.rule] != .enforce }
    self.rules = kept.prefix(Self.hitLimit).map { RuleHit($0, rules.rules[$0.rule], modes[$0.rule]) }
    self.uses = UseFinding.findings(of: found.map { rules.rules[$0.rule] })
    self.score = self.uses.map(\.score).max() ?? 0
  }
}

extension RuleHit {
  init(_ found: RuleMatcher.FoundRule, _ rule: CompiledRules.Rule, _ mode: RuleMode) {
    self.init(
      packID: rule.packID, packDigest: rule.packDigest, ruleID: rule.id, uses: rule.uses, mode: mode, severity: rule.severity,
      score: rule.score, spanOffset: found.offset, spanLength: found.end - found.offset)
  }
}

extension UseFinding {
  static func findings(of rules: [CompiledRules.Rule]) -> [UseFinding] {
    var findings: [ProhibitedUseID: UseFinding] = [:]
    for rule in rules {
      for use in rule.uses {
        var finding = findings[use] ?? UseFinding(id: use, score: 0, severity: rule.severity)
        finding.score = 1000 - (1000 - finding.score) * (1000 - rule.score) / 1000
        finding.severity = max(finding.severity, rule.severity)
        findings[use] = finding
      }
    }
    return findings.values.sorted { $0.id < $1.id }
  }
}
