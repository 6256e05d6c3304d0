import Billing
import GovernanceTypes
import Testing

private enum Kind { case text, decimal, instant, json }

/// The columns of FOCUS 1.2 as the specification lists them: level M(andatory), R(ecommended) or C(onditional), a `!` where null
/// is not allowed, and the type where it is not a string.
private let specification = """
  M BilledCost! decimal|M BillingAccountId!|M BillingAccountName|M BillingCurrency!|M BillingPeriodEnd! instant
  M BillingPeriodStart! instant|M ChargeCategory!|M ChargeClass|M ChargeDescription|M ChargePeriodEnd! instant
  M ChargePeriodStart! instant|M ContractedCost! decimal|M EffectiveCost! decimal|M InvoiceIssuerName!|M ListCost! decimal
  M PricingQuantity decimal|M PricingUnit|M ProviderName!|M PublisherName!|M ServiceCategory!|M ServiceName!
  R AvailabilityZone|R ChargeFrequency!|R InvoiceId|R ServiceSubcategory!
  C BillingAccountType!|C CapacityReservationId|C CapacityReservationStatus|C CommitmentDiscountCategory|C CommitmentDiscountId
  C CommitmentDiscountName|C CommitmentDiscountQuantity decimal|C CommitmentDiscountStatus|C CommitmentDiscountType
  C CommitmentDiscountUnit|C ConsumedQuantity decimal|C ConsumedUnit|C ContractedUnitPrice decimal|C ListUnitPrice decimal
  C PricingCategory|C PricingCurrency|C PricingCurrencyContractedUnitPrice decimal|C PricingCurrencyEffectiveCost decimal
  C PricingCurrencyListUnitPrice decimal|C RegionId|C RegionName|C ResourceId|C ResourceName|C ResourceType|C SkuId|C SkuMeter
  C SkuPriceDetails json|C SkuPriceId|C SubAccountId|C SubAccountName|C SubAccountType|C Tags json
  """

private struct Column {
  let name: String
  let level: Substring
  let allowsNull: Bool
  let kind: Kind

  init(_ text: Substring) {
    let words = text.split(separator: " ")
    self.level = words[0]
    self.allowsNull = !words[1].hasSuffix("!")
    self.name = String(words[1].prefix { $0 != "!" })
    switch words.count == 3 ? words[2] : "" {
    case "decimal": self.kind = .decimal
    case "instant": self.kind = .instant
    case "json": self.kind = .json
    default: self.kind = .text
    }
  }
}

private let columns = specification.split { $0 == "|" || $0 == "\n" }.map(Column.init)

@Suite("The FOCUS table against the specification")
struct FocusRulesTests {
  /// Random requests at random prices, each row of their table by column name, and the sum of their charges.
  private func sample(seed: UInt64) throws -> (header: [String], rows: [[String: String]], charged: Int128) {
    var random = SplitMix64(seed: seed)
    var table = try FocusTable(issuer: "Example GmbH", provider: "Example GmbH")
    var charged: Int128 = 0
    let prices = try (0..<4).map { index in
      var rates: [UsageCategory: NanoAmount] = [:]
      for category in UsageCategory.allCases where category != .promptCached || index % 2 == 0 {
        rates[category] = NanoAmount(Int128(random.next() >> UInt64.random(in: 20...63, using: &random)))
      }
      if index == 3 { rates[.request] = nil }
      return try samplePrice(UInt128(index), rates)
    }
    for round in 0..<300 {
      let price = try #require(prices.randomElement(using: &random))
      func count() -> TokenCount { TokenCount(Bool.random(using: &random) ? 0 : Int.random(in: 0...5_000, using: &random)) }
      let tokens = TokenUsage(promptUncached: count(), promptCached: count(), completion: count(), training: count())
      let charge =
        round % 50 == 0 ? NanoAmount(Int128.random(in: 0...price.charge(tokens).nano, using: &random)) : price.charge(tokens)
      let day = Int.random(in: 27...30, using: &random)
      try table.add(
        sampleLine(
          tokens, price: price, amount: charge, usage: UInt128(round), project: Bool.random(using: &random) ? ProjectID(3) : nil,
          key: UInt128(Int.random(in: 0...2, using: &random)), heldAt: "2026-11-\(day)T12:00:00Z"), price: price)
      charged += charge.nano
    }
    let lines = try #require(readCSV(table.csv()))
    let header = try #require(lines.first)
    let rows = try lines.dropFirst().map { fields in
      try #require(fields.count == header.count, "seed \(seed)")
      return Dictionary(uniqueKeysWithValues: zip(header, fields))
    }
    return (header, rows, charged)
  }

  @Test("all 57 columns are there, sorted, and custom ones follow")
  func names() throws {
    let found = try sample(seed: 1).header
    #expect(columns.count == 57 && ["M", "R", "C"].map { level in columns.count { $0.level == level } } == [21, 4, 32])
    #expect(Array(found.prefix(57)) == columns.map(\.name).sorted())
    #expect(found.dropFirst(57).allSatisfy { $0.hasPrefix("x_") } && found.dropFirst(57).sorted() == Array(found.dropFirst(57)))
  }

  @Test("a column that may not be null is never empty, and every cell has its column's type", arguments: [UInt64(3), 4])
  func cells(seed: UInt64) throws {
    for row in try sample(seed: seed).rows {
      for column in columns {
        let cell = try #require(row[column.name])
        if cell.isEmpty {
          try #require(column.allowsNull, "seed \(seed): \(column.name)")
          continue
        }
        switch column.kind {
        case .text: break
        case .decimal: try #require(units(cell, scale: 15) != nil, "seed \(seed): \(column.name) is \(cell)")
        case .instant:
          try #require(
            cell.utf8.count == 20 && cell.hasSuffix("T00:00:00Z") && Timestamp(cell) != nil, "\(column.name) is \(cell)")
        case .json: try #require(cell.hasPrefix("{\"") && cell.hasSuffix("\"}"), "\(column.name) is \(cell)")
        }
      }
    }
  }

  @Test("billed costs add up to the charges, to the nano-unit", arguments: [UInt64(5), 6, 7, 8, 2_026])
  func sums(seed: UInt64) throws {
    let sample = try sample(seed: seed)
    var billed: Int128 = 0
    for row in sample.rows { billed += try #require(units(row["BilledCost"] ?? "", scale: 9)) }
    #expect(billed == sample.charged, "seed \(seed)")
    #expect(sample.charged > 0)
  }

  @Test("list and contracted cost are price times quantity, exactly", arguments: [UInt64(9), 10])
  func products(seed: UInt64) throws {
    for row in try sample(seed: seed).rows {
      let quantity = try #require(units(row["PricingQuantity"] ?? "", scale: 6))
      for (cost, unitPrice) in [("ListCost", "ListUnitPrice"), ("ContractedCost", "ContractedUnitPrice")] {
        let rate = try #require(units(row[unitPrice] ?? "", scale: 9))
        try #require(units(row[cost] ?? "", scale: 15) == rate * quantity, "seed \(seed): \(row)")
      }
      try #require(row["ConsumedQuantity"]?.hasSuffix(".0") == true)
      try #require(units(row["ConsumedQuantity"] ?? "", scale: 6) == quantity * 1_000_000, "seed \(seed)")
    }
  }

  @Test("values stay within the lists and pairs that FOCUS allows", arguments: [UInt64(11)])
  func values(seed: UInt64) throws {
    for row in try sample(seed: seed).rows {
      #expect(row["ChargeCategory"] == "Usage" && row["ChargeFrequency"] == "Usage-Based" && row["PricingCategory"] == "Standard")
      #expect(row["ServiceCategory"] == "AI and Machine Learning" && row["ServiceSubcategory"] == "Generative AI")
      #expect(row["SubAccountId"]?.isEmpty == row["SubAccountType"]?.isEmpty)
      #expect(row["SkuId"]?.isEmpty == false && row["SkuMeter"]?.isEmpty == false && row["SkuPriceId"]?.isEmpty == false)
      #expect(row["BillingCurrency"] == row["PricingCurrency"])
      #expect(row["PricingUnit"] == "1000000 \(row["ConsumedUnit"] ?? "")")
      #expect((row["ChargePeriodStart"] ?? "") >= (row["BillingPeriodStart"] ?? "~"))
      #expect((row["ChargePeriodEnd"] ?? "~") <= (row["BillingPeriodEnd"] ?? ""))
    }
  }
}
