public import GovernanceTypes

/// The id and the number of a document.
public struct InvoiceName: Sendable, Hashable {
  public let id: InvoiceID
  public let number: String

  public init(id: InvoiceID, number: String) {
    self.id = id
    self.number = number
  }
}

/// A finalised invoice or credit note. All of it is fixed: what was wrong is corrected by a credit note.
public struct Invoice: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    case invoice(due: CalendarDay)
    /// Amounts are what is given back.
    case creditNote(of: InvoiceName, issued: CalendarDay, reason: String)
  }

  public let name: InvoiceName
  public let kind: Kind
  public let customer: CustomerID
  public let period: CalendarMonth
  public let currency: Currency
  public let issued: CalendarDay
  public let seller: InvoiceParty
  public let buyer: InvoiceParty
  public let lines: [InvoiceLine]
  public let subtotals: [TaxSubtotal]
  public let totals: InvoiceTotals
  /// Where the entries of each price's lines are in the log.
  public let appendix: [UsageEvidence]

  public var isCreditNote: Bool {
    if case .creditNote = self.kind { true } else { false }
  }
}

/// What a document comes to.
///
/// To the nano-unit: `gross = exact + rounding + tax`, and `payable = gross - prepaid`.
public struct InvoiceTotals: Sendable, Equatable {
  /// The lines before rounding.
  public let exact: NanoAmount
  /// What rounding the lines added: the amount for the rounding account.
  public let rounding: NanoAmount
  /// The lines as rounded.
  public let net: NanoAmount
  public let tax: NanoAmount
  public let gross: NanoAmount
  /// What prepaid credit paid, in whole minor units.
  public let prepaid: NanoAmount
  /// What rounding the prepaid amount added; for the rounding account too.
  public let prepaidRounding: NanoAmount
  public let payable: NanoAmount

  init(lines: [InvoiceLine], subtotals: [TaxSubtotal], prepaid: NanoAmount, currency: Currency) {
    self.exact = lines.reduce(.zero) { $0 + $1.exact }
    self.net = lines.reduce(.zero) { $0 + $1.amount }
    self.rounding = self.net - self.exact
    self.tax = subtotals.reduce(.zero) { $0 + $1.tax }
    self.gross = self.net + self.tax
    self.prepaid = prepaid.rounded(in: currency)
    self.prepaidRounding = self.prepaid - prepaid
    self.payable = self.gross - self.prepaid
  }
}

/// Where the settlements behind a price's lines are in the log.
public struct UsageEvidence: Sendable, Equatable {
  public let price: PriceID
  public let model: ModelID
  public let requests: Int
  public let settled: NanoAmount
  public let positions: LogPositions

  init(price: PriceID, model: ModelID, requests: Int, settled: NanoAmount, positions: LogPositions) {
    self.price = price
    self.model = model
    self.requests = requests
    self.settled = settled
    self.positions = positions
  }

  init(_ usage: PricedUsage) {
    self.price = usage.price.id
    self.model = usage.price.model
    self.requests = usage.quantities.requests
    self.settled = usage.settled
    self.positions = usage.positions
  }
}
