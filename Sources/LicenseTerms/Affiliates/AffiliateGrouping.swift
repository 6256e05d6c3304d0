public import GovernanceTypes

/// Whom a number counts together with a party: the companies that one control ties to it, on one day.
public struct AffiliateGrouping: Sendable, Hashable {
  public let control: ControlRule
  /// The day of which the group counts; nil for the day of the question.
  public let asOf: CalendarDay?

  public init(control: ControlRule, asOf: CalendarDay? = nil) {
    self.control = control
    self.asOf = asOf
  }

  /// What makes an affiliate where no text says otherwise: more than half.
  public static let usual = AffiliateGrouping(control: .above(.half))
}

extension AffiliateGraph {
  /// The party first, then all that any of the groupings counts with it, sorted.
  public func group(of party: String, by groupings: [AffiliateGrouping], on day: CalendarDay) -> [String] {
    guard !self.edges.isEmpty else { return [party] }
    var others: Set<String> = []
    for grouping in groupings {
      others.formUnion(self.affiliates(of: party, at: grouping.asOf ?? day, control: grouping.control))
    }
    return [party] + others.sorted()
  }
}

extension TermFile {
  /// How the file draws the group that a number is about: by the control and the day of each threshold that reads it, as written or as
  /// the operator chose; more than half where the number includes affiliates and no threshold says when a company is one. None where
  /// the number is the party's alone.
  public func groupings(
    of fact: FactDeclaration, parameters: [String: ParameterValue] = [:]
  ) -> [AffiliateGrouping] {
    var groupings: [AffiliateGrouping] = []
    for item in self.groupThresholds where item.fact.key == fact.key {
      let grouping = AffiliateGrouping(
        control: item.threshold.control(of: self, parameters: parameters) ?? AffiliateGrouping.usual.control,
        asOf: item.threshold.entitiesAsOf)
      if !groupings.contains(grouping) { groupings.append(grouping) }
    }
    guard groupings.isEmpty, fact.subject == .partyAndAffiliates else { return groupings }
    return [.usual]
  }

  /// Every way in which the file draws a group.
  public func groupings(parameters: [String: ParameterValue] = [:]) -> [AffiliateGrouping] {
    Set(self.facts.flatMap { self.groupings(of: $0, parameters: parameters) }).sorted { "\($0)" < "\($1)" }
  }
}
