internal import GovernanceTypes

/// Writes what the types' own descriptions write, in words of eight characters: a table of a million rows has some twenty million cells,
/// and a String for each, or a turn of a loop for each of their characters, is most of the time that a table takes.
///
/// Every function stores at `place` and moves it behind the text. A word is stored whole where fewer of its characters are wanted: room
/// is needed for ``longestCell``, whatever is written.
extension MutableRawSpan {
  /// The most bytes that anything here touches.
  static var longestCell: Int { 80 }

  mutating func write(_ byte: UInt8, at place: inout Int) {
    self.storeBytes(of: byte, toByteOffset: place, as: UInt8.self)
    place += 1
  }

  /// The first `count` characters of a word, the first in its lowest byte.
  private mutating func write(word: UInt64, count: Int = 8, at place: inout Int) {
    self.storeBytes(of: word.littleEndian, toByteOffset: place, as: UInt64.self)
    place += count
  }

  /// An id as ``Identifier/description``. Prefixes have at most 36 characters.
  mutating func write(identifier value: UInt128, prefix: String, at place: inout Int) {
    for byte in prefix.utf8 { self.write(byte, at: &place) }
    self.write(UInt8(ascii: "_"), at: &place)
    // 26 digits hold 130 bits: the first has three of the 128, and the first two a byte.
    let (high, low) = (UInt64(truncatingIfNeeded: value &>> 64), UInt64(truncatingIfNeeded: value))
    self.write(word: crockfordDigits(high &>> 56) &>> 48, count: 2, at: &place)
    self.write(word: crockfordDigits(high &>> 16), at: &place)
    self.write(word: crockfordDigits(high &<< 24 | low &>> 40), at: &place)
    self.write(word: crockfordDigits(low), at: &place)
  }

  /// `units` times ten to the power of minus `scale` (at most 18), with at least `decimals` decimals and no more than needed.
  mutating func write(_ units: Int128, scale: Int, decimals: Int, at place: inout Int) {
    if units < 0 { self.write(UInt8(ascii: "-"), at: &place) }
    guard scale > 0 || decimals > 0 else { return self.write(digits: units.magnitude, at: &place) }
    var (whole, fraction) = divide(units.magnitude, by: powersOfTen[scale])
    self.write(digits: whole, at: &place)
    self.write(UInt8(ascii: "."), at: &place)
    var width = scale
    while width > decimals, fraction % 10 == 0 {
      fraction /= 10
      width -= 1
    }
    if width > 0 { self.write(digits: fraction, width: width, at: &place) }
    for _ in width..<Swift.max(width, decimals) { self.write(UInt8(ascii: "0"), at: &place) }
  }

  /// A day as ``CalendarDay/description``.
  mutating func write(day: CalendarDay, at place: inout Int) {
    let (year, month, day) = day.components
    self.write(digits: UInt64(clamping: year), width: 4, at: &place)
    // Eight digits, of which the fourth and the seventh are the zeros that become hyphens: 000mm0dd.
    let date = decimalDigits(UInt64(clamping: month) * 1000 + UInt64(clamping: day))
    self.write(word: date &>> 16 &- (hyphen | hyphen &<< 24), count: 6, at: &place)
  }

  /// RFC 3339 in UTC with milliseconds, as ``Timestamp/description``.
  mutating func write(instant time: Timestamp, at place: inout Int) {
    // Counted up from the start of the day by remainder, so that instants before 1970 come out right and nothing overflows.
    let remainder = time.nanoseconds % 86_400_000_000_000
    let milliseconds = UInt64(remainder < 0 ? remainder + 86_400_000_000_000 : remainder) / 1_000_000
    let seconds = milliseconds / 1000
    self.write(day: time.day, at: &place)
    self.write(UInt8(ascii: "T"), at: &place)
    // hh0mm0ss, whose zeros become colons.
    let clock = decimalDigits(seconds / 3600 * 1_000_000 + seconds / 60 % 60 * 1000 + seconds % 60)
    self.write(word: clock &+ (colon &<< 16 | colon &<< 40), at: &place)
    let rest = decimalDigits(milliseconds % 1000) &>> 40
    self.write(word: UInt64(UInt8(ascii: ".")) | rest &<< 8 | UInt64(UInt8(ascii: "Z")) &<< 32, count: 5, at: &place)
  }

  /// The first instant of a day, in whole seconds.
  mutating func write(midnightOf day: CalendarDay, at place: inout Int) {
    self.write(day: day, at: &place)
    self.write(UInt8(ascii: "T"), at: &place)
    self.write(word: decimalDigits(0) &+ (colon &<< 16 | colon &<< 40), at: &place)
    self.write(UInt8(ascii: "Z"), at: &place)
  }

  private mutating func write(digits value: UInt128, at place: inout Int) {
    if let small = UInt64(exactly: value) { return self.write(digits: small, width: 1, at: &place) }
    let (high, low) = divide(value, by: powersOfTen[18])
    self.write(digits: high, at: &place)
    self.write(digits: low, width: 18, at: &place)
  }

  /// Writes at least `width` digits, with zeros in front.
  private mutating func write(digits value: UInt64, width: Int, at place: inout Int) {
    let (rest, last) = value.quotientAndRemainder(dividingBy: 100_000_000)
    if rest > 0 || width > 8 { self.write(digits: rest, width: width - 8, at: &place) }
    let word = decimalDigits(last)
    let leading = (word &- eachByte &* 0x30).trailingZeroBitCount / 8
    let zeros = rest > 0 || width > 8 ? 0 : Swift.min(leading, 8 - Swift.max(width, 0))
    self.write(word: word &>> UInt64(8 * zeros), count: 8 - zeros, at: &place)
  }
}

/// One in each byte of a word.
private let eachByte: UInt64 = 0x0101_0101_0101_0101
/// What makes a zero's digit a hyphen, taken from it, and a colon, added to it.
private let hyphen = UInt64(UInt8(ascii: "0") - UInt8(ascii: "-"))
private let colon = UInt64(UInt8(ascii: ":") - UInt8(ascii: "0"))

/// The eight decimal digits of a number below 10^8, the first in the lowest byte: the number is halved into fields of four, two and one
/// digits, all fields of a size at once. The quotients by 100 and 10 are exact below 10^4 and 10^2.
private func decimalDigits(_ value: UInt64) -> UInt64 {
  var fields = value / 10_000 | (value % 10_000) &<< 32
  var quotients = (fields &* 10_486) &>> 20 & 0x0000_007F_0000_007F
  fields = quotients | (fields &- quotients &* 100) &<< 16
  quotients = (fields &* 103) &>> 10 & 0x000F_000F_000F_000F
  fields = quotients | (fields &- quotients &* 10) &<< 8
  return fields &+ eachByte &* 0x30
}

/// The low 40 bits as eight digits of Crockford's base 32, the first in the lowest byte.
private func crockfordDigits(_ value: UInt64) -> UInt64 {
  // Spread to fields of 32, 16 and 8 bits, each with half the bits of the field before.
  var fields = value & 0xF_FFFF | (value & 0xFF_FFF0_0000) &<< 12
  fields = fields & 0x0000_03FF_0000_03FF | (fields & 0x000F_FC00_000F_FC00) &<< 6
  fields = fields & 0x001F_001F_001F_001F | (fields & 0x03E0_03E0_03E0_03E0) &<< 3
  // One in each byte that is at least `limit`: its sum with the complement has the byte's top bit.
  func reached(_ limit: UInt64) -> UInt64 { (fields &+ eachByte &* (0x80 - limit)) &>> 7 & eachByte }
  // Letters follow digits, and leave out `i`, `l`, `o` and `u`: those behind one are each one further on.
  let letters = UInt64(UInt8(ascii: "a") - UInt8(ascii: "0") - 10)
  let text = fields &+ eachByte &* 0x30 &+ reached(10) &* letters &+ reached(18) &+ reached(20) &+ reached(22) &+ reached(27)
  return text.byteSwapped
}

/// Ten to the power of each place.
private let powersOfTen: [UInt64] = (0...18).map { exponent in (0..<exponent).reduce(1) { power, _ in power * 10 } }

/// Quotient and remainder, in 64 bits where they suffice: division of 128 bits is many times slower.
private func divide(_ value: UInt128, by divisor: UInt64) -> (quotient: UInt128, remainder: UInt64) {
  guard let small = UInt64(exactly: value) else {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: UInt128(divisor))
    return (quotient, UInt64(remainder))
  }
  let (quotient, remainder) = small.quotientAndRemainder(dividingBy: divisor)
  return (UInt128(quotient), remainder)
}
