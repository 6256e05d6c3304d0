/// A range of IP addresses: one address, or a network as `10.0.0.0/8` and `2001:db8::/32`.
public struct AddressRange: Sendable, Hashable {
  private let bytes: [UInt8]
  private let bits: Int

  /// Nil where the text is neither.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let bytes = Self.bytes(of: String(parts[0])) else { return nil }
    self.bytes = bytes
    guard parts.count == 2 else {
      self.bits = bytes.count * 8
      return
    }
    guard let bits = Int(parts[1]), (0...bytes.count * 8).contains(bits) else { return nil }
    self.bits = bits
  }

  /// Whether an address is in the range; false for what is no address.
  public func contains(_ address: String) -> Bool {
    guard let other = Self.bytes(of: address), other.count == self.bytes.count else { return false }
    for bit in 0..<self.bits {
      let mask: UInt8 = 0x80 >> UInt8(bit % 8)
      if self.bytes[bit / 8] & mask != other[bit / 8] & mask { return false }
    }
    return true
  }

  /// Four bytes or sixteen; an IPv4 address that came over an IPv6 socket counts as what it is.
  private static func bytes(of text: String) -> [UInt8]? {
    let lowered = text.lowercased()
    if lowered.hasPrefix("::ffff:"), let mapped = self.four(String(lowered.dropFirst(7))) { return mapped }
    return self.four(lowered) ?? self.sixteen(lowered)
  }

  private static func four(_ text: String) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    let bytes = parts.compactMap { $0.count <= 3 ? UInt8($0) : nil }
    return bytes.count == 4 ? bytes : nil
  }

  private static func sixteen(_ text: String) -> [UInt8]? {
    let halves = text.split(separator: "::", omittingEmptySubsequences: false).map { String($0) }
    guard halves.count <= 2 else { return nil }
    let groups = halves.map { half in half.split(separator: ":", omittingEmptySubsequences: false).map { UInt16($0, radix: 16) } }
    let left = halves[0].isEmpty ? [] : groups[0]
    let right = halves.count == 2 && !halves[1].isEmpty ? groups[1] : []
    let missing = 8 - left.count - right.count
    guard halves.count == 2 ? missing > 0 : missing == 0 else { return nil }
    let all = left + Array(repeating: 0, count: missing) + right
    guard all.allSatisfy({ $0 != nil }) else { return nil }
    return all.flatMap { group in [UInt8((group ?? 0) >> 8), UInt8((group ?? 0) & 0xFF)] }
  }
}
