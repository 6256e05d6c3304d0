internal import GovernanceTypes

/// Writes what the types' own descriptions write, without a String for each cell: a table of a million rows has some twenty
/// million of them.
extension [UInt8] {
  /// An id as ``Identifier/description``.
  mutating func append(identifier value: UInt128, prefix: String) {
    let (digits, prefix) = (crockfordDigits, prefix.utf8)
    self.append(addingCapacity: prefix.count + 27) { text in
      for byte in prefix { text.append(byte) }
      text.append(UInt8(ascii: "_"))
      // 26 digits hold 130 bits: the first has three of the 128, and the others come from the top of two words.
      text.append(digits[Int(truncatingIfNeeded: value &>> 125)])
      var high = UInt64(truncatingIfNeeded: value &>> 61)
      var low = UInt64(truncatingIfNeeded: value) << 3
      for _ in 0..<25 {
        text.append(digits[Int(truncatingIfNeeded: high &>> 59)])
        high = high << 5 | low &>> 59
        low <<= 5
      }
    }
  }

  /// `units` times ten to the power of minus `scale` (at most 18), with at least `decimals` decimals and no more than needed.
  mutating func append(_ units: Int128, scale: Int, decimals: Int) {
    if units < 0 { self.append(UInt8(ascii: "-")) }
    guard scale > 0 || decimals > 0 else { return self.append(digits: units.magnitude) }
    let (whole, fraction) = divide(units.magnitude, by: powerOfTen(scale))
    self.append(digits: whole)
    self.append(UInt8(ascii: "."))
    if scale > 0 { self.append(digits: fraction, width: scale) }
    var written = scale
    while written > decimals, self.last == UInt8(ascii: "0") {
      self.removeLast()
      written -= 1
    }
    for _ in 0..<Swift.max(0, decimals - written) { self.append(UInt8(ascii: "0")) }
  }

  /// A day as ``CalendarDay/description``.
  mutating func append(day: CalendarDay) {
    let (year, month, day) = day.components
    self.append(digits: UInt64(clamping: year), width: 4)
    self.append(UInt8(ascii: "-"))
    self.append(digits: UInt64(clamping: month), width: 2)
    self.append(UInt8(ascii: "-"))
    self.append(digits: UInt64(clamping: day), width: 2)
  }

  /// RFC 3339 in UTC with milliseconds, as ``Timestamp/description``.
  mutating func append(instant time: Timestamp) {
    // Counted up from the start of the day by remainder, so that instants before 1970 come out right and nothing overflows.
    let remainder = time.nanoseconds % 86_400_000_000_000
    let milliseconds = UInt64(remainder < 0 ? remainder + 86_400_000_000_000 : remainder) / 1_000_000
    self.append(day: time.day)
    self.append(UInt8(ascii: "T"))
    self.append(digits: milliseconds / 3_600_000, width: 2)
    self.append(UInt8(ascii: ":"))
    self.append(digits: milliseconds / 60_000 % 60, width: 2)
    self.append(UInt8(ascii: ":"))
    self.append(digits: milliseconds / 1000 % 60, width: 2)
    self.append(UInt8(ascii: "."))
    self.append(digits: milliseconds % 1000, width: 3)
    self.append(UInt8(ascii: "Z"))
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
    self.append(addingCapacity: 20 - first) { text in
      for place in first..<20 { text.append(digits[place]) }
    }
  }
}

private let crockfordDigits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

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
