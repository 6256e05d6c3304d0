public import GovernanceTypes

/// What the whole quantity of one category costs in a period.
///
/// A tariff is a function F of the period's quantity, exact in millionths of a nano-unit; what a request costs is the difference
/// that it makes, so that requests add up to F of their sum, whatever their order.
public enum Tariff: Sendable, Equatable {
  /// Every unit costs the same: nano-units per 1,000,000.
  case perUnit(NanoAmount)
  /// Each unit costs what its own tier says; a tier's flat amount is due with its first unit.
  case graduated([Tier])
  /// All units cost what the tier says in which the quantity ends, and that tier's flat amount is due.
  case volume([Tier])
  /// Whole packages are paid for: each `size` units begun cost `amount`.
  case package(size: Int, amount: NanoAmount)

  /// A range of quantities: from the end of the tier before, to `upTo` included.
  public struct Tier: Sendable, Equatable {
    /// nil for the last tier, which has no end.
    public var upTo: Int?
    public var perMillion: NanoAmount
    public var flat: NanoAmount

    public init(upTo: Int?, perMillion: NanoAmount, flat: NanoAmount = .zero) {
      self.upTo = upTo
      self.perMillion = perMillion
      self.flat = flat
    }
  }

  /// The largest price per million, flat amount or package: 10^6 major units, so that no quantity takes a cost beyond 128 bits.
  public static let largest = NanoAmount(1_000_000 * 1_000_000_000)
  /// More tiers than anyone can read.
  public static let mostTiers = 64

  public enum Defect: Error, Sendable, Equatable {
    case negative
    /// More than ``largest``.
    case excessive
    case emptyTiers
    case tooManyTiers
    /// Ends of tiers must rise, from 1 on; the last tier, and it alone, has none.
    case tierEnds
    case packageSize
  }

  /// - Throws: ``Defect`` for what no quantity could be rated with.
  public func validated() throws(Defect) -> Self {
    switch self {
    case .perUnit(let price): try Self.check(price)
    case .package(let size, let amount):
      guard size >= 1, size <= TokenCount.largest.value else { throw .packageSize }
      try Self.check(amount)
    case .graduated(let tiers), .volume(let tiers): try Self.check(tiers)
    }
    return self
  }

  private static func check(_ tiers: [Tier]) throws(Defect) {
    guard !tiers.isEmpty else { throw .emptyTiers }
    guard tiers.count <= Self.mostTiers else { throw .tooManyTiers }
    var last = 0
    for (index, tier) in tiers.enumerated() {
      try Self.check(tier.perMillion)
      try Self.check(tier.flat)
      guard (tier.upTo == nil) == (index == tiers.count - 1) else { throw .tierEnds }
      guard let end = tier.upTo else { continue }
      guard end > last, end <= TokenCount.largest.value else { throw .tierEnds }
      last = end
    }
  }

  private static func check(_ amount: NanoAmount) throws(Defect) {
    guard amount >= .zero else { throw .negative }
    guard amount <= Self.largest else { throw .excessive }
  }
}

// MARK: Costs, in millionths of a nano-unit

extension Tariff {
  /// F: what a period's whole quantity costs.
  func cost(_ quantity: Int) -> Int128 {
    guard quantity > 0 else { return 0 }
    switch self {
    case .perUnit(let price): return price.nano * Int128(quantity)
    case .package(let size, let amount): return Int128((quantity - 1) / size + 1) * amount.nano * 1_000_000
    case .graduated(let tiers):
      var (sum, start): (Int128, Int) = (0, 0)
      for tier in tiers where quantity > start {
        let end = tier.upTo ?? .max
        sum += tier.flat.nano * 1_000_000 + tier.perMillion.nano * Int128(min(quantity, end) - start)
        start = end
      }
      return sum
    case .volume(let tiers):
      guard let tier = tiers.first(where: { quantity <= $0.upTo ?? .max }) else { return 0 }
      return tier.cost(all: quantity)
    }
  }

  /// The largest cost of any quantity up to this one. It is ``cost(_:)`` but where a volume tier makes more cost less: a request
  /// is never charged a negative amount, and what a cheaper tier gives back is given back when the period is invoiced.
  func running(_ quantity: Int) -> Int128 {
    guard case .volume(let tiers) = self else { return self.cost(quantity) }
    // Within a tier more costs more, so the largest cost of each tier is at its end, or at the quantity.
    var (most, start): (Int128, Int) = (0, 0)
    for tier in tiers where quantity > start {
      let end = tier.upTo ?? .max
      most = max(most, tier.cost(all: min(quantity, end)))
      start = end
    }
    return most
  }

  /// A bound on what `quantity` further units can cost, wherever beyond `settled` they come to lie: other requests may settle in
  /// between. At most `slope` a unit, and `jumps` besides.
  func steepest(_ quantity: Int, beyond settled: Int) -> (slope: Int128, jumps: Int128) {
    switch self {
    case .perUnit(let price): return (price.nano, 0)
    case .package(let size, let amount):
      // Any run of q units begins at most ceil(q / size) packages.
      return (0, quantity > 0 ? Int128((quantity - 1) / size + 1) * amount.nano * 1_000_000 : 0)
    case .graduated(let tiers), .volume(let tiers):
      let ahead = Self.bounds(tiers).filter { $0.end > settled }
      let slope = ahead.map(\.tier.perMillion.nano).max() ?? 0
      let jumps = ahead.filter { $0.start >= settled }.map { (at: $0.start, size: self.jump(into: $0)) }
      // The most that one run of `quantity` units can cross.
      let most = jumps.map { first in
        jumps.filter { $0.at >= first.at && $0.at - first.at < max(quantity, 1) }.reduce(0) { $0 + $1.size }
      }
      return (slope, quantity > 0 ? most.max() ?? 0 : 0)
    }
  }

  /// What entering a tier adds to the running cost besides the price of the units in it.
  private func jump(into bound: Bound) -> Int128 {
    let flat = bound.tier.flat.nano * 1_000_000
    guard case .volume = self else { return flat }
    return max(0, flat + bound.tier.perMillion.nano * Int128(bound.start) - self.running(bound.start))
  }

  private struct Bound {
    var start: Int
    var end: Int
    var tier: Tier
  }

  private static func bounds(_ tiers: [Tier]) -> [Bound] {
    var start = 0
    return tiers.map { tier in
      defer { start = tier.upTo ?? start }
      return Bound(start: start, end: tier.upTo ?? .max, tier: tier)
    }
  }
}

extension Tariff.Tier {
  /// What all units cost where this tier decides for all of them.
  fileprivate func cost(all quantity: Int) -> Int128 {
    self.flat.nano * 1_000_000 + self.perMillion.nano * Int128(quantity)
  }
}
