public import GovernanceTypes

extension Currency {
  /// Decimals of the currency's minor unit after ISO 4217; two for codes that the list does not give another number for.
  public var minorDecimals: Int { decimalsByCode[self.description] ?? 2 }
}

extension NanoAmount {
  /// The nearest whole number of the currency's minor units, halves away from zero.
  public func rounded(in currency: Currency) -> NanoAmount {
    NanoAmount(divideHalfUp(self.nano, by: currency.nanoPerMinorUnit) * currency.nanoPerMinorUnit)
  }

  /// The amount in major units with exactly the currency's decimals: `12.30`, `500` in JPY. What is finer is not written: round first.
  public func text(in currency: Currency) -> String {
    let decimals = currency.minorDecimals
    let minor = self.nano.magnitude / UInt128(currency.nanoPerMinorUnit)
    let sign = self.nano < 0 && minor > 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(minor)" }
    var digits = String(minor)
    digits = String(repeating: "0", count: max(0, decimals + 1 - digits.utf8.count)) + digits
    return "\(sign)\(digits.dropLast(decimals)).\(digits.suffix(decimals))"
  }
}

extension Currency {
  var nanoPerMinorUnit: Int128 { (self.minorDecimals..<9).reduce(1) { power, _ in power * 10 } }
}

/// The nearest quotient, halves away from zero.
///
/// - Precondition: `divisor` is positive.
func divideHalfUp(_ value: Int128, by divisor: Int128) -> Int128 {
  let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
  let isUp = remainder.magnitude >= divisor.magnitude - remainder.magnitude
  return isUp ? quotient + (value < 0 ? -1 : 1) : quotient
}

/// ISO 4217, where it is not two.
private let decimalsByCode: [String: Int] = {
  let lists = [
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 3: "BHD IQD JOD KWD LYD OMR TND", 4: "CLF UYW",
  ]
  return lists.reduce(into: [:]) { table, list in
    for code in list.value.split(separator: " ") { table[String(code)] = list.key }
  }
}()
