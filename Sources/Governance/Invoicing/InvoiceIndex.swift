internal import Billing
internal import GovernanceTypes

/// Finalised documents by what they are looked up by, and the numbers that come next.
struct InvoiceIndex: Sendable {
  struct Place: Hashable, Sendable {
    var customer: CustomerID
    var period: CalendarMonth
    var currency: Currency
  }

  private var numbers: [String: InvoiceNumbers] = [:]
  private var summaries: [InvoiceID: InvoiceSummary] = [:]
  private var places: [Place: InvoiceID] = [:]
  private var notes: [InvoiceID: [InvoiceID]] = [:]
  /// In the order in which they were finalised.
  private(set) var order: [InvoiceID] = []
  /// Somebody is giving out numbers: one at a time, because a number that the disk refuses is given out again.
  var isNumbering = false

  /// The numbers of a series as they stand; nil where `series` cannot begin a number.
  func numbers(of series: String) -> InvoiceNumbers? { self.numbers[series] ?? InvoiceNumbers(prefix: series) }

  func summary(_ id: InvoiceID) -> InvoiceSummary? { self.summaries[id] }
  func invoice(of place: Place) -> InvoiceID? { self.places[place] }
  /// The credit notes of an invoice, in order.
  func notes(of id: InvoiceID) -> [InvoiceID] { self.notes[id] ?? [] }

  /// Takes in what was finalised, in that order.
  mutating func take(_ summary: InvoiceSummary) throws(InvoiceNumbers.Defect) {
    if var numbers = self.numbers(of: summary.series) {
      try numbers.restore(summary.id, number: summary.number)
      self.numbers[summary.series] = numbers
    }
    self.summaries[summary.id] = summary
    self.order.append(summary.id)
    if let corrected = summary.corrects {
      self.notes[corrected, default: []].append(summary.id)
    } else {
      self.places[Place(customer: summary.customer, period: summary.period, currency: summary.currency)] = summary.id
    }
  }
}
