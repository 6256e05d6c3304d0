// Audience: distinct end users per calendar month and scope, and the caps on them.
// Holds exact sets of keyed fingerprints, mergeable sketches and bitmaps with stated errors, caps, thresholds and forecasts.
// It must never see an end user's id: only fingerprints made under a key that it does not have.

public import GovernanceTypes

/// An end user of a month, as the first eight bytes of a keyed hash; the key changes every month.
public struct UserFingerprint: Hashable, Sendable {
  public let value: UInt64

  public init(_ value: UInt64) { self.value = value }

  public init(_ digest: Digest) {
    self.value = digest.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}

/// What users are counted by: a customer, a key, a license, or the operator as a whole.
///
/// A scope is looked up several times for each call, so its name is hashed once.
public struct AudienceScope: Hashable, Sendable {
  public let name: String
  private let hash: Int

  public init(_ name: String) {
    self.name = name
    self.hash = name.hashValue
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(self.hash) }

  public static func == (left: Self, right: Self) -> Bool { left.hash == right.hash && left.name == right.name }
}

/// Distinct counts per month and scope: exact while small, or while a cap of affordable size is on the scope; then sketches.
///
/// A cap refuses users who are new to the scope in the month, never those already counted. It does so from where the upper bound
/// of the count has come to the cap, and exactly at the cap while the count is exact.
///
/// A sketch cannot tell all users apart: a user whose adding would not change it counts as known and is served. At a cap that
/// only a sketch watches, most users who are new in truth are therefore not refused (``UserSketch/chanceNewUserShows`` is the
/// share that is). So a scope with a cap stays exact up to the cap, or up to ``Limits/exactUnderCap`` if the cap is higher; tell
/// the caps by ``expect(_:)`` before putting users back after a start.
///
/// What a log of the users called new would restore is the same, bit for bit: those not called new change nothing.
public struct ActiveUsers: Sendable {
  /// What bounds the memory of one scope and month.
  public struct Limits: Sendable, Equatable {
    /// Users up to which any scope is exact.
    public var exact: Int
    /// Users up to which a scope with a cap is exact: some 16 to 24 MiB for the default.
    public var exactUnderCap: Int

    public init(exact: Int = UserSketch.usualExactLimit, exactUnderCap: Int = 1 << 20) {
      self.exact = exact
      self.exactUnderCap = exactUnderCap
    }
  }

  public let limits: Limits
  /// One for each month counted: two or three, in no order.
  private var months: [MonthCounts] = []
  private var exact: ExactLimits

  public init() { self.init(limits: Limits()) }

  public init(limits: Limits) {
    self.limits = limits
    self.exact = ExactLimits(usual: limits.exact)
  }

  public enum Outcome: Sendable, Equatable {
    /// The scopes in which the user is new this month.
    case counted(newIn: [AudienceScope])
    case refused(AudienceCap)
  }

  /// Counts a user in all scopes, or in none if the user is new to a scope whose cap is or may be reached. O(1) per scope and
  /// cap.
  ///
  /// - Parameter isAnonymous: Whether the call named no end user, and `user` stands for the key.
  public mutating func count(
    _ user: UserFingerprint, in scopes: [AudienceScope], caps: [AudienceCap], month: CalendarMonth, isAnonymous: Bool = false
  ) -> Outcome {
    self.expect(caps)
    let index = self.index(of: month)
    for cap in caps where self.months[index].refuses(user, at: cap) { return .refused(cap) }
    var fresh: [AudienceScope] = []
    let exact = self.exact
    for scope in scopes where self.months[index].insert(user, in: scope, exact) { fresh.append(scope) }
    if isAnonymous {
      for scope in scopes { self.restoreAnonymous(key: user, calls: 1, in: scope, month: month) }
    }
    return .counted(newIn: fresh)
  }

  /// Keeps the scopes of these caps exact for as long as the limits allow. A scope that is a sketch already stays one.
  public mutating func expect(_ caps: [AudienceCap]) {
    for cap in caps {
      let wanted = min(cap.atMost, self.limits.exactUnderCap)
      guard wanted > self.limits.exact, wanted > self.exact.underCaps[cap.scope] ?? 0 else { continue }
      self.exact.underCaps[cap.scope] = wanted
      for index in self.months.indices where self.months[index][cap.scope] != nil {
        self.months[index].update(cap.scope, self.exact) { $0.users.stayExact(upTo: wanted) }
      }
    }
  }

  /// Puts back a user counted earlier. Returns whether the user is new to the scope.
  @discardableResult
  public mutating func insert(_ user: UserFingerprint, in scope: AudienceScope, month: CalendarMonth) -> Bool {
    self.update(scope, month) { $0.users.insert(user) }
  }

  /// Takes a user out again whose counting could not be made durable. A sketch keeps the user: see ``UserSketch/remove(_:)``.
  public mutating func remove(_ user: UserFingerprint, from scope: AudienceScope, month: CalendarMonth) {
    guard self.contains(user, in: scope, month: month) else { return }
    self.update(scope, month) { _ = $0.users.remove(user) }
  }

  public func contains(_ user: UserFingerprint, in scope: AudienceScope, month: CalendarMonth) -> Bool {
    self.count(scope, month)?.users.contains(user) ?? false
  }

  /// The number of users: exact, or the most likely.
  public func total(_ scope: AudienceScope, month: CalendarMonth) -> Int { self.estimate(scope, month: month).users }

  public func estimate(_ scope: AudienceScope, month: CalendarMonth) -> AudienceEstimate {
    self.count(scope, month)?.users.estimate ?? .none
  }

  /// The users of a scope as they are kept: exactly, or as a sketch; nil where none was counted.
  public func users(_ scope: AudienceScope, month: CalendarMonth) -> UserSketch? { self.count(scope, month)?.users }

  public func state(of cap: AudienceCap, month: CalendarMonth) -> CapState {
    CapState(of: self.estimate(cap.scope, month: month), against: cap)
  }

  /// All scopes counted in a month, with their totals.
  public func totals(month: CalendarMonth) -> [(scope: AudienceScope, users: Int)] {
    self.estimates(month: month).map { ($0.scope, $0.estimate.users) }
  }

  /// All scopes counted in a month, by name.
  public func estimates(month: CalendarMonth) -> [(scope: AudienceScope, estimate: AudienceEstimate)] {
    let scopes = self.months.first { $0.month == month }?.scopes.sorted { $0.name < $1.name } ?? []
    return scopes.map { ($0, self.estimate($0, month: month)) }
  }

  /// Lets go of months before the one given. Their keys are the caller's to destroy.
  public mutating func forget(before month: CalendarMonth) {
    self.months.removeAll { $0.month < month }
  }

  private func count(_ scope: AudienceScope, _ month: CalendarMonth) -> ScopeCount? {
    self.months.first { $0.month == month }?[scope]
  }

  /// Changes a scope's count, which is empty if there was none.
  private mutating func update<Result>(
    _ scope: AudienceScope, _ month: CalendarMonth, _ change: (inout ScopeCount) -> Result
  ) -> Result {
    let index = self.index(of: month)
    return self.months[index].update(scope, self.exact, change)
  }

  /// The place of a month's counts, which are empty if there were none.
  private mutating func index(of month: CalendarMonth) -> Int {
    if let known = self.months.firstIndex(where: { $0.month == month }) { return known }
    self.months.append(MonthCounts(month: month))
    return self.months.count - 1
  }
}

// Several scopes, several nodes.
extension ActiveUsers {
  /// The users of a scope, to store, to digest and to send to other nodes.
  public func sketch(_ scope: AudienceScope, month: CalendarMonth) -> UserSketch? { self.count(scope, month)?.users }

  /// The users of several scopes, each counted once: a group of affiliates. A user is one user in two scopes if the fingerprint
  /// is the same in both.
  public func union(of scopes: [AudienceScope], month: CalendarMonth) -> UserSketch? {
    UserSketch.union(of: scopes.compactMap { self.sketch($0, month: month) })
  }

  /// Adds the users whom another node counted.
  public mutating func merge(_ sketch: UserSketch, into scope: AudienceScope, month: CalendarMonth) {
    self.update(scope, month) { $0.users.merge(sketch) }
  }
}

// Calls that named no end user.
extension ActiveUsers {
  /// Adds anonymous calls of a key to a scope's record of them, not to its users.
  public mutating func restoreAnonymous(key: UserFingerprint, calls: Int, in scope: AudienceScope, month: CalendarMonth) {
    self.update(scope, month) { count in
      count.anonymousKeys.insert(key)
      count.anonymousCalls = min(AudienceEstimate.largest, count.anonymousCalls + max(0, min(calls, AudienceEstimate.largest)))
    }
  }

  public func anonymous(_ scope: AudienceScope, month: CalendarMonth) -> AnonymousCalls {
    guard let count = self.count(scope, month) else { return .none }
    return AnonymousCalls(keys: count.anonymousKeys.estimate, calls: count.anonymousCalls)
  }

  /// The users of a scope, anonymous ones counted by key at the least and by call at the most.
  public func range(_ scope: AudienceScope, month: CalendarMonth) -> AudienceRange {
    AudienceRange(users: self.estimate(scope, month: month), anonymous: self.anonymous(scope, month: month))
  }
}
