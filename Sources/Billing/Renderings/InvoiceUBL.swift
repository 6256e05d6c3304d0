internal import GovernanceTypes

/// An invoice or a credit note as UBL 2.1 (ISO/IEC 19845) in the form of EN 16931.
public enum InvoiceUBL {
  public enum Defect: Error, Sendable, Equatable {
    /// EN 16931 writes amounts with two decimals at most (BR-DEC); this currency has more.
    case decimals(String)
    /// EN 16931 has no invoice without a line (BR-16).
    case noLines
  }

  /// The whole document as UTF-8. O(lines).
  public static func document(_ invoice: Invoice) throws(Defect) -> [UInt8] {
    guard invoice.currency.minorDecimals <= 2 else { throw .decimals(invoice.currency.description) }
    guard !invoice.lines.isEmpty else { throw .noLines }
    var markup = Markup()
    markup.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
    let space = "urn:oasis:names:specification:ubl:schema:xsd:"
    let attributes: [(StaticString, String)] = [
      ("xmlns", space + (invoice.isCreditNote ? "CreditNote-2" : "Invoice-2")),
      ("xmlns:cac", space + "CommonAggregateComponents-2"), ("xmlns:cbc", space + "CommonBasicComponents-2"),
    ]
    markup.element(invoice.isCreditNote ? "CreditNote" : "Invoice", attributes) { self.body(invoice, &$0) }
    markup.raw("\n")
    return markup.bytes
  }

  private static func body(_ invoice: Invoice, _ markup: inout Markup) {
    self.header(invoice, &markup)
    markup.element("cac:AccountingSupplierParty") { self.party(invoice.seller, &$0) }
    markup.element("cac:AccountingCustomerParty") { self.party(invoice.buyer, &$0) }
    if invoice.subtotals.contains(where: { $0.treatment.code == .intraCommunity }) {
      markup.element("cac:Delivery") {
        $0.element("cac:DeliveryLocation") { $0.element("cac:Address") { self.country(invoice.buyer, &$0) } }
      }
    }
    if invoice.isCreditNote { markup.element("cac:PaymentTerms") { $0.element("cbc:Note", [], "Credited to the account") } }
    self.taxes(invoice, &markup)
    self.totals(invoice, &markup)
    for line in invoice.lines { self.line(line, of: invoice, &markup) }
  }

  private static func header(_ invoice: Invoice, _ markup: inout Markup) {
    markup.element("cbc:CustomizationID", [], "urn:cen.eu:en16931:2017")
    markup.element("cbc:ID", [], invoice.name.number)
    markup.element("cbc:IssueDate", [], invoice.issued.description)
    switch invoice.kind {
    case .invoice(let due):
      markup.element("cbc:DueDate", [], due.description)
      markup.element("cbc:InvoiceTypeCode", [], "380")
    case .creditNote(_, _, let reason):
      markup.element("cbc:CreditNoteTypeCode", [], "381")
      markup.element("cbc:Note", [], reason)
    }
    markup.element("cbc:DocumentCurrencyCode", [], invoice.currency.description)
    markup.element("cac:InvoicePeriod") {
      $0.element("cbc:StartDate", [], invoice.period.firstDay.description)
      $0.element("cbc:EndDate", [], CalendarDay(number: invoice.period.next.firstDay.number - 1).description)
    }
    guard case .creditNote(let original, let issued, _) = invoice.kind else { return }
    markup.element("cac:BillingReference") {
      $0.element("cac:InvoiceDocumentReference") {
        $0.element("cbc:ID", [], original.number)
        $0.element("cbc:IssueDate", [], issued.description)
      }
    }
  }

  private static func party(_ party: InvoiceParty, _ markup: inout Markup) {
    markup.element("cac:Party") {
      $0.element("cac:PartyName") { $0.element("cbc:Name", [], party.name) }
      $0.element("cac:PostalAddress") {
        $0.element("cbc:StreetName", [], party.street)
        $0.element("cbc:CityName", [], party.city)
        $0.element("cbc:PostalZone", [], party.postalCode)
        self.country(party, &$0)
      }
      if let vatID = party.vatID {
        $0.element("cac:PartyTaxScheme") {
          $0.element("cbc:CompanyID", [], vatID)
          self.scheme(&$0)
        }
      }
      $0.element("cac:PartyLegalEntity") {
        $0.element("cbc:RegistrationName", [], party.name)
        $0.element("cbc:CompanyID", party.registration)
      }
      if let email = party.email { $0.element("cac:Contact") { $0.element("cbc:ElectronicMail", [], email) } }
    }
  }

  private static func country(_ party: InvoiceParty, _ markup: inout Markup) {
    markup.element("cac:Country") { $0.element("cbc:IdentificationCode", [], party.country) }
  }

  private static func taxes(_ invoice: Invoice, _ markup: inout Markup) {
    markup.element("cac:TaxTotal") {
      self.amount("cbc:TaxAmount", invoice.totals.tax, invoice, &$0)
      for subtotal in invoice.subtotals {
        $0.element("cac:TaxSubtotal") {
          self.amount("cbc:TaxableAmount", subtotal.taxable, invoice, &$0)
          self.amount("cbc:TaxAmount", subtotal.tax, invoice, &$0)
          $0.element("cac:TaxCategory") { self.category(subtotal.treatment, withReason: true, &$0) }
        }
      }
    }
  }

  private static func totals(_ invoice: Invoice, _ markup: inout Markup) {
    markup.element("cac:LegalMonetaryTotal") {
      self.amount("cbc:LineExtensionAmount", invoice.totals.net, invoice, &$0)
      self.amount("cbc:TaxExclusiveAmount", invoice.totals.net, invoice, &$0)
      self.amount("cbc:TaxInclusiveAmount", invoice.totals.gross, invoice, &$0)
      if invoice.totals.prepaid != .zero { self.amount("cbc:PrepaidAmount", invoice.totals.prepaid, invoice, &$0) }
      self.amount("cbc:PayableAmount", invoice.totals.payable, invoice, &$0)
    }
  }

  /// Prices may not be negative (BR-27), so what is given back is a negative quantity. A line whose units differ in price is one unit.
  private static func line(_ line: InvoiceLine, of invoice: Invoice, _ markup: inout Markup) {
    let price = line.perMillion
    let quantity = price == nil ? (line.amount < .zero ? -1 : 1) : line.quantity
    markup.element(invoice.isCreditNote ? "cac:CreditNoteLine" : "cac:InvoiceLine") {
      $0.element("cbc:ID", [], String(line.id))
      $0.element(
        invoice.isCreditNote ? "cbc:CreditedQuantity" : "cbc:InvoicedQuantity", [("unitCode", "C62")], String(quantity))
      self.amount("cbc:LineExtensionAmount", line.amount, invoice, &$0)
      $0.element("cac:Item") {
        if case .usage(_, _, let category) = line.kind, price == nil, line.corrects == nil {
          $0.element("cbc:Description", [], "\(line.quantity) \(category.unit)")
        }
        $0.element("cbc:Name", [], line.title)
        $0.element("cac:ClassifiedTaxCategory") { self.category(line.treatment, withReason: false, &$0) }
      }
      $0.element("cac:Price") {
        let text = price?.description ?? NanoAmount(abs(line.amount.nano)).text(in: invoice.currency)
        $0.element("cbc:PriceAmount", [("currencyID", invoice.currency.description)], text)
        if price != nil { $0.element("cbc:BaseQuantity", [("unitCode", "C62")], "1000000") }
      }
    }
  }

  private static func category(_ treatment: TaxTreatment, withReason: Bool, _ markup: inout Markup) {
    markup.element("cbc:ID", [], treatment.code.rawValue)
    if treatment.code != .outOfScope { markup.element("cbc:Percent", [], treatment.percent) }
    if withReason { markup.element("cbc:TaxExemptionReason", treatment.reason) }
    self.scheme(&markup)
  }

  private static func scheme(_ markup: inout Markup) {
    markup.element("cac:TaxScheme") { $0.element("cbc:ID", [], "VAT") }
  }

  private static func amount(_ name: StaticString, _ amount: NanoAmount, _ invoice: Invoice, _ markup: inout Markup) {
    markup.element(name, [("currencyID", invoice.currency.description)], amount.text(in: invoice.currency))
  }
}
