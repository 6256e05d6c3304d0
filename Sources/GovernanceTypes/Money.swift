/// Three upper-case letters of ISO 4217.
public struct Currency: Hashable, Sendable, Comparable, CustomStringConvertible {
  private let packed: UInt32

  /// Nil unless `code` is three upper-case ASCII letters.
  public init?(_ code: String) {
    let letters = code.utf8
    guard letters.count == 3, letters.allSatisfy({ $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") }) else { return nil }
    self.packed = letters.reduce(0) { $0 << 8 | UInt32($1) }
  }

  public var description: String {
    String(decoding: [16, 8, 0].map { UInt8(truncatingIfNeeded: self.packed >> $0) }, as: UTF8.self)
  }

  public static func < (left: Self, right: Self) -> Bool { left.packed < right.packed }
}

/// An amount in nano-units of a currency (1e-9 of its major unit), exact.
///
/// Amounts enter only through ``init(decimal:)`` and prices, both bounded, so that no sum or product on the path of money can
/// reach the ends of 128 bits; the operators trap there as a broken invariant, not as an error to handle.
public struct NanoAmount: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let nano: Int128

  public static let zero = NanoAmount(0)
  /// The largest amount that is taken from outside: 10^15 major units.
  public static let largest = NanoAmount(1_000_000_000_000_000 * 1_000_000_000)

  public init(_ nano: Int128) { self.nano = nano }

  /// Reads a plain decimal (`-12`, `0.20`, `5.000000001`): at most nine decimals, no exponent; nil otherwise, and nil above
  /// ``largest`` in size.
  public init?(decimal text: String) {
    var digits = Substring(text).utf8
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative { digits.removeFirst() }
    let parts = digits.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, (1...16).contains(whole.count) else { return nil }
    let fraction = parts.count == 2 ? Array(parts[1]) : []
    guard parts.count == 1 || (1...9).contains(fraction.count) else { return nil }
    var nano: Int128 = 0
    for byte in Array(whole) + fraction + Array(repeating: UInt8(ascii: "0"), count: 9 - fraction.count) {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      nano = nano * 10 + Int128(byte - UInt8(ascii: "0"))
    }
    guard nano <= Self.largest.nano else { return nil }
    self.nano = isNegative ? -nano : nano
  }

  /// The amount in major units, exactly, with at least two decimals: `5.00`, `0.000123`, `-0.10`.
  public var description: String {
    let magnitude = self.nano.magnitude
    let whole = magnitude / 1_000_000_000
    let digits = Array(String(magnitude % 1_000_000_000).utf8)
    var fraction = Array(repeating: UInt8(ascii: "0"), count: 9 - digits.count) + digits
    while fraction.count > 2, fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
    return "\(self.nano < 0 ? "-" : "")\(whole).\(String(decoding: fraction, as: UTF8.self))"
  }

  public static func < (left: Self, right: Self) -> Bool { left.nano < right.nano }
  public static func + (left: Self, right: Self) -> Self { NanoAmount(left.nano + right.nano) }
  public static func - (left: Self, right: Self) -> Self { NanoAmount(left.nano - right.nano) }
  public static func += (left: inout Self, right: Self) { left = left + right }
  public static func -= (left: inout Self, right: Self) { left = left - right }
  public static prefix func - (amount: Self) -> Self { NanoAmount(-amount.nano) }
}

/// An amount of a currency. There is no conversion anywhere.
public struct Money: Hashable, Sendable, CustomStringConvertible {
  public var amount: NanoAmount
  public var currency: Currency

  public init(_ amount: NanoAmount, _ currency: Currency) {
    self.amount = amount
    self.currency = currency
  }

  public var description: String { "\(self.amount) \(self.currency)" }
}
