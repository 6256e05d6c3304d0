internal import Billing
internal import Documents
internal import Glibc
internal import GovernanceTypes

/// Files that show all that an invoice and a FOCUS table can have.
enum Samples {
  static func write(to folder: String) throws {
    var documents: [Invoice] = []
    for (index, treatment) in try self.treatments().enumerated() {
      let invoice = try self.invoice(index + 1, treatment)
      let corrections = invoice.lines.prefix(2).map { LineCorrection(line: $0.id, amount: NanoAmount($0.exact.nano / 3)) }
        .filter { $0.amount != .zero }
      let note = try invoice.credited(
        as: InvoiceName(id: InvoiceID(UInt128(100 + index)), number: "CN-2026-00000\(index + 1)"),
        issued: known(CalendarDay("2026-11-09"), "day"), reason: "Wrong price", corrections: corrections)
      let rest = try invoice.credited(
        as: InvoiceName(id: InvoiceID(UInt128(200 + index)), number: "CN-2026-00001\(index + 1)"),
        issued: known(CalendarDay("2026-11-10"), "day"), reason: "All that is left", corrections: invoice.whole(after: [note]),
        earlier: [note])
      documents += [invoice, note, rest]
    }
    documents += try self.others()
    for document in documents {
      try self.save(InvoiceUBL.document(document), "\(folder)/\(document.name.number).xml")
      try self.save(InvoiceHTML.page(document), "\(folder)/\(document.name.number).html")
      try self.save(document.json.bytes, "\(folder)/\(document.name.number).json")
    }
    try self.focus(folder, tiered: false, invoices: [])
    try self.focus(folder, tiered: true, invoices: Array(documents.prefix(2)))
    let created = try known(Timestamp("2026-11-01T00:00:00Z"), "instant")
    try self.save(
      FocusMetadata.json(schema: "weighbridge-1", version: "1", created: created).bytes, "\(folder)/focus.metadata.json")
    say("\(documents.count) documents and 2 FOCUS tables in \(folder)")
  }

  private static func treatments() throws -> [TaxTreatment] {
    [
      try TaxTreatment(.standard, basisPoints: 1900), try TaxTreatment(.zeroRated),
      try TaxTreatment(.exempt, reason: "Exempt under the operator's rule"),
      try TaxTreatment(.reverseCharge, reason: "Reverse charge"),
      try TaxTreatment(.intraCommunity, reason: "Intra-Community supply"),
      try TaxTreatment(.export, reason: "Export outside the EU"),
      try TaxTreatment(.outOfScope, reason: "Not subject to VAT"),
    ]
  }

  static func draft(_ treatment: TaxTreatment, customer: UInt128) throws -> InvoiceDraft {
    let isOutside = treatment.code == .outOfScope
    return InvoiceDraft(
      customer: CustomerID(customer), period: try known(CalendarMonth("2026-10"), "month"),
      currency: try known(Currency("EUR"), "EUR"),
      seller: try InvoiceParty(
        name: "Example & Sons GmbH", street: "Hauptstraße 1", city: "Berlin", postalCode: "10115", country: "DE",
        vatID: isOutside ? nil : "DE123456789", registration: "HRB 1234", email: "billing@example.com"),
      buyer: try InvoiceParty(
        name: "Client <SA>", street: "1 rue A", city: "Paris", postalCode: "75001", country: "FR",
        vatID: isOutside ? nil : "FR12345678901", registration: "RCS 1"),
      taxes: TaxPlan(usual: treatment))
  }

  /// Two rates on one invoice, a currency without minor units, and an invoice that gives money back.
  private static func others() throws -> [Invoice] {
    let (standard, reduced) = (try TaxTreatment(.standard, basisPoints: 1900), try TaxTreatment(.standard, basisPoints: 725))
    var mixed = try self.draft(standard, customer: 8)
    mixed.taxes.byModel[ModelID("small")] = reduced
    var yen = try self.draft(standard, customer: 9)
    yen.currency = try known(Currency("JPY"), "JPY")
    var back = try self.draft(reduced, customer: 10)
    back.adjustments = [InvoiceAdjustment(reason: "Outage", amount: NanoAmount(-12_345_678_901))]
    let quantities = PeriodQuantities(
      tokens: TokenUsage(promptUncached: TokenCount(98_765_432), completion: TokenCount(55_555_555)), requests: 7)
    for (id, model) in [(UInt128(1), "small"), (UInt128(2), "large")] {
      let (euros, yens) = (
        try price(id, tiered: id == 1, model: model), try price(id, tiered: id == 1, currency: "JPY", model: model)
      )
      mixed.usage.append(PricedUsage(price: euros, quantities: quantities, settled: euros.charged(quantities)))
      yen.usage.append(PricedUsage(price: yens, quantities: quantities, settled: yens.charged(quantities)))
    }
    return try [mixed, yen, back].enumerated().map { index, draft in
      try draft.finalised(
        as: InvoiceName(id: InvoiceID(UInt128(300 + index)), number: "INV-2026-00002\(index)"),
        issued: known(CalendarDay("2026-11-01"), "day"), due: known(CalendarDay("2026-11-15"), "day"))
    }
  }

  private static func invoice(_ index: Int, _ treatment: TaxTreatment) throws -> Invoice {
    var draft = try self.draft(treatment, customer: 7)
    for (id, tiered) in [(UInt128(1), true), (UInt128(2), false)] {
      let price = try price(id, tiered: tiered)
      let quantities = PeriodQuantities(
        tokens: TokenUsage(
          promptUncached: TokenCount(617_283_945), promptCached: TokenCount(1_000_001), completion: TokenCount(12_345_678)),
        requests: 4321)
      var positions = LogPositions()
      for position in stride(from: 1000, to: 1100, by: 3) { _ = positions.append(position) }
      draft.usage.append(
        PricedUsage(price: price, quantities: quantities, settled: price.charged(quantities), positions: positions))
    }
    draft.commitment = Commitment(NanoAmount(100_000_000_000), draft.currency, overageBasisPoints: 12_500)
    draft.adjustments = [InvoiceAdjustment(reason: "Goodwill & thanks", amount: NanoAmount(-1_234_567_891))]
    draft.promotions = [PromotionUse(credit: CreditID(1), amount: NanoAmount(5_000_000_000))]
    draft.prepaid = NanoAmount(10_000_000_000)
    return try draft.finalised(
      as: InvoiceName(id: InvoiceID(UInt128(index)), number: "INV-2026-00000\(index)"),
      issued: known(CalendarDay("2026-11-01"), "day"), due: known(CalendarDay("2026-11-15"), "day"))
  }

  private static func focus(_ folder: String, tiered: Bool, invoices: [Invoice]) throws {
    var table = try FocusTable(issuer: "Example & Sons GmbH", provider: "Example & Sons GmbH")
    var stream = UsageStream(price: try price(1, tiered: tiered), customers: 3)
    for index in 0..<60 { try table.add(stream.line(index, of: 60), price: stream.price) }
    for invoice in invoices { try table.add(invoice) }
    var bytes: [UInt8] = []
    table.write { bytes.append(contentsOf: $0) }
    try self.save(bytes, "\(folder)/focus-\(tiered ? "tiers" : "units").csv")
  }

  private static func save(_ bytes: [UInt8], _ path: String) throws {
    let file = try known(fopen(path, "w"), "\(path): cannot be written")
    let written = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, written == bytes.count else { throw Missing(what: "\(path): not written whole") }
  }
}

func invoices(customers: Int) throws {
  let treatment = try TaxTreatment(.standard, basisPoints: 1900)
  let month = [try price(1, tiered: true), try price(2, tiered: false)]
  var bytes = 0
  var numbers = try known(InvoiceNumbers(prefix: "INV-"), "prefix")
  let time = try seconds {
    for customer in 1...customers {
      var draft = try Samples.draft(treatment, customer: UInt128(customer))
      for price in month {
        let quantities = PeriodQuantities(
          tokens: TokenUsage(promptUncached: TokenCount(customer * 1000), completion: TokenCount(customer * 777)),
          requests: customer)
        draft.usage.append(PricedUsage(price: price, quantities: quantities, settled: price.charged(quantities)))
      }
      let id = InvoiceID(UInt128(customer))
      let invoice = try draft.finalised(
        as: InvoiceName(id: id, number: numbers.number(for: id)), issued: known(CalendarDay("2026-11-01"), "day"),
        due: known(CalendarDay("2026-11-15"), "day"))
      bytes += try InvoiceUBL.document(invoice).count + InvoiceHTML.page(invoice).count + invoice.json.bytes.count
    }
  }
  say("\(customers) invoices in \(time) s, \(bytes >> 20) MiB of JSON, HTML and UBL, peak memory \(peakMemory()) MiB")
}
