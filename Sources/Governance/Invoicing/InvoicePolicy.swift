public import Billing
internal import GovernanceTypes

/// Who writes invoices, how they are taxed and how they are numbered: the operator's choices, from the configuration.
public struct InvoicePolicy: Sendable {
  public var seller: InvoiceParty
  public var taxes: TaxPlan
  /// What the numbers of invoices, and those of credit notes, begin with. The two must differ.
  public var invoiceSeries = "INV-"
  public var creditNoteSeries = "CN-"
  /// Days from issue to payment.
  public var dueDays = 30

  public init(seller: InvoiceParty, taxes: TaxPlan) {
    self.seller = seller
    self.taxes = taxes
  }
}
