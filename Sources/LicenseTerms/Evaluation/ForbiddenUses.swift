import GovernanceTypes

extension EvaluationContext {
  /// A prohibition of uses: before a request by the party's declared purposes, at a request by what was found in it.
  func forbiddenUses(_ resolved: ResolvedClause) -> ClauseOutcome {
    var outcome = ClauseOutcome(resolved)
    if self.request == nil { self.purposes(&outcome) } else { self.findings(&outcome) }
    outcome.isPending = self.request == nil && outcome.effect < .deny
    self.carryDuties(&outcome)
    return outcome
  }

  private func purposes(_ outcome: inout ClauseOutcome) {
    guard let place = outcome.resolved.purposes else { return }
    let reading = self.reading(place)
    outcome.evidence.note(reading)
    guard case .set(let purposes)? = reading.value else {
      outcome.truth = .unknown
      outcome.state = reading.unknownState
      outcome.effect = outcome.clause.onUnknown
      let leaf = Leaf(place: place, state: outcome.state, test: .purposes, wanted: true)
      outcome.evidence.unknowns = [leaf]
      if outcome.effect >= .requireRecord { outcome.wanting = [leaf] }
      return
    }
    self.judge(&outcome, named: purposes)
  }

  private func findings(_ outcome: inout ClauseOutcome) {
    let resolved = outcome.resolved
    let found = self.set(resolved.findings, &outcome.evidence)
    let checked = self.set(resolved.checked, &outcome.evidence)
    self.judge(&outcome, named: found ?? [])
    guard outcome.effect < .deny, found == nil || checked != nil else { return }
    let unchecked = resolved.uses.lazy.map(\.use).filter { use in
      use.isSeenInText && (found == nil || !use.isNamed(in: checked ?? []))
    }
    guard unchecked.first != nil else { return }
    let critical = unchecked.first { $0.severity == .critical }
    let clause = resolved.clause
    let effect = critical == nil ? clause.onUnknown : max(clause.onUnknown, clause.onUnknownCritical)
    guard effect > outcome.effect else { return }
    outcome.truth = .unknown
    outcome.state = .missing
    outcome.effect = effect
    outcome.because = critical?.id
  }

  private func set(_ place: Int?, _ evidence: inout Evidence) -> [String]? {
    guard let place else { return nil }
    let reading = self.reading(place)
    evidence.note(reading)
    if case .set(let values)? = reading.value { return values }
    return nil
  }

  /// Each use is forbidden unless a fact of the party makes it lawful for it.
  private func judge(_ outcome: inout ClauseOutcome, named names: [String]) {
    guard !names.isEmpty else { return }
    let hits = outcome.resolved.uses.filter { $0.use.isNamed(in: names) }
    for hit in hits.sorted(by: { $0.use.comesBefore($1.use) }) {
      let clearance = hit.clearedBy.map { self.evaluate($0, wanted: true, &outcome.evidence) } ?? .false
      switch clearance {
      case .true: outcome.because = outcome.because ?? hit.use.clearedBy
      case .false: outcome.forbid(hit.use)
      case .unknown: outcome.askClearance(of: hit.use)
      }
    }
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
    self.wanting += self.evidence.unknowns.filter { leaf in !self.wanting.contains { $0.place == leaf.place } }
    if self.truth == .true { self.because = use.id }
    self.truth = .unknown
    self.state = self.wanting.first?.state ?? .missing
    self.effect = max(.requireRecord, self.clause.onUnknown)
  }
}

extension TermFile.Use {
  /// Critical uses first, then by id.
  fileprivate func comesBefore(_ other: TermFile.Use) -> Bool {
    (self.severity == .critical ? 0 : 1, self.id) < (other.severity == .critical ? 0 : 1, other.id)
  }

  /// Named by id or by category.
  func isNamed(in names: [String]) -> Bool { names.contains(self.id) || names.contains(self.category) }

  /// Something that looks at texts can see it.
  var isSeenInText: Bool {
    !self.isParent && self.seen.contains { ["classifier", "rule", "pattern", "system-prompt"].contains($0) }
  }
}
