public import GovernanceTypes

/// How the charge of one request comes about: each category's units, where they lie in the customer's month, and what they add to it.
///
/// A charge is the difference that a request makes to its month, rounded up once to a whole nano-unit. So the parts add up to the charge
/// exactly, and a part may differ from units times price by less than a nano-unit.
public struct ChargeBreakdown: Sendable, Equatable {
  public struct Part: Sendable, Equatable {
    public let category: UsageCategory
    /// Units of the request.
    public let quantity: Int
    /// Units that the month had before.
    public let before: Int
    public let amount: NanoAmount
    /// The arithmetic, as a sentence without its end.
    public let rule: String
  }

  /// Those with units, in the order of their categories.
  public let parts: [Part]

  /// What the request costs by its price.
  public var charge: NanoAmount { self.parts.reduce(.zero) { $0 + $1.amount } }

  /// - Parameter settled: what the month had when the request ended.
  public init(of usage: TokenUsage, at price: Price, after settled: PeriodQuantities) {
    self.parts = price.shares(of: settled.adding(usage), after: settled).compactMap { share in
      guard share.quantity > 0, let rate = price.rate(share.category) else { return nil }
      let before = price.quantity(share.category, settled)
      let step = RatedStep(rate: rate, before: before, quantity: share.quantity, currency: price.currency)
      return Part(category: share.category, quantity: share.quantity, before: before, amount: share.amount, rule: step.sentence)
    }
  }
}

/// Some units behind others of the same month, in words.
private struct RatedStep {
  let rate: Rate
  let before: Int
  let quantity: Int
  let currency: Currency

  private var after: Int { self.before + self.quantity }
  /// Of these units, those that the month has free.
  private var free: Int { min(self.after, self.rate.free) - min(self.before, self.rate.free) }
  /// Paid units of the month, before and after.
  private var paid: (before: Int, after: Int) { (max(0, self.before - self.rate.free), max(0, self.after - self.rate.free)) }

  var sentence: String {
    var pieces: [String] = []
    if self.free > 0 { pieces.append("\(self.free) of the month's first \(self.rate.free), which are free") }
    if self.paid.after > self.paid.before { pieces += self.pieces }
    if let maximum = self.rate.maximum, self.rate.running(self.after) >= maximum.nano * 1_000_000 {
      pieces.append("the month's maximum of \(self.money(maximum)) is reached")
    }
    return pieces.joined(separator: "; ")
  }

  private var pieces: [String] {
    switch self.rate.tariff {
    case .perUnit(let price): ["\(self.paid.after - self.paid.before) at \(self.money(price)) per million"]
    case .graduated(let tiers): self.graduated(tiers)
    case .volume(let tiers): self.volume(tiers)
    case .package(let size, let amount): [self.packages(size, amount)]
    }
  }

  private func graduated(_ tiers: [Tariff.Tier]) -> [String] {
    var (pieces, start): ([String], Int) = ([], 0)
    for tier in tiers {
      let end = tier.upTo ?? .max
      defer { start = end }
      let (first, last) = (max(self.paid.before, start), min(self.paid.after, end))
      guard first < last else { continue }
      let name = tier.upTo.map { "of the tier up to \($0)" } ?? "of the last tier"
      pieces.append("\(last - first) \(name) at \(self.money(tier.perMillion)) per million")
      if tier.flat > .zero, first == start { pieces.append("\(self.money(tier.flat)) for entering it") }
    }
    return pieces
  }

  private func volume(_ tiers: [Tariff.Tier]) -> [String] {
    guard let tier = tiers.first(where: { self.paid.after <= $0.upTo ?? .max }) else { return [] }
    let name = tier.upTo.map { "up to \($0)" } ?? "without end"
    let flat = tier.flat > .zero ? " and \(self.money(tier.flat))" : ""
    return [
      "the month's \(self.paid.after) all at \(self.money(tier.perMillion)) per million\(flat), the tier \(name), less what the \(self.paid.before) before were charged"
    ]
  }

  private func packages(_ size: Int, _ amount: NanoAmount) -> String {
    func begun(_ quantity: Int) -> Int { quantity == 0 ? 0 : (quantity - 1) / size + 1 }
    let new = begun(self.paid.after) - begun(self.paid.before)
    guard new > 0 else { return "within the package of \(size) that was begun before" }
    return "\(new) \(new == 1 ? "package" : "packages") of \(size) at \(self.money(amount)) begun"
  }

  private func money(_ amount: NanoAmount) -> String { "\(amount) \(self.currency)" }
}
