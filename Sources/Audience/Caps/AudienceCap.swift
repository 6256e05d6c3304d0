/// A cap on the users of a scope in a month.
public struct AudienceCap: Sendable, Equatable {
  public let scope: AudienceScope
  public let atMost: Int

  public init(scope: AudienceScope, atMost: Int) {
    self.scope = scope
    self.atMost = atMost
  }
}

/// How far a scope's count has come towards its cap.
public enum CapState: Sendable, Equatable {
  case below
  /// The upper bound has come to this share of the cap, the highest of ``alertPercents`` that it has.
  case nearing(percent: Int)
  /// The upper bound has come to the cap, the lower bound has not.
  case possiblyReached
  /// The lower bound has come to the cap. An exact count goes from nearing to reached at once.
  case reached

  /// Ascending.
  public static let alertPercents = [50, 80, 90, 95]

  public init(of users: AudienceEstimate, against cap: AudienceCap) {
    if users.lower >= cap.atMost {
      self = .reached
    } else if users.upper >= cap.atMost {
      self = .possiblyReached
    } else if let percent = Self.alertPercents.last(where: { users.upper >= Self.part($0, of: cap.atMost) }) {
      self = .nearing(percent: percent)
    } else {
      self = .below
    }
  }

  /// Whether users who are new to the scope are turned away: from where the cap may have been reached, so that it is not passed.
  public var refusesNewUsers: Bool { self == .possiblyReached || self == .reached }

  /// The least whole number that is at least this share of `whole`, without overflow.
  private static func part(_ percent: Int, of whole: Int) -> Int {
    whole / 100 * percent + (whole % 100 * percent + 99) / 100
  }
}
