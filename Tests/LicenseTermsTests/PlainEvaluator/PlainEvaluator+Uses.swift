import GovernanceTypes
import LicenseTerms

extension PlainEvaluator {
  /// Before a request the declared purposes count, at a request what was found and what was looked for.
  func uses(_ finding: inout Finding, _ clause: Clause, _ file: TermFile, _ party: Subject) {
    guard let forbids = clause.forbids else { return }
    let uses = forbids.uses.compactMap { id in file.uses.first { $0.id == id } }
    if self.request == nil {
      self.purposes(&finding, clause, file, party, uses)
      finding.isPending = finding.effect < .deny
      return
    }
    let found = self.set(forbids.findings, file, party)
    let checked = self.set(forbids.checked, file, party)
    self.judge(&finding, clause, file, party, uses.filter { self.isNamed($0, found ?? []) })
    guard finding.effect < .deny, found == nil || checked != nil else { return }
    let unchecked = uses.filter { use in
      !use.isParent && !Set(use.seen).isDisjoint(with: ["classifier", "rule", "pattern", "system-prompt"])
        && (found == nil || !self.isNamed(use, checked ?? []))
    }
    guard !unchecked.isEmpty else { return }
    let isCritical = unchecked.contains { $0.severity == .critical }
    let effect = isCritical ? max(clause.onUnknown, clause.onUnknownCritical) : clause.onUnknown
    if effect > finding.effect { (finding.truth, finding.state, finding.effect) = (.unknown, .missing, effect) }
  }

  private func isNamed(_ use: TermFile.Use, _ names: [String]) -> Bool { names.contains(use.id) || names.contains(use.category) }

  private func set(_ key: String?, _ file: TermFile, _ party: Subject) -> [String]? {
    guard let fact = file.facts.first(where: { $0.key == key }), case .known(.set(let values)) = self.reading(fact, file, party)
    else { return nil }
    return values
  }

  private func purposes(
    _ finding: inout Finding, _ clause: Clause, _ file: TermFile, _ party: Subject, _ uses: [TermFile.Use]
  ) {
    guard let fact = file.facts.first(where: { $0.key == clause.forbids?.purposes }) else { return }
    switch self.reading(fact, file, party) {
    case .known(.set(let purposes)):
      self.judge(&finding, clause, file, party, uses.filter { self.isNamed($0, purposes) })
    case .unknown(let state):
      (finding.truth, finding.state, finding.effect) = (.unknown, state, clause.onUnknown)
      if finding.effect >= .requireRecord {
        finding.missing = [
          file.externalKey(for: fact, at: self.question.time, parameters: self.question.parameters[file.id] ?? [:])
        ]
      }
    case .known, .contradicted: break
    }
  }

  /// One use that nothing makes lawful forbids; one of which that is not known asks.
  private func judge(_ finding: inout Finding, _ clause: Clause, _ file: TermFile, _ party: Subject, _ hits: [TermFile.Use]) {
    var asked: [(key: String, state: ClauseState)] = []
    for use in hits.sorted(by: { ($0.severity == .critical ? 0 : 1, $0.id) < ($1.severity == .critical ? 0 : 1, $1.id) }) {
      let clearance = use.clearedBy.map {
        self.value(of: .fact($0, .isOneOf([.bool(true)])), file, party, wanted: true)
      }
      switch clearance?.truth ?? .false {
      case .true: break
      case .false:
        (finding.truth, finding.state, finding.effect, finding.missing) = (.false, .violated, clause.onTrue, [])
        return
      case .unknown:
        for item in clearance?.unknown ?? [] where !asked.contains(where: { $0.key == item.key }) {
          asked.append((item.key, item.state))
        }
      }
    }
    guard let first = asked.first else { return }
    (finding.truth, finding.state, finding.effect) = (.unknown, first.state, max(.requireRecord, clause.onUnknown))
    finding.missing = asked.map(\.key).sorted()
  }
}
