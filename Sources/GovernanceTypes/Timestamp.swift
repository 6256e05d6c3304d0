/// An instant in nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
public struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  public init(seconds: Int64) { self.nanoseconds = seconds * 1_000_000_000 }

  public var seconds: Int64 { floorDivide(self.nanoseconds, 1_000_000_000) }

  /// RFC 3339 in UTC with milliseconds: `2026-11-23T09:03:54.123Z`.
  public var description: String {
    let (year, month, day) = self.day.components
    let milliseconds = (self.nanoseconds - self.day.start.nanoseconds) / 1_000_000
    let seconds = milliseconds / 1000
    // 64 bits of nanoseconds are the years 1677 to 2262. Several of these stand in each entry of the log, so the digits are put straight into their places.
    var text = Array("0000-00-00T00:00:00.000Z".utf8)
    func put(_ value: Int64, endingAt place: Int) {
      var (rest, index) = (value, place)
      while rest > 0 {
        text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        (rest, index) = (rest / 10, index - 1)
      }
    }
    put(Int64(year), endingAt: 3)
    put(Int64(month), endingAt: 6)
    put(Int64(day), endingAt: 9)
    put(seconds / 3600, endingAt: 12)
    put(seconds / 60 % 60, endingAt: 15)
    put(seconds % 60, endingAt: 18)
    put(milliseconds % 1000, endingAt: 22)
    return String(decoding: text, as: UTF8.self)
  }

  /// RFC 3339 in UTC, whole seconds.
  public var wholeSeconds: String { "\(self.description.prefix(19))Z" }

  /// Reads RFC 3339 (`2026-11-23T09:03:54.5+01:00`) or a bare date, which stands for its first instant in UTC; nil for
  /// anything else and for years outside 1970 to 2200.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 10, let day = CalendarDay(String(decoding: bytes[0..<10], as: UTF8.self)) else { return nil }
    guard bytes.count > 10 else {
      self = day.start
      return
    }
    guard bytes.count <= 40, let clock = ClockText(bytes[10...]) else { return nil }
    self.nanoseconds = day.start.nanoseconds + clock.nanoseconds
  }

  /// The UTC day that this instant is in.
  public var day: CalendarDay { CalendarDay(number: Int(floorDivide(self.nanoseconds, 86_400_000_000_000))) }
  public var month: CalendarMonth { self.day.month }

  public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

  /// The instant `duration` later, held at the ends of what can be written.
  public func advanced(by duration: Duration) -> Timestamp {
    let (seconds, attoseconds) = duration.components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = self.nanoseconds.addingReportingOverflow(scaled &+ attoseconds / 1_000_000_000)
    if overflow || carry { return Timestamp(nanoseconds: seconds < 0 ? .min : .max) }
    return Timestamp(nanoseconds: sum)
  }
}

/// A day of the Gregorian calendar, in UTC.
public struct CalendarDay: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Days since 1970-01-01.
  public let number: Int

  public init(number: Int) { self.number = number }

  public init?(year: Int, month: Int, day: Int) {
    guard (1970...2200).contains(year), (1...12).contains(month), day >= 1 else { return nil }
    let first = daysFromCivil(year: year, month: month, day: 1)
    let following =
      month == 12
      ? daysFromCivil(year: year + 1, month: 1, day: 1) : daysFromCivil(year: year, month: month + 1, day: 1)
    guard day <= following - first else { return nil }
    self.number = first + day - 1
  }

  /// Reads `2026-11-23`; nil for anything else.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      let year = decimal(bytes[0..<4]), let month = decimal(bytes[5..<7]), let day = decimal(bytes[8..<10])
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  public var components: (year: Int, month: Int, day: Int) { civilFromDays(self.number) }
  public var start: Timestamp { Timestamp(seconds: Int64(self.number) * 86_400) }
  public var next: CalendarDay { CalendarDay(number: self.number + 1) }
  public var month: CalendarMonth {
    let (year, month, _) = self.components
    return CalendarMonth(unchecked: year * 12 + month - 1)
  }

  public var description: String {
    let (year, month, day) = self.components
    return "\(padded(Int64(year), to: 4))-\(twoDigits(Int64(month)))-\(twoDigits(Int64(day)))"
  }

  public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// A month of the Gregorian calendar, in UTC.
public struct CalendarMonth: Hashable, Sendable, Comparable, CustomStringConvertible {
  private let index: Int

  fileprivate init(unchecked index: Int) { self.index = index }

  public init?(year: Int, month: Int) {
    guard (1970...2200).contains(year), (1...12).contains(month) else { return nil }
    self.index = year * 12 + month - 1
  }

  /// Reads `2026-11`; nil for anything else.
  public init?(_ text: String) {
    guard text.utf8.count == 7, let day = CalendarDay(text + "-01") else { return nil }
    self = day.month
  }

  public var year: Int { self.index / 12 }
  public var month: Int { self.index % 12 + 1 }
  public var previous: CalendarMonth { CalendarMonth(unchecked: self.index - 1) }
  public var next: CalendarMonth { CalendarMonth(unchecked: self.index + 1) }
  public var firstDay: CalendarDay { CalendarDay(number: daysFromCivil(year: self.year, month: self.month, day: 1)) }
  public var start: Timestamp { self.firstDay.start }
  /// The first instant after the month.
  public var end: Timestamp { self.next.start }

  public var description: String { "\(padded(Int64(self.year), to: 4))-\(twoDigits(Int64(self.month)))" }

  public static func < (left: Self, right: Self) -> Bool { left.index < right.index }
}

/// `Thh:mm:ss[.fraction](Z|±hh:mm)`, reduced to nanoseconds after the start of the UTC day.
private struct ClockText {
  let nanoseconds: Int64

  init?(_ slice: ArraySlice<UInt8>) {
    let bytes = Array(slice)
    guard bytes.count >= 10, bytes[0] == UInt8(ascii: "T") || bytes[0] == UInt8(ascii: "t") || bytes[0] == UInt8(ascii: " "),
      bytes[3] == UInt8(ascii: ":"), bytes[6] == UInt8(ascii: ":"),
      let hour = decimal(bytes[1..<3]), let minute = decimal(bytes[4..<6]), let second = decimal(bytes[7..<9]),
      hour < 24, minute < 60, second < 60
    else { return nil }
    var rest = bytes[9...]
    var fraction = 0
    if rest.first == UInt8(ascii: ".") {
      let digits = rest.dropFirst().prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
      guard (1...9).contains(digits.count), let value = decimal(digits) else { return nil }
      fraction = (digits.count..<9).reduce(value) { scaled, _ in scaled * 10 }
      rest = rest.dropFirst(1 + digits.count)
    }
    guard let offset = ClockText.offset(Array(rest)) else { return nil }
    let seconds = hour * 3600 + minute * 60 + second - offset * 60
    self.nanoseconds = Int64(seconds) * 1_000_000_000 + Int64(fraction)
  }

  /// Minutes east of UTC.
  private static func offset(_ bytes: [UInt8]) -> Int? {
    if bytes == [UInt8(ascii: "Z")] || bytes == [UInt8(ascii: "z")] { return 0 }
    guard bytes.count == 6, bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"), bytes[3] == UInt8(ascii: ":"),
      let hours = decimal(bytes[1..<3]), let minutes = decimal(bytes[4..<6]), hours < 24, minutes < 60
    else { return nil }
    return (hours * 60 + minutes) * (bytes[0] == UInt8(ascii: "-") ? -1 : 1)
  }
}

private func decimal(_ bytes: ArraySlice<UInt8>) -> Int? {
  var value = 0
  for byte in bytes {
    guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
    value = value * 10 + Int(byte - UInt8(ascii: "0"))
  }
  return bytes.isEmpty ? nil : value
}

private func padded(_ value: Int64, to width: Int) -> String {
  let text = String(value)
  return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
}

private func twoDigits(_ value: Int64) -> String { padded(value, to: 2) }

func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
  let quotient = value / divisor
  return value % divisor < 0 ? quotient - 1 : quotient
}

/// Days since 1970-01-01 of a Gregorian date, by eras of 400 years that begin in March.
private func daysFromCivil(year: Int, month: Int, day: Int) -> Int {
  let shifted = month <= 2 ? year - 1 : year
  let era = shifted / 400
  let yearOfEra = shifted - era * 400
  let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

private func civilFromDays(_ days: Int) -> (year: Int, month: Int, day: Int) {
  let shifted = days + 719_468
  let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
  let dayOfEra = shifted - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthFromMarch = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
  let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}
