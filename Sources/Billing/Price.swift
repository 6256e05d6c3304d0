// Billing: price books and rating. Tokens in, nano-units out, exactly; ledger records in, usage tables out.
// Holds versioned prices, the charge of a request, and the tables made of settled usage.
// It must never know a request's text, a limit, a store or a clock, and never uses floating point.

public import GovernanceTypes

/// What a model costs from an instant on, in one currency.
public struct Price: Sendable, Equatable {
  public let id: PriceID
  public let model: ModelID
  public let currency: Currency
  public let effectiveFrom: Timestamp
  /// Nano-units per 1,000,000 tokens, and per 1,000,000 requests for the category `request`.
  private let perMillion: [UsageCategory: NanoAmount]

  /// The highest price per million: 10^6 major units, so that no number of tokens can take a charge beyond 128 bits.
  public static let largest = NanoAmount(1_000_000 * 1_000_000_000)

  public enum Defect: Error, Sendable, Equatable {
    case negative(UsageCategory)
    /// More than ``largest``.
    case excessive(UsageCategory)
    /// A request could use tokens of this category, so a price must be given for it, if only zero.
    case missing(UsageCategory)
  }

  /// - Throws: ``Defect`` unless `prompt_uncached` and `completion` are priced and nothing is negative. Where `prompt_cached`
  ///   is not priced, cached tokens cost as much as uncached ones.
  public init(
    id: PriceID, model: ModelID, currency: Currency, effectiveFrom: Timestamp, perMillion: [UsageCategory: NanoAmount]
  ) throws(Defect) {
    for category in UsageCategory.allCases where (perMillion[category] ?? .zero) < .zero { throw .negative(category) }
    for category in UsageCategory.allCases where (perMillion[category] ?? .zero) > Self.largest { throw .excessive(category) }
    for category in [UsageCategory.promptUncached, .completion] where perMillion[category] == nil { throw .missing(category) }
    self.id = id
    self.model = model
    self.currency = currency
    self.effectiveFrom = effectiveFrom
    self.perMillion = perMillion
  }

  /// The price of a category per million; nil where it has none of its own.
  public func perMillion(_ category: UsageCategory) -> NanoAmount? { self.perMillion[category] }

  /// The charge of one request: the exact sum over categories, rounded up to a whole nano-unit once.
  public func charge(_ usage: TokenUsage) -> NanoAmount {
    let millionths =
      self.unitPrice(.promptUncached).nano * Int128(usage.promptUncached.value) + self.unitPrice(.promptCached).nano
      * Int128(usage.promptCached.value)
      + self.unitPrice(.completion).nano * Int128(usage.completion.value) + self.unitPrice(.training).nano
      * Int128(usage.training.value)
      + self.unitPrice(.request).nano
    return NanoAmount((millionths + 999_999) / 1_000_000)
  }

  /// The most that a prompt and a completion of these sizes can cost, whatever part of the prompt turns out to be cached.
  public func worstCase(prompt: TokenCount, completion: TokenCount) -> NanoAmount {
    max(
      self.charge(TokenUsage(promptUncached: prompt, completion: completion)),
      self.charge(TokenUsage(promptCached: prompt, completion: completion)))
  }

  /// The longest completion whose worst case stays within `amount`, at most `ceiling`; nil if the prompt alone costs more.
  public func affordableCompletion(
    prompt: TokenCount, within amount: NanoAmount, ceiling: TokenCount
  ) -> TokenCount? {
    guard self.worstCase(prompt: prompt, completion: .zero) <= amount else { return nil }
    var low = 0
    var high = ceiling.value
    while low < high {
      let middle = low + (high - low + 1) / 2
      if self.worstCase(prompt: prompt, completion: TokenCount(middle)) <= amount { low = middle } else { high = middle - 1 }
    }
    return TokenCount(low)
  }

  /// What a million of a category costs; cached tokens without a price of their own cost as much as uncached ones.
  func unitPrice(_ category: UsageCategory) -> NanoAmount {
    self.perMillion[category] ?? (category == .promptCached ? self.perMillion[.promptUncached] : nil) ?? .zero
  }
}

/// All prices, each in force from its own instant until the next one of the same model.
public struct PriceBook: Sendable {
  private var prices: [ModelID: [Price]] = [:]
  private var byID: [PriceID: Price] = [:]

  public init() {}

  public mutating func add(_ price: Price) {
    self.byID[price.id] = price
    self.prices[price.model, default: []].append(price)
    self.prices[price.model]?.sort { ($0.effectiveFrom, $0.id) < ($1.effectiveFrom, $1.id) }
  }

  /// The price in force at an instant; nil where the model has none yet.
  public func price(of model: ModelID, at now: Timestamp) -> Price? {
    self.prices[model]?.last { $0.effectiveFrom <= now }
  }

  public func price(_ id: PriceID) -> Price? { self.byID[id] }

  public var all: [Price] { self.prices.values.flatMap { $0 }.sorted { $0.id < $1.id } }
}
