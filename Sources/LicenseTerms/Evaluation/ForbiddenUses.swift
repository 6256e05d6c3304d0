import GovernanceTypes

extension EvaluationContext {
  /// A prohibition of uses: before a request by the party's declared purposes, at a request by what was found in it.
  func forbiddenUses(_ clause: Clause) -> ClauseOutcome {
    guard let forbids = clause.forbids else { return ClauseOutcome(clause) }
    var outcome = self.request == nil ? self.purposes(clause, forbids) : self.findings(clause, forbids)
    outcome.isPending = self.request == nil && outcome.effect < .deny
    outcome.duties = self.duties(of: clause, &outcome.evidence)
    return outcome
  }

  private func uses(_ forbids: Prohibition, named names: [String]) -> [TermFile.Use] {
    guard !names.isEmpty else { return [] }
    return forbids.uses.compactMap { self.file.usesByID[$0] }.filter { $0.isNamed(in: names) }
  }

  private func purposes(_ clause: Clause, _ forbids: Prohibition) -> ClauseOutcome {
    var outcome = ClauseOutcome(clause)
    guard let key = forbids.purposes, let declaration = self.file.factsByKey[key] else { return outcome }
    let reading = self.reading(declaration)
    outcome.evidence.note(reading)
    guard case .set(let purposes)? = reading.value else {
      outcome.truth = .unknown
      outcome.state = reading.unknownState
      outcome.effect = clause.onUnknown
      let leaf = Leaf(reading: reading, state: outcome.state, suitable: .set([]), values: [], threshold: nil)
      outcome.evidence.unknowns = [leaf]
      if outcome.effect >= .requireRecord { outcome.wanting = [leaf] }
      return outcome
    }
    return self.judged(outcome, self.uses(forbids, named: purposes))
  }

  private func findings(_ clause: Clause, _ forbids: Prohibition) -> ClauseOutcome {
    var outcome = ClauseOutcome(clause)
    let found = self.set(forbids.findings, &outcome.evidence)
    let checked = self.set(forbids.checked, &outcome.evidence)
    outcome = self.judged(outcome, self.uses(forbids, named: found ?? []))
    guard outcome.effect < .deny, found == nil || checked != nil else { return outcome }
    let unchecked = forbids.uses.compactMap { self.file.usesByID[$0] }.filter { use in
      use.isSeenInText && (found == nil || !use.isNamed(in: checked ?? []))
    }
    guard !unchecked.isEmpty else { return outcome }
    let critical = unchecked.first { $0.severity == .critical }
    let effect = critical == nil ? clause.onUnknown : max(clause.onUnknown, clause.onUnknownCritical)
    guard effect > outcome.effect else { return outcome }
    outcome.truth = .unknown
    outcome.state = .missing
    outcome.effect = effect
    outcome.because = critical?.id
    return outcome
  }

  private func set(_ key: String?, _ evidence: inout Evidence) -> [String]? {
    guard let key, let declaration = self.file.factsByKey[key] else { return nil }
    let reading = self.reading(declaration)
    evidence.note(reading)
    if case .set(let values)? = reading.value { return values }
    return nil
  }

  /// Each use is forbidden unless a fact of the party makes it lawful for it.
  private func judged(_ start: ClauseOutcome, _ hits: [TermFile.Use]) -> ClauseOutcome {
    var outcome = start
    for use in hits.sorted(by: { ($0.severity == .critical ? 0 : 1, $0.id) < ($1.severity == .critical ? 0 : 1, $1.id) }) {
      var clearance = Truth.false
      if let key = use.clearedBy {
        clearance = self.evaluate(.fact(key, .isOneOf([.bool(true)])), wanted: true, &outcome.evidence)
      }
      switch clearance {
      case .true: outcome.because = outcome.because ?? use.clearedBy
      case .false: outcome.forbid(use)
      case .unknown: outcome.askClearance(of: use)
      }
    }
    return outcome
  }
}

extension ClauseOutcome {
  fileprivate mutating func forbid(_ use: TermFile.Use) {
    self.findings.append(use)
    if self.truth != .false { self.because = use.id }
    self.truth = .false
    self.state = .violated
    self.effect = self.clause.onTrue
    self.wanting = []
  }

  /// A use that needs a record of the party is refused until there is one, whatever other unknowns do.
  fileprivate mutating func askClearance(of use: TermFile.Use) {
    guard self.truth != .false else { return }
    self.wanting += self.evidence.unknowns.filter { leaf in !self.wanting.contains { $0.reading.key == leaf.reading.key } }
    if self.truth == .true { self.because = use.id }
    self.truth = .unknown
    self.state = self.wanting.first?.state ?? .missing
    self.effect = max(.requireRecord, self.clause.onUnknown)
  }
}

extension TermFile.Use {
  /// Named by id or by category.
  func isNamed(in names: [String]) -> Bool { names.contains(self.id) || names.contains(self.category) }

  /// Something that looks at texts can see it.
  var isSeenInText: Bool {
    !self.isParent && self.seen.contains { ["classifier", "rule", "pattern", "system-prompt"].contains($0) }
  }
}
