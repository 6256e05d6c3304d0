public import GovernanceTypes

/// The day on which a cap will be reached, from the numbers of new users of the days past.
///
/// The pace is the higher of two medians, of the last 7 and of the last 28 days, and taken to stay as it is. A median is not
/// moved by a single campaign day or outage, seven days have each weekday once, and the higher of the two gives the earlier day:
/// better too early an alert than too late. Whole numbers throughout; days with half a user are kept by counting in halves.
public struct AudienceForecast: Sendable, Equatable {
  /// New users of each whole day, the latest last; a day below zero counts as zero.
  public let newUsersPerDay: [Int]

  /// Whether a count goes on or begins anew with each calendar month, as caps on monthly users do.
  public enum Period: Sendable, CaseIterable {
    case unending
    case month
  }

  public static let horizonDays = 365

  public init(newUsersPerDay: [Int]) { self.newUsersPerDay = newUsersPerDay }

  /// Twice the new users a day.
  var doubledPace: Int {
    max(Self.doubledMedian(self.newUsersPerDay.suffix(7)), Self.doubledMedian(self.newUsersPerDay.suffix(28)))
  }

  /// The day at whose end `cap` users are reached, given `users` at the end of `day`: `day` itself if they are there already,
  /// nil if not within a year. O(365).
  public func day(reaching cap: Int, from users: Int, at day: CalendarDay, period: Period = .month) -> CalendarDay? {
    guard users < cap else { return day }
    let pace = self.doubledPace
    guard pace > 0 else { return nil }
    // Twice the users; a number that cannot be held is past any cap.
    var doubled = users.multipliedReportingOverflow(by: 2).partialValue
    let goal = cap.multipliedReportingOverflow(by: 2)
    guard !goal.overflow else { return nil }
    var current = day
    for _ in 0..<Self.horizonDays {
      let next = current.next
      if period == .month, next.month != current.month { doubled = 0 }
      let sum = doubled.addingReportingOverflow(pace)
      if sum.overflow || sum.partialValue >= goal.partialValue { return next }
      doubled = sum.partialValue
      current = next
    }
    return nil
  }

  private static func doubledMedian(_ days: ArraySlice<Int>) -> Int {
    guard !days.isEmpty else { return 0 }
    // Held below a quarter of what an Int can be, so that twice the sum of two has room.
    let sorted = days.map { min(max($0, 0), Int.max / 4) }.sorted()
    return sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]
  }
}
