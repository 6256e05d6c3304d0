public import GovernanceTypes

/// What has gone of one grant of prepaid credit: to settlements, and by expiry.
public struct CreditUse: Sendable, Equatable {
  public var grant: CreditID
  public var customer: CustomerID
  public var currency: Currency
  public var used: NanoAmount
  public var expired: NanoAmount

  public init(grant: CreditID, customer: CustomerID, currency: Currency, used: NanoAmount, expired: NanoAmount) {
    self.grant = grant
    self.customer = customer
    self.currency = currency
    self.used = used
    self.expired = expired
  }
}
