import Billing
import GovernanceTypes
import Testing

/// A FOCUS table read back: each row by column name.
private func rows(_ table: FocusTable) throws -> [[String: String]] {
  let lines = try #require(readCSV(table.csv()))
  let header = try #require(lines.first)
  return try lines.dropFirst().map { fields in
    try #require(fields.count == header.count)
    return Dictionary(uniqueKeysWithValues: zip(header, fields))
  }
}

private func table(_ charged: [(UsageLine, Price)]) throws -> FocusTable {
  var table = try FocusTable(issuer: "Example GmbH", provider: "Example GmbH")
  for (line, price) in charged { try table.add(line, price: price) }
  return table
}

private func text(_ table: FocusTable) -> String { String(decoding: table.csv(), as: UTF8.self) }

@Suite("The FOCUS table")
struct FocusTableTests {
  @Test("a row reads the same among others as alone, whatever it shares with them")
  func amongOthers() throws {
    let prices = [try samplePrice(6), try samplePrice(7, currency: "EUR")]
    var charged: [(UsageLine, Price)] = []
    for index in 0..<64 {
      let price = prices[index & 1]
      var line = try sampleLine(
        TokenUsage(
          promptUncached: TokenCount(1000 + index), promptCached: TokenCount(index % 3), completion: TokenCount(50 + index)),
        price: price, usage: UInt128(index), project: index & 2 == 0 ? nil : ProjectID(UInt128(20 + index)),
        key: UInt128(100 + index), model: index & 4 == 0 ? "llama-2-7b-chat" : "llama-2-13b-chat",
        heldAt: index & 8 == 0 ? "2026-11-29T12:00:00Z" : "2026-11-30T12:00:00Z")
      line.customer = CustomerID(UInt128(2 + index / 16))
      charged.append((line, price))
    }
    let together = try rows(table(charged))
    let alone = try charged.flatMap { try rows(table([$0])) }
    #expect(together.count == alone.count && Set(together) == Set(alone))
  }

  @Test("a request with three categories makes three rows")
  func golden() throws {
    let price = try samplePrice()
    let found = try rows(table([(sampleLine(price: price), price)]))
    #expect(found.map { $0["SkuMeter"] } == ["Input Tokens", "Cached Input Tokens", "Output Tokens"])
    // 284,750.000057 nano-units, charged as 284,751: the completion takes what the others leave.
    #expect(found.map { $0["BilledCost"] } == ["0.0002468", "0.00000375", "0.000034201"])
    #expect(found.map { $0["ListCost"] } == ["0.0002468", "0.00000375", "0.000034200000057"])
    let output = try #require(found.last).filter { !$0.value.isEmpty }
    #expect(
      output == [
        "BilledCost": "0.000034201", "BillingAccountId": "cus_00000000000000000000000002", "BillingAccountType": "Customer",
        "BillingCurrency": "USD", "BillingPeriodEnd": "2026-12-01T00:00:00Z", "BillingPeriodStart": "2026-11-01T00:00:00Z",
        "ChargeCategory": "Usage", "ChargeDescription": "Output Tokens of llama-2-7b-chat", "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": "2026-12-01T00:00:00Z", "ChargePeriodStart": "2026-11-30T00:00:00Z", "ConsumedQuantity": "57.0",
        "ConsumedUnit": "Tokens", "ContractedCost": "0.000034200000057", "ContractedUnitPrice": "0.600000001",
        "EffectiveCost": "0.000034201", "InvoiceIssuerName": "Example GmbH", "ListCost": "0.000034200000057",
        "ListUnitPrice": "0.600000001", "PricingCategory": "Standard", "PricingCurrency": "USD",
        "PricingCurrencyContractedUnitPrice": "0.600000001", "PricingCurrencyEffectiveCost": "0.000034201",
        "PricingCurrencyListUnitPrice": "0.600000001", "PricingQuantity": "0.000057", "PricingUnit": "1000000 Tokens",
        "ProviderName": "Example GmbH", "PublisherName": "Example GmbH", "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Model Inference", "ServiceSubcategory": "Generative AI", "SkuId": "llama-2-7b-chat:completion",
        "SkuMeter": "Output Tokens", "SkuPriceDetails": #"{"x_Model":"llama-2-7b-chat","x_TokenType":"completion"}"#,
        "SkuPriceId": "llama-2-7b-chat:completion", "SubAccountId": "prj_00000000000000000000000003", "SubAccountType": "Project",
        "x_CredentialId": "key_00000000000000000000000004", "x_Model": "llama-2-7b-chat",
        "x_PriceId": "pri_00000000000000000000000006",
      ])
  }

  @Test("requests add up within a row; another key, project, model, price or day is another row")
  func grouping() throws {
    let price = try samplePrice()
    let later = try samplePrice(7)
    let tokens = TokenUsage(completion: TokenCount(1_000_000))
    let found = try rows(
      table([
        (sampleLine(tokens, price: price), price), (sampleLine(tokens, price: price, usage: 2), price),
        (sampleLine(tokens, price: price, key: 9), price), (sampleLine(tokens, price: price, project: nil), price),
        (sampleLine(tokens, price: price, model: "b"), price), (sampleLine(tokens, price: later), later),
        (sampleLine(tokens, price: price, heldAt: "2026-12-01T00:00:00Z"), price),
      ]))
    let keys = [
      "ChargePeriodStart", "SubAccountId", "x_CredentialId", "x_Model", "x_PriceId", "ConsumedQuantity", "PricingQuantity",
    ]
    let short = found.map { row in
      keys.map { (row[$0] ?? "").replacing("0000000000000000000000000", with: "") }.joined(separator: " ")
    }
    #expect(
      short == [
        "2026-11-30T00:00:00Z  key_4 llama-2-7b-chat pri_6 1000000.0 1.0",
        "2026-11-30T00:00:00Z prj_3 key_4 b pri_6 1000000.0 1.0",
        "2026-11-30T00:00:00Z prj_3 key_4 llama-2-7b-chat pri_6 2000000.0 2.0",
        "2026-11-30T00:00:00Z prj_3 key_4 llama-2-7b-chat pri_7 1000000.0 1.0",
        "2026-11-30T00:00:00Z prj_3 key_9 llama-2-7b-chat pri_6 1000000.0 1.0",
        "2026-12-01T00:00:00Z prj_3 key_4 llama-2-7b-chat pri_6 1000000.0 1.0",
      ])
    #expect(
      found.last?["BillingPeriodStart"] == "2026-12-01T00:00:00Z" && found.last?["BillingPeriodEnd"] == "2027-01-01T00:00:00Z")
  }

  @Test("written day by day it is the same table, and what comes late for a day that is written has a row of its own")
  func byDays() throws {
    let price = try samplePrice()
    let days = ["2026-11-28T10:00:00Z", "2026-11-29T00:00:00Z", "2026-11-29T23:59:59.999Z", "2026-11-30T00:00:00Z"]
    let lines = try days.enumerated().flatMap { place, day in
      try (1...3 as ClosedRange<UInt128>).map {
        try sampleLine(price: price, usage: UInt128(place) * 3 + $0, key: $0 % 2, heldAt: day)
      }
    }
    let whole = try table(lines.map { ($0, price) }).csv()
    var pieces = FocusTable.header
    var table = try table([])
    for line in lines {
      try table.add(line, price: price)
      table.takeDays(before: line.heldAt.day)?.writeRows { pieces += $0 }
    }
    let end = try #require(lines.last).heldAt.advanced(by: .seconds(86_400)).day
    let rest = table.takeDays(before: end)
    try #require(rest).writeRows { pieces += $0 }
    #expect(pieces == whole)
    let nothing = table.takeDays(before: end)
    #expect(nothing?.csv() == nil && table.csv() == FocusTable.header)
    try table.add(lines[0], price: price)
    var late: [UInt8] = []
    table.writeRows { late += $0 }
    #expect(late.split(separator: UInt8(ascii: "\n")).count == 3)
  }

  @Test("a charge per request has its own row; so have training tokens")
  func otherCategories() throws {
    let price = try samplePrice(
      6,
      [
        .promptUncached: NanoAmount(1), .completion: NanoAmount(1), .training: NanoAmount(8_000_000_000),
        .request: NanoAmount(1_500_000_000),
      ])
    let line = try sampleLine(TokenUsage(training: TokenCount(2_500_000)), price: price)
    let found = try rows(table([(line, price), (line, price)]))
    #expect(found.map { $0["SkuMeter"] } == ["Training Tokens", "Requests"])
    #expect(found.map { $0["ServiceName"] } == ["Model Fine-Tuning", "Model Inference"])
    #expect(found.map { $0["BilledCost"] } == ["40.00", "0.000003"])
    #expect(found.map { $0["ConsumedQuantity"] } == ["5000000.0", "2.0"])
    #expect(found.map { $0["ConsumedUnit"] } == ["Tokens", "Requests"])
    #expect(found.map { $0["PricingUnit"] } == ["1000000 Tokens", "1000000 Requests"])
    #expect(found.last?["SkuPriceDetails"] == #"{"x_Model":"llama-2-7b-chat"}"#)
  }

  @Test("a voided request makes no row; a charge without usage is not lost")
  func withoutUsage() throws {
    let price = try samplePrice(6, [.promptUncached: .zero, .completion: .zero, .request: NanoAmount(1)])
    #expect(try rows(table([(sampleLine(TokenUsage(), price: price, amount: .zero), price)])).isEmpty)
    let free = try samplePrice(6, [.promptUncached: .zero, .completion: .zero])
    let found = try rows(table([(sampleLine(TokenUsage(), price: free, amount: NanoAmount(-7)), free)]))
    #expect(found.map { [$0["SkuMeter"], $0["BilledCost"], $0["ListCost"]] } == [["Requests", "-0.000000007", "0.00"]])
  }

  @Test("a category's own cost is rounded down and the completion, else the last category, takes the rest")
  func rounding() throws {
    let price = try samplePrice(6, [.promptUncached: NanoAmount(1), .completion: NanoAmount(1)])
    let usages = [
      TokenUsage(promptUncached: TokenCount(999_999), completion: TokenCount(1)),
      TokenUsage(promptUncached: TokenCount(1_000_001), completion: TokenCount(1)),
      TokenUsage(promptUncached: TokenCount(1_999_999), promptCached: TokenCount(1_000_000)),
      TokenUsage(completion: TokenCount(1), training: TokenCount(1)),
    ]
    let billed = try usages.map { usage in try rows(table([(sampleLine(usage, price: price), price)])).map { $0["BilledCost"] } }
    #expect(
      billed == [
        ["0.00", "0.000000001"], ["0.000000001", "0.000000001"], ["0.000000001", "0.000000002"], ["0.000000001", "0.00"],
      ])
  }

  @Test(
    "a charge held to its hold is used up in the order of the categories",
    arguments: [
      (0, ["0.00", "0.00", "0.00"]), (246_800, ["0.0002468", "0.00", "0.00"]), (246_801, ["0.0002468", "0.000000001", "0.00"]),
      (250_550, ["0.0002468", "0.00000375", "0.00"]), (250_551, ["0.0002468", "0.00000375", "0.000000001"]),
      (300_000, ["0.0002468", "0.00000375", "0.00004945"]),
    ])
  func capped(nano: Int, wanted: [String]) throws {
    let price = try samplePrice()
    let found = try rows(table([(sampleLine(price: price, amount: NanoAmount(Int128(nano))), price)]))
    #expect(found.map { $0["BilledCost"] } == wanted)
  }

  @Test(
    "hostile names stay in their cells and in their JSON",
    arguments: [
      "a,b", "say \"hi\"", "=cmd|' /C calc'!A0", "two\nlines", "tab\there", "back\\slash", "", "llama2:7b", "🦙",
    ])
  func hostileNames(name: String) throws {
    let price = try samplePrice()
    var table = try FocusTable(issuer: "+\(name)", provider: "@\(name)")
    try table.add(sampleLine(price: price, model: name), price: price)
    for row in try rows(table) {
      #expect(row["x_Model"].map(exactText) == name)
      #expect(row["SkuId"].map(exactText)?.hasPrefix("\(name):") == true)
      #expect(row["InvoiceIssuerName"] == "'+\(name)" && row["ProviderName"] == "'@\(name)")
      #expect(row["SkuPriceDetails"]?.hasPrefix("{\"x_Model\":\"") == true && row["SkuPriceDetails"]?.contains("\n") == false)
    }
  }

  @Test("what cannot be right is refused and leaves the table as it was")
  func refusals() throws {
    #expect(throws: FocusTable.Defect.unnamed("issuer")) { try FocusTable(issuer: "", provider: "x") }
    #expect(throws: FocusTable.Defect.unnamed("provider")) { try FocusTable(issuer: "x", provider: "") }
    let price = try samplePrice()
    let line = try sampleLine(price: price)
    var filled = try table([(line, price)])
    let before = text(filled)
    let other = FocusTable.Defect.otherPrice(line.usage, given: price.id)
    #expect(throws: FocusTable.Defect.otherPrice(line.usage, given: PriceID(7))) { try filled.add(line, price: samplePrice(7)) }
    #expect(throws: other) { try filled.add(line, price: samplePrice(currency: "EUR")) }
    #expect(throws: other) { try filled.add(line, price: samplePrice(6, [.promptUncached: .zero, .completion: .zero])) }
    let huge = try sampleLine(TokenUsage(completion: TokenCount(1)), price: price, amount: NanoAmount(.max))
    #expect(throws: FocusTable.Defect.beyondRange(line.usage)) { try filled.add(huge, price: price) }
    #expect(text(filled) == before)
    #expect(throws: Price.Defect.tariff(.promptUncached, .excessive)) {
      try samplePrice(8, [.promptUncached: Price.largest + NanoAmount(1), .completion: .zero])
    }
  }
}
