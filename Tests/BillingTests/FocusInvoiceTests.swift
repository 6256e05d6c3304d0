import Billing
import Documents
import GovernanceTypes
import Testing

@Suite("The FOCUS table and invoices")
struct FocusInvoiceTests {
  @Test("the billed costs of an invoice id are the invoice, tax and rounding included; those of its credit notes take it back")
  func sums() throws {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    let stranger = CustomerID(.max)
    for _ in 0..<100 {
      let (draft, lines) = try randomDraft(&random)
      let invoice = try draft.finalisedSample()
      var table = try FocusTable(issuer: "Example GmbH", provider: "Example GmbH")
      for line in lines {
        let price = try #require(draft.usage.first { $0.price.id == line.price }?.price)
        try table.add(line, price: price)
        // Of the same days and prices, and without an invoice.
        var other = line
        other.customer = stranger
        try table.add(other, price: price)
      }
      try table.add(invoice)
      var documents = [invoice]
      let corrections = invoice.whole()
      if !corrections.isEmpty {
        let note = try invoice.credited(
          as: name(2, "CN"), issued: day("2026-11-09"), reason: "All of it", corrections: corrections)
        try table.add(note)
        documents.append(note)
      }
      let rows = try #require(readCSV(table.csv()))
      let (cost, id) = (try #require(rows[0].firstIndex(of: "BilledCost")), try #require(rows[0].firstIndex(of: "InvoiceId")))
      for document in documents {
        let sum = rows.dropFirst().filter { $0[id] == document.name.number }.reduce(Int128(0)) {
          $0 + (units($1[cost], scale: 9) ?? 0)
        }
        #expect(sum == (document.isCreditNote ? -document.totals.gross : document.totals.gross).nano, "seed \(seed)")
      }
      let customer = try #require(rows[0].firstIndex(of: "BillingAccountId"))
      #expect(rows.dropFirst().allSatisfy { $0[id].isEmpty == ($0[customer] == stranger.description) }, "seed \(seed)")
    }
  }

  @Test("an invoice is taken once")
  func twice() throws {
    var table = try FocusTable(issuer: "Example GmbH", provider: "Example GmbH")
    let invoice = try sampleDraft().finalisedSample()
    try table.add(invoice)
    #expect(throws: FocusTable.Defect.twiceInvoiced("INV-1")) { try table.add(invoice) }
  }

  @Test("where tiers decide, units have no price and costs are what was billed")
  func tiers() throws {
    let tier = Tariff.Tier(upTo: nil, perMillion: NanoAmount(1_000_000_000))
    let price = try Price(
      id: PriceID(1), model: ModelID("demo"), currency: currency("EUR"), effectiveFrom: Timestamp(seconds: 0),
      rates: [.promptUncached: Rate(.graduated([tier])), .completion: Rate(.perUnit(NanoAmount(2_000_000_000)))])
    let line = try sampleLine(TokenUsage(promptUncached: TokenCount(10), completion: TokenCount(10)), price: price)
    var table = try FocusTable(issuer: "Example GmbH", provider: "Example GmbH")
    try table.add(line, price: price)
    let rows = try #require(readCSV(table.csv()))
    let found = rows.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(rows[0], $0)) }
    #expect(found.map { $0["ListUnitPrice"] } == ["", "2.00"])
    #expect(found.map { $0["BilledCost"] } == ["0.00001", "0.00002"])
    #expect(found.map { $0["ListCost"] } == ["0.00001", "0.00002"])
  }

  @Test("the metadata file describes every column of the table, in order")
  func metadata() throws {
    let json = FocusMetadata.json(schema: "1", version: "1.0", created: try instant("2026-11-01T00:00:00Z"))
    guard case .array(let schemas)? = json["Schema"], case .array(let columns)? = schemas.first?["ColumnDefinition"] else {
      Issue.record("no columns")
      return
    }
    let header = try #require(readCSV(try FocusTable(issuer: "a", provider: "b").csv())?.first)
    #expect(columns.map { $0["ColumnName"] } == header.map { .string($0) })
    #expect(schemas.first?["CreationDate"] == "2026-11-01T00:00:00Z")
  }
}
