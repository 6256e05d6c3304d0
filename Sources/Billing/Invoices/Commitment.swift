public import GovernanceTypes

/// What a customer promised to spend each month, and what usage beyond it costs. A minimum is a commitment whose overage costs as
/// much as the rest.
public struct Commitment: Sendable, Equatable {
  public let amount: NanoAmount
  public let currency: Currency
  /// What a unit beyond the amount costs, in ten-thousandths of its price: 10,000 is the price itself.
  public let overageBasisPoints: Int

  /// Nil for a negative amount, one above ``NanoAmount/largest``, or an overage outside 0 to 100,000.
  public init?(_ amount: NanoAmount, _ currency: Currency, overageBasisPoints: Int = 10_000) {
    guard (.zero...NanoAmount.largest).contains(amount), (0...100_000).contains(overageBasisPoints) else { return nil }
    self.amount = amount
    self.currency = currency
    self.overageBasisPoints = overageBasisPoints
  }

  /// What is added to usage that is priced as usual, to the nearest nano-unit; nil where that is nothing.
  func surcharge(on beyond: NanoAmount) -> NanoAmount? {
    let nano = divideHalfUp(beyond.nano * Int128(self.overageBasisPoints - 10_000), by: 10_000)
    return nano == 0 ? nil : NanoAmount(nano)
  }
}
