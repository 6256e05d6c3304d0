/// A number of distinct users: exact, or estimated with a stated error.
///
/// The bounds are `users · (1 ± 3 sigma)`, rounded outwards; an exact count is its own bounds. Three sigma leave out some 0.27 %
/// of all cases, half of them on each side.
public struct AudienceEstimate: Sendable, Equatable {
  /// The most likely number of users.
  public let users: Int
  /// The relative standard error: 0 while the count is exact.
  public let sigma: Double
  public let lower: Int
  public let upper: Int

  /// More users than can be told apart; an estimate is held below it, so that sums cannot overflow.
  public static let largest = 1 << 60

  public static let none = AudienceEstimate(exactly: 0)

  public init(exactly users: Int) {
    self.users = users
    self.sigma = 0
    self.lower = users
    self.upper = users
  }

  /// - Parameter known: Users of whose existence there is no doubt; neither the estimate nor its lower bound goes below it.
  init(about users: Double, sigma: Double, atLeast known: Int = 0) {
    self.users = max(known, Self.whole(users.rounded()))
    self.sigma = sigma
    self.lower = max(known, Self.whole((users * (1 - 3 * sigma)).rounded(.down)))
    self.upper = max(known, Self.whole((users * (1 + 3 * sigma)).rounded(.up)))
  }

  /// An estimate that has no upper bound.
  init(atLeast lower: Int, about users: Double, sigma: Double) {
    self.users = max(lower, Self.whole(users.rounded()))
    self.sigma = sigma
    self.lower = lower
    self.upper = Self.largest
  }

  public var isExact: Bool { self.sigma == 0 }

  private static func whole(_ value: Double) -> Int {
    guard value > 0 else { return 0 }
    return value < Double(self.largest) ? Int(value) : self.largest
  }
}
