// Audience: distinct end users per calendar month and scope, and the caps on them.
// Holds exact sets of keyed fingerprints; a cap refuses users who are new in the month, never those already counted.
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
public struct AudienceScope: Hashable, Sendable {
  public let name: String

  public init(_ name: String) { self.name = name }
}

/// A cap on the users of a scope in a month.
public struct AudienceCap: Sendable, Equatable {
  public let scope: AudienceScope
  public let atMost: Int

  public init(scope: AudienceScope, atMost: Int) {
    self.scope = scope
    self.atMost = atMost
  }
}

/// Exact distinct counts. O(1) per request and scope; eight bytes and a hash slot per user and scope.
public struct ActiveUsers: Sendable {
  private var users: [CalendarMonth: [AudienceScope: Set<UserFingerprint>]] = [:]

  public init() {}

  public enum Outcome: Sendable, Equatable {
    /// The scopes in which the user is new this month.
    case counted(newIn: [AudienceScope])
    case refused(AudienceCap)
  }

  /// Counts a user in all scopes, or in none if the user is new to a scope whose cap is reached.
  public mutating func count(
    _ user: UserFingerprint, in scopes: [AudienceScope], caps: [AudienceCap], month: CalendarMonth
  ) -> Outcome {
    for cap in caps where !self.contains(user, in: cap.scope, month: month) && self.total(cap.scope, month: month) >= cap.atMost {
      return .refused(cap)
    }
    let fresh = scopes.filter { self.insert(user, in: $0, month: month) }
    return .counted(newIn: fresh)
  }

  /// Puts back a user counted earlier. Returns whether the user is new to the scope.
  @discardableResult
  public mutating func insert(_ user: UserFingerprint, in scope: AudienceScope, month: CalendarMonth) -> Bool {
    self.users[month, default: [:]][scope, default: []].insert(user).inserted
  }

  /// Takes a user out again whose counting could not be made durable.
  public mutating func remove(_ user: UserFingerprint, from scope: AudienceScope, month: CalendarMonth) {
    self.users[month]?[scope]?.remove(user)
  }

  public func contains(_ user: UserFingerprint, in scope: AudienceScope, month: CalendarMonth) -> Bool {
    self.users[month]?[scope]?.contains(user) ?? false
  }

  public func total(_ scope: AudienceScope, month: CalendarMonth) -> Int { self.users[month]?[scope]?.count ?? 0 }

  /// All scopes counted in a month, with their totals.
  public func totals(month: CalendarMonth) -> [(scope: AudienceScope, users: Int)] {
    (self.users[month] ?? [:]).map { ($0.key, $0.value.count) }.sorted { $0.scope.name < $1.scope.name }
  }

  /// Lets go of months before the one given.
  public mutating func forget(before month: CalendarMonth) {
    self.users = self.users.filter { $0.key >= month }
  }
}
