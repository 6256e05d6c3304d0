public import GovernanceTypes

/// The totals of scopes at the ends of days past: what a forecast is made from.
///
/// Totals begin anew with each calendar month. A day on which nobody looked is taken to have ended like the day before it.
public struct AudienceHistory: Sendable, Equatable {
  /// Days that are kept: as many as a forecast looks at, and the one before them.
  public static let keptDays = 29

  private var totals: [AudienceScope: [Int: Int]] = [:]
  private var newest = Int.min

  public init() {}

  /// Notes the users that a scope had at the end of a day. O(1), but for the first of a day, which lets go of old ones.
  public mutating func note(_ users: Int, in scope: AudienceScope, at day: CalendarDay) {
    let isLater = day.number > self.newest
    self.newest = max(self.newest, day.number)
    self.totals[scope, default: [:]][day.number] = max(0, users)
    guard isLater else { return }
    let oldest = self.newest - Self.keptDays
    for (scope, days) in self.totals where days.keys.contains(where: { $0 <= oldest }) {
      let kept = days.filter { $0.key > oldest }
      self.totals[scope] = kept.isEmpty ? nil : kept
    }
  }

  /// The day noted last; nil before the first.
  public var newestDay: CalendarDay? { self.newest == .min ? nil : CalendarDay(number: self.newest) }

  /// Users new on each day before `day`, the latest last, from the first day that was noted on. O(``keptDays``).
  public func newUsersPerDay(in scope: AudienceScope, before day: CalendarDay) -> [Int] {
    guard let days = self.totals[scope], let first = days.keys.min(), first < day.number else { return [] }
    var known = 0
    var month = CalendarDay(number: first).month
    return (first..<day.number).map { number in
      let current = CalendarDay(number: number)
      if current.month != month {
        month = current.month
        known = 0
      }
      let total = max(known, days[number] ?? known)
      defer { known = total }
      return total - known
    }
  }

  /// The day on which `cap` will be reached, given the users counted so far on `day`; nil if not within a year, or with nothing to
  /// go by.
  public func day(reaching cap: AudienceCap, from users: Int, at day: CalendarDay) -> CalendarDay? {
    AudienceForecast(newUsersPerDay: self.newUsersPerDay(in: cap.scope, before: day))
      .day(reaching: cap.atMost, from: users, at: day)
  }
}
