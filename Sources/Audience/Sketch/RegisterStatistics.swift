/// What the likelihood of a count needs of the registers, in exact integers, so that equal registers give equal estimates.
///
/// A register that gets x fingerprints on average has not seen a value of chance 2^-j with probability exp(-x 2^-j). So the
/// logarithm of the likelihood of x is -x · absent + Σ_j present[j] · ln(1 - exp(-x 2^-j)), where `absent` sums the chances of
/// all values known not to have been seen, and `present[j]` counts the values of chance 2^-j known to have been seen (Ertl,
/// section 3.2).
struct RegisterStatistics: Sendable, Equatable {
  /// In units of 2^-50; a register has 2^50 at most. The sum of empty registers, 2^64, wraps to 0, which `present` tells apart.
  private var absent: UInt64 = 0
  /// By j, the binary logarithm of the chance: 3 to 50.
  private var present: [UInt32]

  private static let leastChance = 64 - RegisterSketch.indexBits
  private static let greatestChance = RegisterSketch.blockBits + 1

  init(of registers: [UInt32]) {
    self.present = [UInt32](repeating: 0, count: Self.leastChance + 1)
    for register in registers { self.add(register) }
  }

  mutating func replace(_ old: UInt32, by new: UInt32) {
    self.count(old) { statistics, chance, seen, unseen in
      statistics.present[chance] &-= seen
      statistics.absent &-= unseen
    }
    self.add(new)
  }

  private mutating func add(_ register: UInt32) {
    self.count(register) { statistics, chance, seen, unseen in
      statistics.present[chance] &+= seen
      statistics.absent &+= unseen
    }
  }

  /// Calls `take` for each block of values of which the register knows: the block's chance, how many were seen, and the sum of
  /// the chances of the others.
  @inline(__always)
  private mutating func count(_ register: UInt32, _ take: (inout Self, _ chance: Int, _ seen: UInt32, _ unseen: UInt64) -> Void) {
    let window = RegisterSketch.windowBits
    let highest = Int(register >> UInt32(window))
    guard highest > 0 else { return take(&self, 0, 0, 1 << UInt64(Self.leastChance)) }
    take(&self, Self.chance(of: highest), 1, Self.chanceAbove(highest))
    let blockSize = 1 << RegisterSketch.blockBits
    var value = max(1, highest - window)
    while value < highest {
      let blockEnd = min(highest, ((value - 1) / blockSize + 1) * blockSize + 1)
      let known = UInt32(blockEnd - value)
      let mask: UInt32 = (1 << known - 1) << UInt32(value - highest + window)
      let seen = UInt32((register & mask).nonzeroBitCount)
      let chance = Self.chance(of: value)
      take(&self, chance, seen, UInt64(known - seen) << UInt64(Self.leastChance - chance))
      value = blockEnd
    }
  }

  /// The binary logarithm, negated, of the chance of a value.
  private static func chance(of value: Int) -> Int {
    min(Self.greatestChance + (value - 1) >> RegisterSketch.blockBits, Self.leastChance)
  }

  /// The chance of any value above this one, in units of 2^-50 (Ertl, equation 14).
  private static func chanceAbove(_ value: Int) -> UInt64 {
    let chance = Self.chance(of: value)
    let values = (1 + chance - RegisterSketch.blockBits) << RegisterSketch.blockBits - value
    return UInt64(values) << UInt64(Self.leastChance - chance)
  }

  private var isEmpty: Bool { self.present.allSatisfy { $0 == 0 } }

  /// The chance that one more fingerprint changes a register: the mean over the registers of the chances not yet seen.
  var chanceOfChange: Double {
    self.isEmpty ? 1 : Double(self.absent) / Double(sign: .plus, exponent: 64, significand: 1)
  }
}

// The maximum of the likelihood.
extension RegisterStatistics {
  /// The number of fingerprints that most likely left the registers. The bias of the maximum, some 6 millionths for this number
  /// of registers (Ertl, section 3.2), is far below the error and left in.
  ///
  /// The derivative of the likelihood falls and is convex in x, so that Newton's method from below its root goes up to it and
  /// never past it. O(iterations × 48): about a microsecond.
  var likeliestCount: Double {
    guard !self.isEmpty else { return 0 }
    guard self.absent > 0 else { return Double(AudienceEstimate.largest) }
    var mean = self.leastMean
    for _ in 0..<64 {
      let (value, slope) = self.derivative(at: mean)
      let step = value / slope
      guard step > mean * 1e-14 else { break }
      mean += step
    }
    return mean * Double(RegisterSketch.registerCount)
  }

  /// A lower bound of the root: 1/(e^z - 1) is at least 1/z - 1/2.
  private var leastMean: Double {
    var values = 0.0
    var halves = Self.real(self.absent)
    for chance in Self.greatestChance...Self.leastChance {
      let seen = Double(self.present[chance])
      values += seen
      halves += seen / 2 * Self.power(chance)
    }
    return values / halves
  }

  /// Σ_j present[j] 2^-j / (e^z - 1) - absent, with z = x 2^-j, and the negative of its derivative.
  private func derivative(at mean: Double) -> (value: Double, slope: Double) {
    var value = -Self.real(self.absent)
    var slope = 0.0
    var growth = exponentialMinusOne(mean * Self.power(Self.leastChance))
    for chance in stride(from: Self.leastChance, through: Self.greatestChance, by: -1) {
      let seen = Double(self.present[chance])
      let weight = Self.power(chance)
      let inverse = 1 / growth
      value += seen * weight * inverse
      slope += seen * weight * weight * (inverse + inverse * inverse)
      // e^2z - 1 from e^z - 1, without loss of digits.
      growth *= 2 + growth
    }
    return (value, slope)
  }

  private static func real(_ chances: UInt64) -> Double { Double(chances) * Self.power(Self.leastChance) }

  private static func power(_ chance: Int) -> Double { Double(sign: .plus, exponent: -chance, significand: 1) }
}
