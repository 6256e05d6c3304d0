public import GovernanceTypes

struct CreditAccountKey: Hashable, Sendable {
  var customer: CustomerID
  var currency: Currency
}

struct CreditAccount: Sendable {
  var granted: NanoAmount = .zero
  var settled: NanoAmount = .zero
  var held: NanoAmount = .zero

  var available: NanoAmount { self.granted - self.settled - self.held }
}

extension Ledger {
  /// Adds prepaid credit. From its first grant on, in any currency, a customer is prepaid: it spends what was granted and no more.
  public mutating func grant(_ amount: NanoAmount, _ currency: Currency, to customer: CustomerID) {
    precondition(amount > .zero, "a grant is positive")
    self.credits[CreditAccountKey(customer: customer, currency: currency), default: CreditAccount()].granted += amount
    self.prepaid.insert(customer)
  }

  public func isPrepaid(_ customer: CustomerID) -> Bool { self.prepaid.contains(customer) }

  /// What a customer can still spend of its credit in a currency: granted, less settled, less held.
  public func availableCredit(_ customer: CustomerID, _ currency: Currency) -> NanoAmount {
    self.credits[CreditAccountKey(customer: customer, currency: currency)]?.available ?? .zero
  }
}
