/// The tokens that may be drawn: all those at or above a cut in the order of falling logits, lower ids first among equals.
///
/// The cut is found digit by digit over the logits' bits, as a radix sort would, but following only the one bucket that
/// holds it: linear time without sorting, whatever the distribution.
struct Selection: Sendable {
  /// How far down the order to keep.
  enum Extent {
    /// This many tokens.
    case tokens(Int)
    /// The fewest tokens whose weight reaches this share of what is kept now.
    case share(Double)
  }

  private static let digits: [(shift: UInt32, count: Int)] = [(20, 4_096), (8, 4_096), (0, 256)]

  /// The last token that is kept: tokens of higher key, and those of the same key up to this index.
  private var cutKey: UInt32 = 0
  private var cutIndex = Int.max
  /// The weight of all kept tokens.
  private var mass = 0.0
  /// The weight or number of the members by digit; all 0 between two digits.
  private var buckets = [Double](repeating: 0, count: 4_096)
  /// The kept tokens whose leading digits are those of the cut, in order of index.
  private var members: [Int32] = []

  /// Keeps every token that has a weight.
  mutating func begin(weights: [Float]) {
    self.cutKey = 0
    self.cutIndex = Int.max
    self.mass = weights.reduce(0) { $0 + Double($1) }
    if self.members.capacity < weights.count { self.members.reserveCapacity(weights.count) }
  }

  /// Moves the cut up; never down.
  mutating func keep(_ extent: Extent, _ logits: Span<Float>, _ weights: [Float]) {
    self.gather(above: self.negligible(extent, weights.count), logits, weights)
    var above = 0.0
    var prefix: UInt32 = 0
    for (shift, count) in Selection.digits {
      var filled = count..<count
      for member in self.members {
        let index = Int(member)
        let digit = Int(Selection.key(logits[index]) >> shift) & (count - 1)
        self.buckets[digit] += Selection.measure(extent, weights[index])
        filled = min(filled.lowerBound, digit)..<(filled.isEmpty ? digit + 1 : max(filled.upperBound, digit + 1))
      }
      guard let digit = self.boundary(extent, filled, &above) else { return }
      for bucket in filled { self.buckets[bucket] = 0 }
      prefix |= UInt32(digit) << shift
      self.members.removeAll { Selection.key(logits[Int($0)]) >> shift != prefix >> shift }
    }
    self.settle(extent, prefix, above, logits, weights)
  }

  /// The kept token in which the given share of the kept weight, counted in order of index, falls.
  func token(at share: Double, _ logits: Span<Float>, _ weights: [Float]) -> Int? {
    let target = share * self.mass
    var sum = 0.0
    var last: Int?
    for index in weights.indices where weights[index] > 0 && self.keeps(index, logits[index]) {
      sum += Double(weights[index])
      last = index
      if sum > target { break }
    }
    return last
  }

  /// A number that orders as the logit does; both zeros are equal.
  private static func key(_ logit: Float) -> UInt32 {
    let bits = (logit + 0).bitPattern
    return bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
  }

  private static func measure(_ extent: Extent, _ weight: Float) -> Double {
    switch extent {
    case .tokens: 1
    case .share: Double(weight)
    }
  }

  private func target(_ extent: Extent) -> Double {
    switch extent {
    case .tokens(let count): Double(count)
    case .share(let share): share * self.mass
    }
  }

  private func keeps(_ index: Int, _ logit: Float) -> Bool {
    let key = Selection.key(logit)
    return key > self.cutKey || (key == self.cutKey && index <= self.cutIndex)
  }

  /// A weight so small that even all tokens at or below it together are less than what a share leaves out.
  private func negligible(_ extent: Extent, _ count: Int) -> Float {
    switch extent {
    case .tokens: 0
    // Less than the exact bound, to stay clear of rounding.
    case .share(let share): Float(0.99 * (1 - max(share, 0)) * self.mass / Double(count))
    }
  }

  private mutating func gather(above floor: Float, _ logits: Span<Float>, _ weights: [Float]) {
    self.members.removeAll(keepingCapacity: true)
    for index in weights.indices where weights[index] > floor && self.keeps(index, logits[index]) {
      self.members.append(Int32(index))
    }
  }

  /// The digit at which the extent is reached; `nil` where it is not, and all stays. `above` grows by what is before it.
  private func boundary(_ extent: Extent, _ filled: Range<Int>, _ above: inout Double) -> Int? {
    let target = self.target(extent)
    var sum = above
    var lowest: Int?
    for digit in filled.reversed() where self.buckets[digit] > 0 {
      lowest = digit
      above = sum
      sum += self.buckets[digit]
      if sum >= target { return digit }
    }
    return lowest
  }

  /// Sets the cut inside the members, which have one key and are in order of index, and weighs what is kept.
  private mutating func settle(
    _ extent: Extent, _ key: UInt32, _ above: Double, _ logits: Span<Float>, _ weights: [Float]
  ) {
    let target = self.target(extent)
    var sum = above
    self.cutKey = key
    for member in self.members {
      self.cutIndex = Int(member)
      sum += Selection.measure(extent, weights[Int(member)])
      if sum >= target { break }
    }
    self.mass = 0
    for index in weights.indices where weights[index] > 0 && self.keeps(index, logits[index]) {
      self.mass += Double(weights[index])
    }
  }
}
