public import GovernanceTypes

/// Tokens on their way from the engine to an invoice, per model and category: what was produced, what was settled, what was invoiced,
/// and every difference.
public struct CaptureRate: Sendable, Equatable {
  public struct Meter: Sendable, Hashable, Comparable {
    public let model: ModelID
    public let category: UsageCategory

    public init(_ model: ModelID, _ category: UsageCategory) {
      self.model = model
      self.category = category
    }

    public static func < (left: Self, right: Self) -> Bool {
      (left.model, left.category.rawValue) < (right.model, right.category.rawValue)
    }
  }

  public struct Row: Sendable, Equatable {
    public let meter: Meter
    /// As the engine counts, apart from the ledger.
    public let produced: Int
    public let settled: Int
    /// Produced for a request and by policy not charged: recorded with its settlement.
    public let undelivered: Int
    public let invoiced: Int

    /// Produced, and in no settlement; negative where more was settled than produced.
    public var unsettled: Int { self.produced - self.settled - self.undelivered }
    /// Settled, and on no invoice; negative where more was invoiced than settled.
    public var uninvoiced: Int { self.settled - self.invoiced }
    public var isComplete: Bool { self.unsettled == 0 && self.uninvoiced == 0 }
  }

  /// Why tokens are at one stage and not at the next.
  public enum Cause: String, Sendable, CaseIterable {
    case unsettled, undelivered, uninvoiced
  }

  public struct Difference: Sendable, Equatable {
    public let meter: Meter
    public let cause: Cause
    /// Negative where the later stage has more.
    public let tokens: Int
  }

  public let rows: [Row]

  /// Counts are taken up to the largest that a total may have.
  public init(
    produced: [Meter: TokenCount], settled: [Meter: TokenCount], undelivered: [Meter: TokenCount], invoiced: [Meter: TokenCount]
  ) {
    let meters = Set(produced.keys).union(settled.keys).union(undelivered.keys).union(invoiced.keys)
    self.rows = meters.sorted().map { meter in
      Row(
        meter: meter, produced: produced[meter]?.value ?? 0, settled: settled[meter]?.value ?? 0,
        undelivered: undelivered[meter]?.value ?? 0, invoiced: invoiced[meter]?.value ?? 0)
    }
  }

  /// All differences, in the order of the rows.
  public var differences: [Difference] {
    self.rows.flatMap { row in
      [(Cause.unsettled, row.unsettled), (.undelivered, row.undelivered), (.uninvoiced, row.uninvoiced)]
        .filter { $0.1 != 0 }.map { Difference(meter: row.meter, cause: $0.0, tokens: $0.1) }
    }
  }

  /// Invoiced, in millionths of what was produced and to be charged; nil where there was nothing to charge.
  public var millionths: Int? {
    let chargeable = self.rows.reduce(0) { $0 + Int128($1.produced - $1.undelivered) }
    guard chargeable > 0 else { return nil }
    return Int(self.rows.reduce(0) { $0 + Int128($1.invoiced) } * 1_000_000 / chargeable)
  }

  /// What invoices have of each meter, credit notes not counted: they correct money, not tokens.
  ///
  /// Tokens of cached prompts that a price charges as uncached ones are on the invoice as these; count the settled ones the same way
  /// with ``settled(_:)``.
  public static func invoiced(_ invoices: [Invoice]) -> [Meter: TokenCount] {
    var sums: [Meter: TokenCount] = [:]
    for line in invoices.filter({ !$0.isCreditNote }).flatMap(\.lines) {
      guard case .usage(_, let model, let category) = line.kind, category != .request else { continue }
      sums[Meter(model, category), default: .zero] += TokenCount(line.quantity)
    }
    return sums
  }

  /// What was settled, in the categories that invoices charge it by. What a price has no rate for stands in no invoice, and not here.
  public static func settled(_ usages: [PricedUsage]) -> [Meter: TokenCount] {
    var sums: [Meter: TokenCount] = [:]
    for usage in usages {
      for category in UsageCategory.allCases where category != .request && usage.price.rate(category) != nil {
        let quantity = usage.price.quantity(category, usage.quantities)
        if quantity > 0 { sums[Meter(usage.price.model, category), default: .zero] += TokenCount(quantity) }
      }
    }
    return sums
  }
}
