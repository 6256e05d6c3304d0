import GovernanceTypes

/// Nanoseconds east of UTC that `UTC` or `±hh:mm` stands for; nil for anything else.
func offset(ofZone text: String) -> Int64? {
  if text == "UTC" { return 0 }
  let bytes = Array(text.utf8)
  guard bytes.count == 6, bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"), bytes[3] == UInt8(ascii: ":"),
    [1, 2, 4, 5].allSatisfy({ bytes[$0] >= UInt8(ascii: "0") && bytes[$0] <= UInt8(ascii: "9") }),
    let hours = Int64(String(decoding: bytes[1..<3], as: UTF8.self)), hours <= 14,
    let minutes = Int64(String(decoding: bytes[4..<6], as: UTF8.self)), minutes <= 59
  else { return nil }
  return (hours * 60 + minutes) * 60_000_000_000 * (bytes[0] == UInt8(ascii: "-") ? -1 : 1)
}

extension PeriodUnit {
  /// The name of the period before the one that `day` is in: `2023-07-17`, `2023-06`, `2022`.
  func preceding(_ day: CalendarDay) -> String {
    switch self {
    case .day: CalendarDay(number: day.number - 1).description
    case .calendarMonth: day.month.previous.description
    case .calendarYear: String(day.components.year - 1)
    }
  }

  /// The first instant after the period that `time` is in, in a zone that is `offset` nanoseconds east of UTC.
  func end(at time: Timestamp, offset: Int64) -> Timestamp? {
    let day = Timestamp(nanoseconds: time.nanoseconds &+ offset).day
    let start: CalendarDay?
    switch self {
    case .day: start = day.next
    case .calendarMonth: start = day.month.next.firstDay
    case .calendarYear: start = CalendarDay(year: day.components.year + 1, month: 1, day: 1)
    }
    return start.map { Timestamp(nanoseconds: $0.start.nanoseconds &- offset) }
  }
}
