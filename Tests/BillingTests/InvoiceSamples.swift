import Billing
import GovernanceTypes
import Testing

func sampleSeller(_ vatID: String? = "DE123456789") throws -> InvoiceParty {
  try InvoiceParty(
    name: "Example & Sons GmbH", street: "Hauptstraße 1", city: "Berlin", postalCode: "10115", country: "DE", vatID: vatID,
    registration: "HRB 1234", email: "billing@example.com")
}

func sampleBuyer(_ vatID: String? = "FR12345678901") throws -> InvoiceParty {
  try InvoiceParty(name: "Client <SA>", street: "1 rue \"A\"", city: "Paris", postalCode: "75001", country: "FR", vatID: vatID)
}

func sampleDraft(
  _ code: String = "EUR", taxes: TaxPlan? = nil, seller: InvoiceParty? = nil, buyer: InvoiceParty? = nil
) throws -> InvoiceDraft {
  InvoiceDraft(
    customer: CustomerID(2), period: try #require(CalendarMonth("2026-10")), currency: try currency(code),
    seller: try seller ?? sampleSeller(), buyer: try buyer ?? sampleBuyer(),
    taxes: try taxes ?? TaxPlan(usual: TaxTreatment(.standard, basisPoints: 1900)))
}

func day(_ text: String) throws -> CalendarDay { try #require(CalendarDay(text)) }

func name(_ id: UInt128, _ prefix: String = "INV") -> InvoiceName { InvoiceName(id: InvoiceID(id), number: "\(prefix)-\(id)") }

extension InvoiceDraft {
  func finalisedSample(_ id: UInt128 = 1) throws -> Invoice {
    try self.finalised(as: name(id), issued: day("2026-11-01"), due: day("2026-11-15"))
  }
}

/// Requests of one customer in one month at one price, each with the charge that the ledger settled.
struct SampleMonth {
  var usage: PricedUsage
  var lines: [UsageLine] = []

  init(_ price: Price, requests: Int, firstPosition: Int, _ random: inout SplitMix64) throws {
    var settled = PeriodQuantities.none
    var sum = NanoAmount.zero
    var positions = LogPositions()
    for index in 0..<requests {
      let tokens = TokenUsage(
        promptUncached: TokenCount(Int.random(in: 0...900, using: &random)),
        promptCached: TokenCount(Int.random(in: 0...400, using: &random)),
        completion: TokenCount(Int.random(in: 0...900, using: &random)))
      var charge = price.charge(tokens, after: settled)
      // Now and then a charge is held to what was reserved.
      if Int.random(in: 0..<20, using: &random) == 0 { charge = NanoAmount(charge.nano / 2) }
      settled = settled.adding(tokens)
      sum += charge
      let position = firstPosition + 2 * index + Int.random(in: 0...1, using: &random)
      let isBehind = positions.append(position)
      #expect(isBehind)
      self.lines.append(
        try sampleLine(
          tokens, price: price, amount: charge, usage: UInt128(position), key: UInt128(index % 3),
          model: price.model.name, heldAt: "2026-10-\(10 + index % 20)T12:00:00Z"))
    }
    self.usage = PricedUsage(price: price, quantities: settled, settled: sum, positions: positions)
  }

  init(usage: PricedUsage) { self.usage = usage }
}

/// A month at random prices, with everything that an invoice can have, and its requests.
func randomDraft(_ random: inout SplitMix64) throws -> (draft: InvoiceDraft, lines: [UsageLine]) {
  let treatments = try [
    TaxTreatment(.standard, basisPoints: 1900), TaxTreatment(.standard, basisPoints: 775),
    TaxTreatment(.reverseCharge, reason: "Reverse charge"), TaxTreatment(.zeroRated),
  ]
  var draft = try sampleDraft(taxes: TaxPlan(usual: treatments[Int.random(in: 0..<4, using: &random)]))
  var lines: [UsageLine] = []
  for index in 1...Int.random(in: 1...3, using: &random) {
    let price = try randomPrice(&random, id: UInt128(index))
    let month = try SampleMonth(
      price, requests: Int.random(in: 0...30, using: &random), firstPosition: 1000 * index, &random)
    draft.usage.append(month.usage)
    lines += month.lines
  }
  if Bool.random(using: &random) {
    draft.commitment = Commitment(
      NanoAmount(Int128.random(in: 0...100_000_000, using: &random)), draft.currency,
      overageBasisPoints: Int.random(in: 0...20_000, using: &random))
  }
  if Bool.random(using: &random) {
    draft.adjustments.append(
      InvoiceAdjustment(reason: "Correction", amount: NanoAmount(Int128.random(in: -30_000_000...30_000_000, using: &random))))
  }
  if Bool.random(using: &random) {
    draft.promotions.append(
      PromotionUse(credit: CreditID(1), amount: NanoAmount(Int128.random(in: 0...20_000_000, using: &random))))
  }
  return (draft, lines)
}
