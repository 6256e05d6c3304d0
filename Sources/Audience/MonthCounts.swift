internal import GovernanceTypes

/// What is counted of one scope in one month.
struct ScopeCount: Sendable {
  var users: UserSketch
  var anonymousKeys = UserSketch()
  var anonymousCalls = 0

  init(exactUpTo limit: Int) { self.users = UserSketch(exactUpTo: limit) }
}

/// Users up to which scopes are exact.
struct ExactLimits: Sendable {
  let usual: Int
  /// Of scopes with caps.
  var underCaps: [AudienceScope: Int] = [:]

  init(usual: Int) { self.usual = usual }

  func limit(of scope: AudienceScope) -> Int { self.underCaps[scope] ?? self.usual }
}

/// The counts of one month by scope. They lie in an array, so that they change in place after one look-up of the scope.
struct MonthCounts: Sendable {
  let month: CalendarMonth
  private var places: [AudienceScope: Int] = [:]
  private var counts: [ScopeCount] = []

  init(month: CalendarMonth) { self.month = month }

  var scopes: some Collection<AudienceScope> { self.places.keys }

  subscript(scope: AudienceScope) -> ScopeCount? { self.places[scope].map { self.counts[$0] } }

  /// Changes a scope's count, which is empty if there was none, and then exact as far as its limit.
  mutating func update<Result>(
    _ scope: AudienceScope, _ exact: ExactLimits, _ change: (inout ScopeCount) -> Result
  ) -> Result {
    if let place = self.places[scope] { return change(&self.counts[place]) }
    self.places[scope] = self.counts.count
    self.counts.append(ScopeCount(exactUpTo: exact.limit(of: scope)))
    return change(&self.counts[self.counts.count - 1])
  }

  /// Adds a user to a scope. Returns whether the user is new to it. One look-up of the scope.
  mutating func insert(_ user: UserFingerprint, in scope: AudienceScope, _ exact: ExactLimits) -> Bool {
    self.update(scope, exact) { $0.users.insert(user) }
  }

  /// Whether a user who is new to the scope of a cap is turned away. One look-up of the scope.
  func refuses(_ user: UserFingerprint, at cap: AudienceCap) -> Bool {
    guard let place = self.places[cap.scope] else { return CapState(of: .none, against: cap).refusesNewUsers }
    // The estimate first costs more than it saves: most users are known, and a known user is never turned away.
    if self.counts[place].users.contains(user) { return false }
    return CapState(of: self.counts[place].users.estimate, against: cap).refusesNewUsers
  }
}
