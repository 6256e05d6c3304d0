/// A decimal number as written in a schema, exact.
struct Decimal: Sendable {
  var isNegative: Bool
  /// Without leading zeros, but for a single one.
  var whole: [UInt8]
  /// Without zeros at the end.
  var fraction: [UInt8]

  var isZero: Bool { self.whole == [0] && self.fraction.isEmpty }
  static let zero = Decimal(isNegative: false, whole: [0], fraction: [])

  private init(isNegative: Bool, whole: [UInt8], fraction: [UInt8]) {
    (self.isNegative, self.whole, self.fraction) = (isNegative, whole, fraction)
  }

  /// - Parameter digits: a number in JSON's form. Nil where it has more than ``JSONForms/digits`` digits.
  init?(_ digits: String) {
    let parts = digits.utf8.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == 0x65 || $0 == 0x45 }
    guard let mantissa = parts.first, let exponent = parts.count == 2 ? Int(Substring(parts[1])) : 0,
      (-40...40).contains(exponent)
    else { return nil }
    self.isNegative = mantissa.first == UInt8(ascii: "-")
    let point = mantissa.firstIndex(of: UInt8(ascii: ".")) ?? mantissa.endIndex
    var whole = mantissa[..<point].filter { $0 != UInt8(ascii: "-") }.map { $0 - 0x30 }
    var fraction = mantissa[point...].dropFirst().map { $0 - 0x30 }
    guard whole.count + fraction.count <= 64 else { return nil }
    for _ in 0..<abs(exponent) {
      if exponent > 0 {
        whole.append(fraction.isEmpty ? 0 : fraction.removeFirst())
      } else {
        fraction.insert(whole.isEmpty ? 0 : whole.removeLast(), at: 0)
      }
    }
    while fraction.last == 0 { fraction.removeLast() }
    self.fraction = fraction
    self.whole = Array(whole.drop { $0 == 0 })
    if self.whole.isEmpty { self.whole = [0] }
    guard self.whole.count <= JSONForms.digits, self.fraction.count <= JSONForms.digits,
      self.whole == [0] || self.whole.count + self.fraction.count <= JSONForms.digits
    else { return nil }
    if self.isZero { self.isNegative = false }
  }

  var magnitude: Decimal { Decimal(isNegative: false, whole: self.whole, fraction: self.fraction) }
}

/// Decimals between two bounds, as the digits that they may be written with: no exponent, no `-0`, at most ``JSONForms/digits`` digits.
struct DecimalRange: Sendable {
  struct Bound: Sendable {
    var value: Decimal
    var isInclusive: Bool
  }

  var low: Bound?
  var high: Bound?
  /// Whether digits may stand behind a point.
  var hasFraction: Bool

  /// Nil where no number is in the range.
  var expression: Expression? {
    var forms: [Expression] = []
    if self.high.map({ !$0.value.isNegative }) ?? true {
      let low = self.low.flatMap { $0.value.isNegative ? nil : $0 } ?? Bound(value: .zero, isInclusive: true)
      forms += Magnitudes(low: low, high: self.high, hasFraction: self.hasFraction).forms
    }
    if self.low.map(\.value.isNegative) ?? true {
      let least = self.high.flatMap { $0.value.isNegative ? Bound(value: $0.value.magnitude, isInclusive: $0.isInclusive) : nil }
      let most = self.low.map { Bound(value: $0.value.magnitude, isInclusive: $0.isInclusive) }
      let magnitudes = Magnitudes(
        low: least ?? Bound(value: .zero, isInclusive: false), high: most, hasFraction: self.hasFraction)
      forms += magnitudes.forms.map { .sequence([.text("-"), $0]) }
    }
    return forms.isEmpty ? nil : .choice(forms)
  }
}

/// Numbers that are not negative between two bounds, digit by digit. A prefix is tight where it is the bound's own so far.
private struct Magnitudes {
  let low: DecimalRange.Bound
  let high: DecimalRange.Bound?
  let hasFraction: Bool

  /// One form for each number of digits before the point.
  var forms: [Expression] {
    let least = self.low.value.whole.count
    let most = self.high?.value.whole.count ?? JSONForms.digits
    guard least <= most else { return [] }
    return (least...most).compactMap { count in
      self.whole(0, count, tightLow: count == least, tightHigh: self.high != nil && count == most)
    }
  }

  private func whole(_ position: Int, _ count: Int, tightLow: Bool, tightHigh: Bool) -> Expression? {
    guard position < count else { return self.behindWhole(count, tightLow, tightHigh) }
    let least = tightLow ? self.low.value.whole[position] : position == 0 && count > 1 ? 1 : 0
    let most = tightHigh ? self.high?.value.whole[position] ?? 9 : 9
    return self.digits(least, most, tightLow, tightHigh) {
      self.whole(position + 1, count, tightLow: $0, tightHigh: $1)
    }
  }

  private func behindWhole(_ count: Int, _ tightLow: Bool, _ tightHigh: Bool) -> Expression? {
    var forms: [Expression] = []
    if self.mayEnd(0, tightLow, tightHigh) { forms.append(.literal([])) }
    // Behind a 0 the first digits may be zeros and do not count; the bound is kept simple and holds for them too.
    let most = count == 1 ? JSONForms.digits - 1 : JSONForms.digits - count
    if self.hasFraction, let fraction = self.fraction(0, most, tightLow, tightHigh) {
      forms.append(.sequence([.text("."), fraction]))
    }
    return forms.isEmpty ? nil : .choice(forms)
  }

  /// The digits from a position behind the point on; at least one.
  private func fraction(_ position: Int, _ most: Int, _ tightLow: Bool, _ tightHigh: Bool) -> Expression? {
    guard position < most else { return nil }
    guard tightLow || tightHigh else { return .repeating(.digit, least: 1, most: most - position) }
    let high = self.high?.value.fraction ?? []
    // More than the upper bound's own digits could only be zeros.
    guard !tightHigh || position < high.count else { return nil }
    let low = self.low.value.fraction
    let least = tightLow && position < low.count ? low[position] : 0
    return self.digits(least, tightHigh ? high[position] : 9, tightLow, tightHigh) { tightLow, tightHigh in
      var forms: [Expression] = []
      if self.mayEnd(position + 1, tightLow, tightHigh) { forms.append(.literal([])) }
      if let more = self.fraction(position + 1, most, tightLow, tightHigh) { forms.append(more) }
      return forms.isEmpty ? nil : .choice(forms)
    }
  }

  /// Whether a number that ends after so many digits behind the point is in the range.
  private func mayEnd(_ digits: Int, _ tightLow: Bool, _ tightHigh: Bool) -> Bool {
    if tightLow {
      guard self.low.value.fraction.count <= digits, self.low.isInclusive else { return false }
    }
    if tightHigh, let high = self.high, high.value.fraction.count <= digits { return high.isInclusive }
    return true
  }

  /// One digit from `least` to `most`: the two ends stay tight, what is between is free.
  private func digits(
    _ least: UInt8, _ most: UInt8, _ tightLow: Bool, _ tightHigh: Bool, then: (Bool, Bool) -> Expression?
  ) -> Expression? {
    guard least <= most else { return nil }
    var forms: [Expression] = []
    func add(_ from: UInt8, _ to: UInt8, _ tightLow: Bool, _ tightHigh: Bool) {
      guard from <= to, let rest = then(tightLow, tightHigh) else { return }
      forms.append(.sequence([.set(ByteSet([0x30 + from...0x30 + to])), rest]))
    }
    if least == most {
      add(least, most, tightLow, tightHigh)
    } else {
      if tightLow { add(least, least, true, false) }
      if tightHigh { add(most, most, false, true) }
      let (from, to) = (tightLow ? least + 1 : least, tightHigh ? most - 1 : most)
      if from <= to { add(from, to, false, false) }
    }
    return forms.isEmpty ? nil : .choice(forms)
  }
}
