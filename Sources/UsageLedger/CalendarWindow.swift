internal import GovernanceTypes

/// The spans over which a limit can count.
public enum Window: String, Sendable, CaseIterable { case hour, day, week, month, total }

/// A span of the local calendar: from its first instant to the first instant after it.
struct CalendarSpan: Sendable, Equatable {
  var start: Timestamp
  var end: Timestamp

  static let always = CalendarSpan(start: Timestamp(nanoseconds: .min), end: Timestamp(nanoseconds: .max))

  func contains(_ instant: Timestamp) -> Bool { self.start <= instant && instant < self.end }
}

extension Window {
  /// The span that an instant is in, by the clocks of a zone. Spans of a window meet without a gap and without overlap, whatever is
  /// done to the clocks. A week begins on Monday.
  func span(at instant: Timestamp, in zone: ZoneRules) -> CalendarSpan {
    switch self {
    case .total: return .always
    case .hour:
      let start = zone.hourStart(at: instant)
      // An hour that clocks cut short ends where the next one begins.
      var end = Timestamp(seconds: start.seconds + 3600)
      while zone.hourStart(at: Timestamp(nanoseconds: end.nanoseconds - 1)) > start {
        end = zone.hourStart(at: Timestamp(nanoseconds: end.nanoseconds - 1))
      }
      return CalendarSpan(start: start, end: end)
    case .day, .week, .month:
      var first = self.firstDay(of: zone.day(at: instant))
      // Where local midnight comes twice, calendars show the new day already before it begins.
      if zone.start(of: first) > instant { first = self.firstDay(of: CalendarDay(number: first.number - 1)) }
      return CalendarSpan(start: zone.start(of: first), end: zone.start(of: self.firstDay(after: first)))
    }
  }

  private func firstDay(of day: CalendarDay) -> CalendarDay {
    switch self {
    // 1970-01-01 was a Thursday.
    case .week: CalendarDay(number: day.number - ((day.number + 3) % 7 + 7) % 7)
    case .month: day.month.firstDay
    default: day
    }
  }

  private func firstDay(after first: CalendarDay) -> CalendarDay {
    switch self {
    case .week: CalendarDay(number: first.number + 7)
    case .month: first.month.next.firstDay
    default: first.next
    }
  }
}
