internal import GovernanceTypes

/// What is counted of one scope in one month.
struct ScopeCount: Sendable {
  var users: UserSketch
  var anonymousKeys = UserSketch()
  var anonymousCalls = 0

  init(exactUpTo limit: Int) { self.users = UserSketch(exactUpTo: limit) }
}

/// The counts of one month by scope. They lie in an array, so that they change in place after one look-up of the scope.
struct MonthCounts: Sendable {
  let month: CalendarMonth
  private var places: [AudienceScope: Int] = [:]
  private var counts: [ScopeCount] = []

  init(month: CalendarMonth) { self.month = month }

  var scopes: some Collection<AudienceScope> { self.places.keys }

  subscript(scope: AudienceScope) -> ScopeCount? { self.places[scope].map { self.counts[$0] } }

  /// Changes a scope's count, which is empty, and exact up to `limit`, if there was none.
  mutating func update<Result>(
    _ scope: AudienceScope, exactUpTo limit: Int, _ change: (inout ScopeCount) -> Result
  ) -> Result {
    let known = self.places[scope]
    let place = known ?? self.counts.count
    if known == nil {
      self.places[scope] = place
      self.counts.append(ScopeCount(exactUpTo: limit))
    }
    return change(&self.counts[place])
  }
}
