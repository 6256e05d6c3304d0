public import GovernanceTypes

/// Says once when a customer's balance falls to a mark, and again only after it was above it.
public struct BalanceWatch: Sendable, Equatable {
  public struct Crossing: Sendable, Equatable {
    public let customer: CustomerID
    /// The lowest mark that was crossed.
    public let mark: Money
    public let balance: Money
    /// Nothing is left.
    public var kind: Webhook.Kind { self.balance.amount > .zero ? .balanceLow : .balanceExhausted }
  }

  private struct Place: Hashable {
    var customer: CustomerID
    var currency: Currency
  }

  /// By currency, and always with nothing as the last.
  private let marks: [Currency: [NanoAmount]]
  /// How many marks the balance is at or below.
  private var crossed: [Place: Int] = [:]

  public init(marks: [Money]) {
    var sorted: [Currency: [NanoAmount]] = [:]
    for mark in marks where mark.amount > .zero { sorted[mark.currency, default: []].append(mark.amount) }
    self.marks = sorted.mapValues { Set($0).sorted(by: >) + [.zero] }
  }

  /// Takes note of a balance, and says what it crossed.
  public mutating func observe(_ customer: CustomerID, _ balance: Money) -> Crossing? {
    let marks = self.marks[balance.currency] ?? [.zero]
    let place = Place(customer: customer, currency: balance.currency)
    let now = marks.count { balance.amount <= $0 }
    let before = self.crossed.updateValue(now, forKey: place) ?? 0
    guard now > before else { return nil }
    return Crossing(customer: customer, mark: Money(marks[now - 1], balance.currency), balance: balance)
  }
}

/// Says once a period when spending reaches a share of a budget.
public struct BudgetWatch: Sendable, Equatable {
  public struct Crossing: Sendable, Equatable {
    public let customer: CustomerID
    public let percent: Int
    public let spent: Money
    public let budget: Money
  }

  private struct Place: Hashable {
    var customer: CustomerID
    var period: CalendarMonth
    var currency: Currency
  }

  /// In percent of the budget, rising.
  public let steps: [Int]
  private var reached: [Place: Int] = [:]

  public init(steps: [Int] = [50, 80, 90, 100]) { self.steps = Set(steps).filter { $0 > 0 && $0 <= 1000 }.sorted() }

  /// Takes note of what was spent, and says the highest step that this reached; nil without a budget, in another currency, or where
  /// nothing new was reached.
  public mutating func observe(_ customer: CustomerID, spent: Money, of budget: Money, in period: CalendarMonth) -> Crossing? {
    guard budget.amount > .zero, budget.currency == spent.currency,
      spent.amount.nano.magnitude <= InvoiceDraft.largest.nano.magnitude,
      budget.amount <= InvoiceDraft.largest
    else { return nil }
    let place = Place(customer: customer, period: period, currency: budget.currency)
    let now = self.steps.count { spent.amount.nano * 100 >= budget.amount.nano * Int128($0) }
    let before = self.reached[place] ?? 0
    guard now > before else { return nil }
    self.reached[place] = now
    return Crossing(customer: customer, percent: self.steps[now - 1], spent: spent, budget: budget)
  }
}
