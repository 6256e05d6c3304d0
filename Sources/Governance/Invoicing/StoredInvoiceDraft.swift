internal import Billing
internal import Documents
internal import GovernanceTypes

/// What a draft adds to what the ledger says: everything else is asked for anew whenever it is looked at.
struct StoredInvoiceDraft: Sendable {
  var id: InvoiceID
  var customer: CustomerID
  var period: CalendarMonth
  var currency: Currency
  var adjustments: [InvoiceAdjustment] = []

  static let mostAdjustments = 100

  var place: InvoiceIndex.Place { InvoiceIndex.Place(customer: self.customer, period: self.period, currency: self.currency) }

  var json: JSON {
    [
      "id": .string(self.id.description), "object": "invoice", "status": "draft", "customer": .string(self.customer.description),
      "period": .string(self.period.description), "currency": .string(self.currency.description),
      "adjustments": .array(
        self.adjustments.map { ["reason": .string($0.reason), "amount": .string($0.amount.description)] }),
    ]
  }

  init(id: InvoiceID, customer: CustomerID, period: CalendarMonth, currency: Currency, adjustments: [InvoiceAdjustment] = []) {
    self.id = id
    self.customer = customer
    self.period = period
    self.currency = currency
    self.adjustments = adjustments
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.id = try reader.identifier("id")
    _ = try reader.string("object")
    _ = try reader.string("status")
    self.customer = try reader.identifier("customer")
    self.period = try reader.month("period")
    self.currency = try reader.currency("currency")
    self.adjustments = try reader.adjustments("adjustments")
    try reader.finish()
  }
}

extension DocumentReader {
  mutating func month(_ key: String) throws(DocumentError) -> CalendarMonth {
    guard let month = CalendarMonth(try self.string(key)) else {
      throw self.failure(key, "a month belongs here, such as 2026-11")
    }
    return month
  }

  /// Money of either sign, as a decimal string.
  mutating func signedMoney(_ key: String) throws(DocumentError) -> NanoAmount {
    guard let amount = NanoAmount(decimal: try self.string(key)) else {
      throw self.failure(key, "a decimal string with at most nine decimals belongs here, such as \"-5.00\"")
    }
    return amount
  }

  mutating func adjustments(_ key: String) throws(DocumentError) -> [InvoiceAdjustment] {
    let elements = try self.list(key)
    guard elements.count <= StoredInvoiceDraft.mostAdjustments else {
      throw self.failure(key, "has more than \(StoredInvoiceDraft.mostAdjustments) elements")
    }
    var adjustments: [InvoiceAdjustment] = []
    for (path, element) in elements {
      var reader = try DocumentReader(element, path: path)
      adjustments.append(
        InvoiceAdjustment(
          reason: try reader.title("reason", most: InvoiceParty.longestText), amount: try reader.signedMoney("amount")))
      try reader.finish()
    }
    return adjustments
  }
}
