internal import GovernanceTypes

/// Writes what the types' own descriptions write, without a String for each cell: a table of a million rows has some twenty
/// million of them.
extension [UInt8] {
  /// An id as ``Identifier/description``.
  mutating func append(identifier value: UInt128, prefix: String) {
    self.append(contentsOf: prefix.utf8)
    self.append(UInt8(ascii: "_"))
    let digits = crockfordDigits
    for shift in stride(from: 125, through: 0, by: -5) {
      self.append(digits[Int(truncatingIfNeeded: value &>> UInt128(shift)) & 31])
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
    let first = self.count
    var rest = value
    repeat {
      self.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0 || self.count - first < width
    var (low, high) = (first, self.count - 1)
    while low < high {
      self.swapAt(low, high)
      low += 1
      high -= 1
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
