internal import GovernanceTypes

extension Assessment {
  init(_ scan: TextScan, _ directed: DirectedRules) {
    let rules = directed.compiled
    let modes = directed.modes
    let found = scan.hits
    self.flagged = scan.isFlagged
    self.transforms = scan.transforms
    self.scannedBytes = scan.position
    self.classifier = scan.finding
    self.rules = []
    self.uses = []
    self.probability = self.classifier?.score ?? 0
    if !found.isEmpty {
      // Enforced rules first where the record cannot hold all: what flagged the text must be in it.
      let enforced = found.filter { modes[$0.rule] == .enforce }
      let kept = found.count <= Self.hitLimit ? found : enforced + found.filter { modes[$0.rule] != .enforce }
      self.rules = kept.prefix(Self.hitLimit).map { RuleHit($0, rules.rules[$0.rule], modes[$0.rule]) }
      self.uses = UseFinding.findings(of: found.map { rules.rules[$0.rule] })
      self.probability = (self.uses.map(\.score).max() ?? 0) * 1000
    }
    guard let classifier = scan.classifier, let finding = self.classifier else { return }
    if !found.isEmpty { self.probability = classifier.union(finding, ruleScore: self.probability / 1000) }
    if finding.score >= directed.classifier.threshold { self.add(finding, of: classifier, directed) }
  }

  /// Puts another finding of the classifier in place of its own.
  mutating func replace(_ finding: ClassifierFinding, of classifier: LinearClassifier, _ directed: DirectedRules) {
    self.rules.removeAll { $0.packID == LinearClassifier.packID }
    self.uses = UseFinding.findings(of: self.rules)
    self.flagged = self.rules.contains { $0.mode == .enforce }
    self.classifier = finding
    self.probability = classifier.union(finding, ruleScore: self.uses.map(\.score).max() ?? 0)
    if finding.score >= directed.classifier.threshold { self.add(finding, of: classifier, directed) }
  }

  /// The classifier's finding as hits like those of rules, one for each use it names.
  private mutating func add(_ finding: ClassifierFinding, of classifier: LinearClassifier, _ directed: DirectedRules) {
    for (use, share) in classifier.uses(of: finding) {
      let mode = directed.classifier.mode == .enforce && directed.permitted.contains(use) ? .annotate : directed.classifier.mode
      let score = max(1, finding.score / 1000 * share / 1_000_000)
      if self.rules.count < Self.hitLimit {
        self.rules.append(
          RuleHit(
            packID: LinearClassifier.packID, packDigest: classifier.digest, ruleID: use.name, uses: [use], mode: mode,
            severity: .medium, score: score, spanOffset: 0, spanLength: self.scannedBytes))
      }
      if mode == .enforce { self.flagged = true }
      if let index = self.uses.firstIndex(where: { $0.id == use }) {
        self.uses[index].score = 1000 - (1000 - self.uses[index].score) * (1000 - score) / 1000
      } else {
        self.uses.append(UseFinding(id: use, score: score, severity: .medium))
      }
    }
    self.uses.sort { $0.id < $1.id }
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
  static func findings(of hits: [RuleHit]) -> [UseFinding] {
    Self.findings(of: hits.map { (uses: $0.uses, severity: $0.severity, score: $0.score) })
  }

  static func findings(of rules: [CompiledRules.Rule]) -> [UseFinding] {
    Self.findings(of: rules.map { (uses: $0.uses, severity: $0.severity, score: $0.score) })
  }

  private static func findings(of rules: [(uses: [ProhibitedUseID], severity: FindingSeverity, score: Int)]) -> [UseFinding] {
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
