import GovernanceTypes

/// What a gateway can count of a number that a license asks for. Users of whom it knows nothing are not in it, so a count is a lower
/// bound: it can refute a statement, never replace one.
public enum Measure: Sendable, Hashable {
  /// Distinct users of a calendar month in UTC.
  case usersOfMonths
  /// Distinct users of a day in UTC; of a fact stated by the month, those of its busiest day.
  case usersOfDays
}

extension TermFile {
  /// What can be counted of a fact; nil where nothing can, so that only a statement supplies it.
  ///
  /// Not counted are amounts; a number of one product, since a user here may be another product's; a number of a past month that the
  /// license fixes; and one whose months or days begin in another zone than UTC.
  public func measure(of fact: FactDeclaration, parameters: [String: ParameterValue] = [:]) -> Measure? {
    guard fact.type == .count, fact.subject.isParty, fact.subject != .product, fact.accepts(.measured) else { return nil }
    guard fact.period == nil || self.zoneOffset(of: fact, parameters) == 0 else { return nil }
    let thresholds = self.clauses.flatMap { $0.predicates.flatMap(\.thresholds) }.filter { $0.fact == fact.key }
    let isCountable = thresholds.allSatisfy { threshold in
      !threshold.anchor.isFixed && self.text(of: threshold.products, parameters) != "any_one"
    }
    guard isCountable, let metric = thresholds.first?.metric, thresholds.allSatisfy({ $0.metric == metric }) else { return nil }
    switch (metric, fact.period) {
    case ("monthly_active_users", nil), ("monthly_active_users", .calendarMonth): return .usersOfMonths
    case ("daily_active_users", nil), ("daily_active_users", .calendarMonth), ("daily_active_users", .day): return .usersOfDays
    default: return nil
    }
  }
}
