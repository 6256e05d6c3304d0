internal import GovernanceTypes

/// Writes what the types' own descriptions write, straight into the room that a row was given, without a String for each cell: a table
/// of a million rows has some twenty million of them.
extension OutputSpan<UInt8> {
  /// The most bytes that anything here writes, apart from texts.
  static var longestCell: Int { 64 }

  mutating func append(_ text: String) {
    let bytes = text.utf8.span
    for place in bytes.indices { self.append(bytes[place]) }
  }

  /// An id as ``Identifier/description``. Prefixes have at most 36 characters.
  mutating func append(identifier value: UInt128, prefix: String) {
    self.append(prefix)
    self.append(UInt8(ascii: "_"))
    // 26 digits hold 130 bits: the first has three of the 128, and the others come from the top of two words.
    self.append(crockfordDigit(UInt64(truncatingIfNeeded: value &>> 125)))
    var high = UInt64(truncatingIfNeeded: value &>> 61)
    var low = UInt64(truncatingIfNeeded: value) << 3
    for _ in 0..<25 {
      self.append(crockfordDigit(high &>> 59))
      high = high << 5 | low &>> 59
      low <<= 5
    }
  }

  /// `units` times ten to the power of minus `scale` (at most 18), with at least `decimals` decimals and no more than needed.
  mutating func append(_ units: Int128, scale: Int, decimals: Int) {
    if units < 0 { self.append(UInt8(ascii: "-")) }
    guard scale > 0 || decimals > 0 else { return self.append(digits: units.magnitude) }
    var (whole, fraction) = divide(units.magnitude, by: powerOfTen(scale))
    self.append(digits: whole)
    self.append(UInt8(ascii: "."))
    var width = scale
    while width > decimals, fraction % 10 == 0 {
      fraction /= 10
      width -= 1
    }
    if width > 0 { self.append(digits: fraction, width: width) }
    self.append(repeating: UInt8(ascii: "0"), count: Swift.max(0, decimals - width))
  }

  /// A day as ``CalendarDay/description``.
  mutating func append(day: CalendarDay) {
    let (year, month, day) = day.components
    self.append(digits: UInt64(clamping: year), width: 4)
    self.append(UInt8(ascii: "-"))
    self.append(pair: UInt64(clamping: month))
    self.append(UInt8(ascii: "-"))
    self.append(pair: UInt64(clamping: day))
  }

  /// RFC 3339 in UTC with milliseconds, as ``Timestamp/description``.
  mutating func append(instant time: Timestamp) {
    // Counted up from the start of the day by remainder, so that instants before 1970 come out right and nothing overflows.
    let remainder = time.nanoseconds % 86_400_000_000_000
    let milliseconds = UInt64(remainder < 0 ? remainder + 86_400_000_000_000 : remainder) / 1_000_000
    let seconds = milliseconds / 1000
    self.append(day: time.day)
    self.append(UInt8(ascii: "T"))
    self.append(pair: seconds / 3600)
    self.append(UInt8(ascii: ":"))
    self.append(pair: seconds / 60 % 60)
    self.append(UInt8(ascii: ":"))
    self.append(pair: seconds % 60)
    self.append(UInt8(ascii: "."))
    self.append(digits: milliseconds % 1000, width: 3)
    self.append(UInt8(ascii: "Z"))
  }

  /// Two digits of a number below 100.
  private mutating func append(pair value: UInt64) {
    self.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10))
    self.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
  }

  private mutating func append(digits value: UInt128) {
    if let small = UInt64(exactly: value) { return self.append(digits: small, width: 1) }
    let (high, low) = divide(value, by: powerOfTen(18))
    self.append(digits: high)
    self.append(digits: low, width: 18)
  }

  /// Writes at least `width` digits, with zeros in front.
  private mutating func append(digits value: UInt64, width: Int) {
    var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
    var (first, rest) = (20, value)
    while rest > 0 {
      first -= 1
      digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    first = Swift.min(first, 20 - Swift.max(1, width))
    for place in first..<20 { self.append(digits[place]) }
  }
}

/// The digit of a number below 32, without a table: those after `i`, `l`, `o` and `u` are each one further on.
private func crockfordDigit(_ value: UInt64) -> UInt8 {
  let value = UInt8(truncatingIfNeeded: value)
  guard value >= 10 else { return UInt8(ascii: "0") + value }
  let skipped = (value >= 18 ? 1 : 0) + (value >= 20 ? 1 : 0) + (value >= 22 ? 1 : 0) + (value >= 27 ? 1 : 0) as UInt8
  return UInt8(ascii: "a") + value - 10 + skipped
}

/// Ten to a power from 0 to 18.
private func powerOfTen(_ exponent: Int) -> UInt64 { (0..<exponent).reduce(1) { power, _ in power * 10 } }

/// Quotient and remainder, in 64 bits where they suffice: division of 128 bits is many times slower.
private func divide(_ value: UInt128, by divisor: UInt64) -> (quotient: UInt128, remainder: UInt64) {
  guard let small = UInt64(exactly: value) else {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: UInt128(divisor))
    return (quotient, UInt64(remainder))
  }
  let (quotient, remainder) = small.quotientAndRemainder(dividingBy: divisor)
  return (UInt128(quotient), remainder)
}
