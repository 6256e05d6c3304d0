internal import GovernanceTypes

// The text of ids read by table and without intermediate arrays: a report reads a dozen of them for each request.

private let digits = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

/// The value of each digit; 255 for what is none.
private let values: [UInt8] = {
  var values = [UInt8](repeating: 255, count: 256)
  for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
  return values
}()

extension Identifier {
  /// Equal to `init(_:)`.
  init?(stored text: String) {
    let bytes = text.utf8.span
    let prefix = Kind.prefix.utf8.span
    guard bytes.count == prefix.count + 27, bytes[prefix.count] == UInt8(ascii: "_") else { return nil }
    for place in prefix.indices where bytes[place] != prefix[place] { return nil }
    // 26 digits hold 130 bits: the first has three of the 128.
    guard values[Int(bytes[prefix.count + 1])] < 8 else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    for place in prefix.count + 1..<bytes.count {
      let value = values[Int(bytes[place])]
      guard value < 32 else { return nil }
      high = high << 5 | low >> 59
      low = low << 5 | UInt64(value)
    }
    self.init(UInt128(high) << 64 | UInt128(low))
  }
}
