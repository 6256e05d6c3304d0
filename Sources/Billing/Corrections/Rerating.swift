public import GovernanceTypes

/// One customer's month at one price.
public struct CustomerUsage: Sendable, Equatable {
  public var customer: CustomerID
  public var usage: PricedUsage

  public init(customer: CustomerID, usage: PricedUsage) {
    self.customer = customer
    self.usage = usage
  }
}

/// What another price makes of a month that was rated: whom it touches, and by how much. The correction of a wrong price, or the
/// preview of a new one.
public struct Rerating: Sendable, Equatable {
  public struct Effect: Sendable, Equatable {
    public let customer: CustomerID
    /// What the month came to, give-back of volume tiers included, and what it comes to at the other price.
    public let before: NanoAmount
    public let after: NanoAmount
    /// To be charged in addition; negative for what is to be given back.
    public var adjustment: NanoAmount { self.after - self.before }
  }

  public enum Defect: Error, Sendable, Equatable {
    case currency(PriceID, Currency)
    case model(PriceID, ModelID)
    /// The customer's usage is there twice.
    case twice(CustomerID)
  }

  /// Customers whose month changes, by id.
  public let effects: [Effect]
  /// Customers whose month stays as it is.
  public let untouched: Int
  public let before: NanoAmount
  public let after: NanoAmount

  /// What is corrected: a price that is negotiated with one customer touches only that one.
  ///
  /// O(customers · log customers).
  public init(_ usages: [CustomerUsage], at price: Price) throws(Defect) {
    var effects: [Effect] = []
    var totals = (before: NanoAmount.zero, after: NanoAmount.zero)
    var last: CustomerID?
    for item in usages.sorted(by: { $0.customer < $1.customer }) {
      guard item.customer != last else { throw .twice(item.customer) }
      last = item.customer
      let usage = item.usage
      guard usage.price.currency == price.currency else { throw .currency(usage.price.id, usage.price.currency) }
      guard usage.price.model == price.model else { throw .model(usage.price.id, usage.price.model) }
      let before = Self.invoiced(usage)
      let isTouched = price.customer == nil || price.customer == item.customer
      // What a request's hold kept from being charged is not charged now.
      let withheld = usage.settled - usage.price.charged(usage.quantities)
      let after = isTouched ? max(price.total(usage.quantities) + withheld, .zero) : before
      totals.before += before
      totals.after += after
      if after != before { effects.append(Effect(customer: item.customer, before: before, after: after)) }
    }
    self.effects = effects
    self.untouched = usages.count - effects.count
    self.before = totals.before
    self.after = totals.after
  }

  private static func invoiced(_ usage: PricedUsage) -> NanoAmount {
    usage.settled - usage.price.charged(usage.quantities) + usage.price.total(usage.quantities)
  }
}

extension Invoice {
  /// How lines of this invoice are credited so that `amount`, a part of what one of its prices came to, is given back: usage lines
  /// first, the largest first. Nil if they do not have so much left.
  public func corrections(givingBack amount: NanoAmount, of price: PriceID, earlier: [Invoice] = []) -> [LineCorrection]? {
    var rest = amount
    var corrections: [LineCorrection] = []
    let left = self.whole(after: earlier).filter { correction in
      correction.amount > .zero && self.lines.contains { $0.id == correction.line && $0.kind.price == price }
    }
    for line in left.sorted(by: { ($0.amount, $1.line) > ($1.amount, $0.line) }) where rest > .zero {
      let part = min(rest, line.amount)
      corrections.append(LineCorrection(line: line.line, amount: part))
      rest -= part
    }
    return rest == .zero ? corrections : nil
  }
}
