internal import Documents

/// The resolution of plain scalars: YAML 1.2.2, chapter 10.3.2.
enum CoreSchema {
  struct Refusal: Error {
    let message: String
  }

  /// Whether a plain scalar with this first byte can be anything but a string.
  static func mayResolve(_ first: UInt8?) -> Bool {
    guard let first else { return true }
    switch first {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "~"),
      UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "t"), UInt8(ascii: "T"), UInt8(ascii: "f"), UInt8(ascii: "F"):
      return true
    default: return false
    }
  }

  static func content(of text: String) throws(Refusal) -> Document.Content {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: break
    }
    let bytes = Array(text.utf8)
    if Self.isSpecialFloat(text) { throw Refusal(message: "'\(text)' is no number that is read; quote it if it is a text") }
    if let digits = try Self.based(bytes) { return .number(digits) }
    guard let number = DecimalText(bytes) else { return .string(text) }
    guard bytes.count <= 64 else { throw Refusal(message: "a number of more than 64 characters; quote it if it is a text") }
    return .number(number.json)
  }

  private static func isSpecialFloat(_ text: String) -> Bool {
    let unsigned = text.hasPrefix("+") || text.hasPrefix("-") ? text.dropFirst() : text[...]
    return [".inf", ".Inf", ".INF"].contains(unsigned) || [".nan", ".NaN", ".NAN"].contains(text)
  }

  /// Octal and hexadecimal integers as decimal digits; nil for anything else.
  private static func based(_ bytes: [UInt8]) throws(Refusal) -> String? {
    guard bytes.count > 2, bytes[0] == UInt8(ascii: "0"), bytes[1] == UInt8(ascii: "o") || bytes[1] == UInt8(ascii: "x") else {
      return nil
    }
    let radix = bytes[1] == UInt8(ascii: "o") ? 8 : 16
    let digits = String(decoding: bytes[2...], as: UTF8.self)
    let isDigits = digits.utf8.allSatisfy { byte in
      byte < 0x80 && (Character(Unicode.Scalar(byte)).hexDigitValue.map { $0 < radix } ?? false)
    }
    guard isDigits else { return nil }
    guard let value = Int64(digits, radix: radix) else { throw Refusal(message: "an integer of more than 63 bits") }
    return String(value)
  }
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
private struct DecimalText {
  private var isNegative = false
  private var whole: ArraySlice<UInt8> = []
  private var fraction: ArraySlice<UInt8> = []
  private var exponent: ArraySlice<UInt8> = []

  init?(_ bytes: [UInt8]) {
    var rest = bytes[...]
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      self.isNegative = sign == UInt8(ascii: "-")
      rest = rest.dropFirst()
    }
    self.whole = rest.prefix(while: isDigit)
    rest = rest.dropFirst(self.whole.count)
    if rest.first == UInt8(ascii: ".") {
      self.fraction = rest.dropFirst().prefix(while: isDigit)
      rest = rest.dropFirst(1 + self.fraction.count)
    }
    guard !self.whole.isEmpty || !self.fraction.isEmpty else { return nil }
    if let mark = rest.first, mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") {
      let power = rest.dropFirst()
      let sign = power.first == UInt8(ascii: "-") || power.first == UInt8(ascii: "+") ? 1 : 0
      let digits = power.dropFirst(sign).prefix(while: isDigit)
      guard !digits.isEmpty else { return nil }
      self.exponent = power.prefix(sign + digits.count)
      rest = power.dropFirst(sign + digits.count)
    }
    guard rest.isEmpty else { return nil }
  }

  /// The number as RFC 8259 writes it.
  var json: String {
    let digits = self.whole.drop { $0 == UInt8(ascii: "0") }
    var text = self.isNegative ? "-" : ""
    text += digits.isEmpty ? "0" : String(decoding: digits, as: UTF8.self)
    if !self.fraction.isEmpty { text += "." + String(decoding: self.fraction, as: UTF8.self) }
    if !self.exponent.isEmpty { text += "e" + String(decoding: self.exponent, as: UTF8.self) }
    return text
  }
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
