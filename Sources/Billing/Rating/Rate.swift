public import GovernanceTypes

/// How one category is charged in a period: a tariff, what is free before it, and the most that it comes to.
public struct Rate: Sendable, Equatable {
  public var tariff: Tariff
  /// Units of each period that cost nothing; the tariff counts from there.
  public var free: Int
  /// What a period's units cost together at most; nil for no bound.
  public var maximum: NanoAmount?

  public init(_ tariff: Tariff, free: Int = 0, maximum: NanoAmount? = nil) {
    self.tariff = tariff
    self.free = free
    self.maximum = maximum
  }

  /// F, in millionths of a nano-unit.
  func cost(_ quantity: Int) -> Int128 { self.bounded(self.tariff.cost(self.paid(quantity))) }

  /// What has been charged request by request once the period has this quantity: never less than before. It never exceeds the
  /// largest ``cost(_:)`` on the way.
  func running(_ quantity: Int) -> Int128 { self.bounded(self.tariff.running(self.paid(quantity))) }

  func steepest(_ quantity: Int, beyond settled: Int) -> (slope: Int128, jumps: Int128) {
    if let maximum, self.running(settled) >= maximum.nano * 1_000_000 { return (0, 0) }
    return self.tariff.steepest(quantity, beyond: self.paid(settled))
  }

  private func paid(_ quantity: Int) -> Int { max(0, quantity - self.free) }

  private func bounded(_ cost: Int128) -> Int128 {
    guard let maximum else { return cost }
    return min(cost, maximum.nano * 1_000_000)
  }
}

/// What one customer has used in one period at one price: where its tariffs stand.
public struct PeriodQuantities: Sendable, Hashable {
  public var tokens: TokenUsage
  public var requests: Int

  public static let none = PeriodQuantities()

  public init(tokens: TokenUsage = TokenUsage(), requests: Int = 0) {
    self.tokens = tokens
    self.requests = requests
  }

  /// Each count stays at the largest that there is where a sum would be beyond it: no engine's figures can end the process.
  public static func + (left: Self, right: Self) -> Self {
    func sum(_ part: KeyPath<TokenUsage, TokenCount>) -> TokenCount {
      TokenCount(Self.sum(left.tokens[keyPath: part].value, right.tokens[keyPath: part].value))
    }
    return PeriodQuantities(
      tokens: TokenUsage(
        promptUncached: sum(\.promptUncached), promptCached: sum(\.promptCached), completion: sum(\.completion),
        training: sum(\.training)), requests: Self.sum(left.requests, right.requests))
  }

  private static func sum(_ left: Int, _ right: Int) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? TokenCount.largest.value : min(sum, TokenCount.largest.value)
  }

  /// These quantities and one more request.
  public func adding(_ usage: TokenUsage) -> Self { self + PeriodQuantities(tokens: usage, requests: 1) }
}

/// What a category has in a charge.
public struct CategoryShare: Sendable, Equatable {
  public let category: UsageCategory
  public let quantity: Int
  public let amount: NanoAmount
}
