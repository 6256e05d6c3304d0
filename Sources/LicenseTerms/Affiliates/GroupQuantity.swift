public import GovernanceTypes

/// What is known of a number of a whole group, from what is known of its members.
///
/// Sum of the members' upper bounds is an upper bound of the group, since users in common are counted at most once for each
/// member; the greatest of the lower bounds is a lower bound. A member without an upper bound leaves the group without one.
public struct GroupQuantity: Sendable, Hashable {
  /// The party first, then its affiliates.
  public let members: [String]
  public let lower: Int128?
  /// Nil where some member's is unknown.
  public let upper: Int128?
  /// Members of whom no upper bound is known.
  public let unknown: [String]
  /// The records used.
  public let references: [String]
  /// The earliest instant at which the answer changes.
  public let until: Timestamp?

  /// Nil where nothing is known of anyone.
  public var value: FactValue? {
    self.lower == nil && self.upper == nil ? nil : .interval(lower: self.lower, upper: self.upper)
  }
}

extension AffiliateGraph {
  /// Rolls a count or an amount up over the party and its affiliates.
  ///
  /// `fact` is a declaration of `terms` of type count or money. Each member's own records answer, read as in a standing: the most
  /// recent that holds, measured lower bounds besides. The group is the one that `terms` draws, on the day of `time` or on the day
  /// that a threshold names. Nil where the fact is no quantity. O(group + records).
  public func rollUp(
    _ fact: FactDeclaration, of party: String, terms: TermFile, parameters: [String: ParameterValue] = [:],
    at time: Timestamp, facts: (String) -> FactSheet
  ) -> GroupQuantity? {
    guard fact.type == .count || fact.type == .money else { return nil }
    let members = self.group(of: party, by: terms.groupings(of: fact, parameters: parameters), on: time.day)
    let key = terms.externalKey(for: fact, at: time, parameters: parameters)
    let declared = DeclaredFact(fact, place: 0)
    var lower: Int128?
    var upper: Int128? = 0
    var unknown: [String] = []
    var references: [String] = []
    var until: Timestamp?
    for member in members {
      var reader = FactReader(declared, sheet: facts(member), documentsDigest: terms.documentsDigest, at: time)
      let reading = reader.read(key)
      if let end = reading.until { until = min(until ?? end, end) }
      if let reference = reading.record?.reference { references.append(reference) }
      let bounds = reading.bounds
      if let bound = bounds.lower { lower = max(lower ?? bound, bound) }
      guard let bound = bounds.upper else {
        unknown.append(member)
        upper = nil
        continue
      }
      upper = upper.flatMap { sum in
        let (total, overflow) = sum.addingReportingOverflow(bound)
        return overflow ? nil : total
      }
    }
    return GroupQuantity(
      members: members, lower: lower, upper: upper, unknown: unknown, references: references, until: until)
  }
}

extension FactReading {
  /// Of a contradicted number only what was measured counts.
  fileprivate var bounds: (lower: Int128?, upper: Int128?) {
    switch self.state {
    case .known(.interval(let lower, let upper)): (lower, upper)
    case .contradicted(measured: .interval(let lower, _)): (lower, nil)
    case .known, .contradicted, .missing, .expired, .deferred: (nil, nil)
    }
  }
}

extension Threshold {
  /// The rule of control that the threshold counts affiliates by: its own share or the operator's choice, `nil` where neither is
  /// a share from 0 to 1.
  public func control(of file: TermFile, parameters: [String: ParameterValue] = [:]) -> ControlRule? {
    if let setting = self.controlAtLeast {
      return ControlShare(file.text(of: setting, parameters)).map(ControlRule.atLeast)
    }
    guard let setting = self.controlOver else { return nil }
    return ControlShare(file.text(of: setting, parameters)).map(ControlRule.above)
  }

  /// Whether the numbers of affiliates count.
  public var countsAffiliates: Bool { self.entities.contains(.affiliates) }
}

extension TermFile {
  /// The thresholds that count affiliates, each with the fact it reads: what a change of the group makes to be asked anew.
  public var groupThresholds: [(fact: FactDeclaration, threshold: Threshold)] {
    self.clauses.flatMap { $0.predicates.flatMap(\.thresholds) }.filter(\.countsAffiliates).compactMap { threshold in
      self.factsByKey[threshold.fact].map { ($0, threshold) }
    }
  }
}
