/// A limit that a party has attested to be within, or that a license sets, to hold a measured count against.
///
/// A measurement can refute, never prove: users of whom these nodes know nothing are not in it.
public struct MeasuredThreshold: Sendable, Equatable {
  public enum Strictness: String, Sendable, CaseIterable {
    /// Exactly the limit passes: "greater than 700 million" is refused.
    case atMost
    /// Exactly the limit is refused: "less than 1 million" passes.
    case fewerThan
  }

  public let limit: Int
  public let strictness: Strictness

  public init(_ strictness: Strictness, _ limit: Int) {
    self.strictness = strictness
    self.limit = limit
  }

  /// What a measured count says about the limit.
  public enum Finding: String, Sendable, Equatable, CaseIterable {
    case within
    /// The upper bound has come to the limit: tell someone.
    case warn
    /// Even the lower bound is past what the limit allows: the attestation is refuted.
    case refuted
  }

  public func finding(for users: AudienceEstimate) -> Finding {
    let isPast = self.strictness == .atMost ? users.lower > self.limit : users.lower >= self.limit
    if isPast { return .refuted }
    return users.upper >= self.limit ? .warn : .within
  }
}
