/// Random numbers that depend on a seed and a position only (SplitMix64: a counter, mixed).
///
/// Not for secrets. Reference: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
struct RandomStream: Sendable {
  private var counter: UInt64

  /// The seed is mixed first, so that neighbouring seeds do not give shifted copies of one stream.
  init(seed: UInt64) {
    self.counter = RandomStream.mixed(seed &+ 0x9E37_79B9_7F4A_7C15)
  }

  mutating func next() -> UInt64 {
    self.counter &+= 0x9E37_79B9_7F4A_7C15
    return RandomStream.mixed(self.counter)
  }

  /// Uniform in 0 ..< 1, a multiple of 2^-53.
  mutating func nextUnit() -> Double {
    Double(self.next() >> 11) * 0x1p-53
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var bits = value
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }
}
