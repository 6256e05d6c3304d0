/// Calls of a scope and month that named no end user.
///
/// By rule such a call counts as one user per key, so the keys are among the scope's users. Behind a key there may be as many
/// people as it had calls: that is the other end of what can be said.
public struct AnonymousCalls: Sendable, Equatable {
  /// The keys that made such calls.
  public let keys: AudienceEstimate
  /// How many calls they made.
  public let calls: Int

  public static let none = AnonymousCalls(keys: .none, calls: 0)
}

/// The users of a scope and month between two extremes: each key of anonymous calls one user, or each anonymous call one user.
public struct AudienceRange: Sendable, Equatable {
  /// The lower bound of the count with keys as users.
  public let least: Int
  /// The upper bound of the count with calls in place of keys.
  public let most: Int

  init(users: AudienceEstimate, anonymous: AnonymousCalls) {
    self.least = users.lower
    let withoutKeys = users.upper - anonymous.keys.lower
    let sum = withoutKeys.addingReportingOverflow(anonymous.calls)
    self.most = max(users.upper, sum.overflow ? AudienceEstimate.largest : sum.partialValue)
  }
}
