public import GovernanceTypes

/// A finalised invoice or credit note as the store keeps it.
public struct InvoiceRecord: Sendable, Equatable {
  public var summary: InvoiceSummary
  /// The document as canonical JSON.
  public var body: String

  public init(summary: InvoiceSummary, body: String) {
    self.summary = summary
    self.body = body
  }
}

/// What is known of a finalised document without reading it.
public struct InvoiceSummary: Sendable, Equatable {
  public var id: InvoiceID
  /// Numbers run without a gap within each series.
  public var series: String
  public var number: String
  public var customer: CustomerID
  public var period: CalendarMonth
  public var currency: Currency
  /// With tax; of a credit note, what is given back.
  public var gross: NanoAmount
  /// The invoice that a credit note corrects; nil of an invoice.
  public var corrects: InvoiceID?
  public var finalisedAt: Timestamp
  /// SHA-256 of the document, which the log has too.
  public var digest: Digest

  public init(
    id: InvoiceID, series: String, number: String, customer: CustomerID, period: CalendarMonth, currency: Currency,
    gross: NanoAmount, corrects: InvoiceID?, finalisedAt: Timestamp, digest: Digest
  ) {
    self.id = id
    self.series = series
    self.number = number
    self.customer = customer
    self.period = period
    self.currency = currency
    self.gross = gross
    self.corrects = corrects
    self.finalisedAt = finalisedAt
    self.digest = digest
  }
}
