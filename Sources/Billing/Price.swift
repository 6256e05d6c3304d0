// Billing: price books and rating. Tokens in, nano-units out, exactly; ledger records in, invoices and usage tables out.
// Holds versioned prices, the charge of a request, and the tables made of settled usage.
// It must never know a request's text, a limit, a store or a clock, and never uses floating point.

public import GovernanceTypes

/// What a model costs from an instant on, in one currency: for everyone, or for one customer.
///
/// A price rates periods, which are calendar months: ``total(_:)`` is F of a month's quantities, and a request costs the
/// difference that it makes, so that the charges of a month are exactly F of the month.
public struct Price: Sendable, Equatable {
  public let id: PriceID
  public let model: ModelID
  /// The one customer that it was negotiated with; nil for all others.
  public let customer: CustomerID?
  public let currency: Currency
  public let effectiveFrom: Timestamp
  private let rates: [UsageCategory: Rate]

  /// The highest price per million: 10^6 major units, so that no number of tokens can take a charge beyond 128 bits.
  public static let largest = Tariff.largest

  public enum Defect: Error, Sendable, Equatable {
    case tariff(UsageCategory, Tariff.Defect)
    /// A free allowance or a maximum that is negative or out of range.
    case allowance(UsageCategory)
    /// A request could use tokens of this category, so a price must be given for it, if only zero.
    case missing(UsageCategory)
  }

  /// - Throws: ``Defect`` unless `prompt_uncached` and `completion` are priced and every rate can rate any quantity. Where
  ///   `prompt_cached` is not priced, cached tokens are uncached ones.
  public init(
    id: PriceID, model: ModelID, customer: CustomerID? = nil, currency: Currency, effectiveFrom: Timestamp,
    rates: [UsageCategory: Rate]
  ) throws(Defect) {
    for category in UsageCategory.allCases {
      guard let rate = rates[category] else { continue }
      do throws(Tariff.Defect) { _ = try rate.tariff.validated() } catch { throw .tariff(category, error) }
      guard rate.free >= 0, rate.free <= TokenCount.largest.value, (.zero...NanoAmount.largest).contains(rate.maximum ?? .zero)
      else { throw .allowance(category) }
    }
    for category in [UsageCategory.promptUncached, .completion] where rates[category] == nil { throw .missing(category) }
    self.id = id
    self.model = model
    self.customer = customer
    self.currency = currency
    self.effectiveFrom = effectiveFrom
    self.rates = rates
  }

  /// A price whose every unit costs the same: nano-units per 1,000,000 tokens, and per 1,000,000 requests for `request`.
  public init(
    id: PriceID, model: ModelID, customer: CustomerID? = nil, currency: Currency, effectiveFrom: Timestamp,
    perMillion: [UsageCategory: NanoAmount]
  ) throws(Defect) {
    try self.init(
      id: id, model: model, customer: customer, currency: currency, effectiveFrom: effectiveFrom,
      rates: perMillion.mapValues { Rate(.perUnit($0)) })
  }

  /// How a category is charged; nil where it has no rate of its own.
  public func rate(_ category: UsageCategory) -> Rate? { self.rates[category] }

  /// The price of a category per million where every unit costs the same; nil where it has none, or tiers or packages.
  public func perMillion(_ category: UsageCategory) -> NanoAmount? {
    guard case .perUnit(let price)? = self.rates[category]?.tariff else { return nil }
    return price
  }

  // MARK: Rating

  /// F of a period: what these quantities cost together, rounded up once to a whole nano-unit.
  public func total(_ quantities: PeriodQuantities) -> NanoAmount {
    Self.rounded(UsageCategory.allCases.reduce(0) { $0 + (self.rates[$1]?.cost(self.quantity($1, quantities)) ?? 0) })
  }

  /// What has been charged request by request for these quantities. More than ``total(_:)`` only where a volume tier made more cost
  /// less; the difference is given back when the period is invoiced.
  public func charged(_ quantities: PeriodQuantities) -> NanoAmount {
    Self.rounded(UsageCategory.allCases.reduce(0) { $0 + (self.rates[$1]?.running(self.quantity($1, quantities)) ?? 0) })
  }

  /// The parts that the categories have in what these quantities are charged beyond `settled`: each is the difference that its
  /// category makes after those before it, so that the parts add up to `charged(quantities) - charged(settled)` exactly.
  public func shares(of quantities: PeriodQuantities, after settled: PeriodQuantities = .none) -> [CategoryShare] {
    var sum: Int128 = 0
    for category in UsageCategory.allCases { sum += self.rates[category]?.running(self.quantity(category, settled)) ?? 0 }
    return UsageCategory.allCases.compactMap { category in
      guard let rate = self.rates[category] else { return nil }
      let (before, after) = (self.quantity(category, settled), self.quantity(category, quantities))
      let next = sum - rate.running(before) + rate.running(after)
      defer { sum = next }
      return CategoryShare(category: category, quantity: after - before, amount: Self.rounded(next) - Self.rounded(sum))
    }
  }

  /// What a category is charged for, of these quantities.
  public func quantity(_ category: UsageCategory, _ quantities: PeriodQuantities) -> Int {
    let tokens = quantities.tokens
    switch category {
    case .promptUncached:
      return tokens.promptUncached.value + (self.rates[.promptCached] == nil ? tokens.promptCached.value : 0)
    case .promptCached: return tokens.promptCached.value
    case .completion: return tokens.completion.value
    case .training: return tokens.training.value
    case .request: return quantities.requests
    }
  }

  /// The charge of one request: the difference that it makes to a period which already has `settled`.
  public func charge(_ usage: TokenUsage, after settled: PeriodQuantities) -> NanoAmount {
    self.charged(settled.adding(usage)) - self.charged(settled)
  }

  /// The charge of the first request of a period.
  public func charge(_ usage: TokenUsage) -> NanoAmount { self.charge(usage, after: .none) }

  /// The most that a prompt and a completion of these sizes can cost, whatever part of the prompt turns out to be cached and
  /// however much other requests of the period settle before.
  public func worstCase(prompt: TokenCount, completion: TokenCount, after settled: PeriodQuantities = .none) -> NanoAmount {
    let uncached = self.steepest(.promptUncached, prompt.value, settled)
    let cached = self.steepest(.promptCached, prompt.value, settled)
    let answer = self.steepest(.completion, completion.value, settled)
    let request = self.steepest(.request, 1, settled)
    return Self.rounded(
      max(uncached.slope, cached.slope) * Int128(prompt.value) + uncached.jumps + cached.jumps
        + answer.slope * Int128(completion.value) + answer.jumps + request.slope + request.jumps)
  }

  /// The longest completion whose worst case stays within `amount`, at most `ceiling`; nil if the prompt alone costs more.
  public func affordableCompletion(
    prompt: TokenCount, within amount: NanoAmount, ceiling: TokenCount, after settled: PeriodQuantities = .none
  ) -> TokenCount? {
    guard self.worstCase(prompt: prompt, completion: .zero, after: settled) <= amount else { return nil }
    var low = 0
    var high = ceiling.value
    while low < high {
      let middle = low + (high - low + 1) / 2
      if self.worstCase(prompt: prompt, completion: TokenCount(middle), after: settled) <= amount {
        low = middle
      } else {
        high = middle - 1
      }
    }
    return TokenCount(low)
  }

  private func steepest(
    _ category: UsageCategory, _ quantity: Int, _ settled: PeriodQuantities
  ) -> (slope: Int128, jumps: Int128) {
    self.rates[category]?.steepest(quantity, beyond: self.quantity(category, settled)) ?? (0, 0)
  }

  private static func rounded(_ millionths: Int128) -> NanoAmount { NanoAmount((millionths + 999_999) / 1_000_000) }

  /// The price of a category per million where every unit costs just that: nil where there are tiers, packages, an allowance or a
  /// maximum. Cached tokens without a rate of their own are uncached ones; what has no rate costs nothing.
  func plainPrice(_ category: UsageCategory) -> NanoAmount? {
    guard let rate = self.rates[category] ?? (category == .promptCached ? self.rates[.promptUncached] : nil) else { return .zero }
    guard case .perUnit(let price) = rate.tariff, rate.free == 0, rate.maximum == nil else { return nil }
    return price
  }

  /// What a million of a category costs at the first paid unit; cached tokens without a rate of their own are uncached ones.
  func unitPrice(_ category: UsageCategory) -> NanoAmount {
    self.perMillion(category) ?? (category == .promptCached ? self.perMillion(.promptUncached) : nil) ?? .zero
  }
}

/// All prices, each in force from its own instant until the next one of the same model and customer.
public struct PriceBook: Sendable {
  private struct Line: Hashable {
    var model: ModelID
    var customer: CustomerID?
  }

  private var prices: [Line: [Price]] = [:]
  private var byID: [PriceID: Price] = [:]

  public init() {}

  public mutating func add(_ price: Price) {
    let line = Line(model: price.model, customer: price.customer)
    self.byID[price.id] = price
    self.prices[line, default: []].append(price)
    self.prices[line]?.sort { ($0.effectiveFrom, $0.id) < ($1.effectiveFrom, $1.id) }
  }

  /// The price in force at an instant: the customer's own where there is one, else everyone's; nil where there is none yet.
  public func price(of model: ModelID, for customer: CustomerID? = nil, at now: Timestamp) -> Price? {
    let own = customer.flatMap { self.prices[Line(model: model, customer: $0)]?.last { $0.effectiveFrom <= now } }
    return own ?? self.prices[Line(model: model, customer: nil)]?.last { $0.effectiveFrom <= now }
  }

  /// A price that is in force from the same instant on for the same model and customer: two would overlap, and which one counts would
  /// be an accident of their ids. To be refused before ``add(_:)``.
  public func overlap(of price: Price) -> PriceID? {
    let line = Line(model: price.model, customer: price.customer)
    return self.prices[line]?.first { $0.effectiveFrom == price.effectiveFrom && $0.id != price.id }?.id
  }

  public func price(_ id: PriceID) -> Price? { self.byID[id] }

  public var all: [Price] { self.byID.values.sorted { $0.id < $1.id } }
}
