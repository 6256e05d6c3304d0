public import GovernanceTypes

/// Distinct users of each day by scope: the running day as sets or sketches, ended days as the least number that there was.
///
/// Only the numbers of ended days are kept, so days of several scopes cannot be united any more: the largest of them is still a
/// lower bound of the group's. After a restart the running day counts from then on, which is a lower bound as well.
public struct DailyUsers: Sendable {
  /// Ended days that are kept: the month before the running one, whole.
  public static let keptDays = 62

  /// The day that is counted; nil before the first user.
  public private(set) var day: CalendarDay?
  private var counts: [AudienceScope: UserSketch] = [:]
  /// The least number of users, by day.
  private var ended: [Int: [AudienceScope: Int]] = [:]

  public init() {}

  /// Counts a user of a day. Returns whether the user is new in a scope. A day before the running one counts nobody: a clock set back
  /// does not bring it back. O(scopes).
  @discardableResult
  public mutating func count(_ user: UserFingerprint, in scopes: [AudienceScope], on day: CalendarDay) -> Bool {
    self.begin(day)
    guard self.day == day else { return false }
    var isNew = false
    for scope in scopes where self.counts[scope, default: UserSketch()].insert(user) { isNew = true }
    return isNew
  }

  /// Ends the running day where it is over.
  public mutating func begin(_ day: CalendarDay) {
    guard self.day.map({ $0 < day }) ?? true else { return }
    if let over = self.day {
      for (scope, users) in self.counts { self.restore(users.estimate.lower, in: scope, of: over) }
      self.counts = [:]
    }
    self.day = day
    self.ended = self.ended.filter { $0.key > day.number - Self.keptDays }
  }

  /// Puts back the number of an ended day.
  public mutating func restore(_ users: Int, in scope: AudienceScope, of day: CalendarDay) {
    self.ended[day.number, default: [:]][scope] = max(0, users)
  }

  /// The least number of users of a day over scopes: of the running day each user once, of an ended day the largest scope's.
  public func users(of scopes: [AudienceScope], on day: CalendarDay) -> Int {
    let kept = scopes.compactMap { self.ended[day.number]?[$0] }.max() ?? 0
    guard day == self.day else { return kept }
    return max(kept, UserSketch.union(of: scopes.compactMap { self.counts[$0] })?.estimate.lower ?? 0)
  }

  /// The busiest day of a month, by the same.
  public func peak(of scopes: [AudienceScope], in month: CalendarMonth) -> Int {
    let days = self.ended.keys.map(CalendarDay.init(number:)).filter { $0.month == month } + [self.day].compactMap { $0 }
    return days.filter { $0.month == month }.map { self.users(of: scopes, on: $0) }.max() ?? 0
  }

  /// The busiest day from one on, of those that are kept.
  public func peak(of scopes: [AudienceScope], from first: CalendarDay) -> Int {
    let days = self.ended.keys.map(CalendarDay.init(number:)) + [self.day].compactMap { $0 }
    return days.filter { $0 >= first }.map { self.users(of: scopes, on: $0) }.max() ?? 0
  }

  /// All scopes of an ended day, by name.
  public func totals(of day: CalendarDay) -> [(scope: AudienceScope, users: Int)] {
    (self.ended[day.number] ?? [:]).sorted { $0.key.name < $1.key.name }.map { ($0.key, $0.value) }
  }
}
