import Billing
import GovernanceTypes
import Testing

private func nano(_ text: String) throws -> NanoAmount { try #require(NanoAmount(decimal: text)) }

private func used(_ tokens: Int, at price: Price) -> PricedUsage {
  let quantities = PeriodQuantities(tokens: TokenUsage(completion: TokenCount(tokens)), requests: 1)
  return PricedUsage(price: price, quantities: quantities, settled: price.charged(quantities))
}

private func priced(_ tariff: Tariff, id: UInt128 = 1, currency code: String = "EUR", customer: CustomerID? = nil) throws -> Price
{
  try Price(
    id: PriceID(id), model: ModelID("demo"), customer: customer, currency: currency(code), effectiveFrom: Timestamp(seconds: 0),
    rates: [.promptUncached: Rate(.perUnit(.zero)), .completion: Rate(tariff)])
}

@Suite("Invoices")
struct InvoiceTests {
  @Test(
    "amounts are rounded to the currency's minor unit, halves away from zero",
    arguments: [
      ("EUR", "1.005", "1.01"), ("EUR", "-1.005", "-1.01"), ("EUR", "1.004999999", "1.00"), ("JPY", "0.5", "1"),
      ("JPY", "-0.499999999", "0"), ("KWD", "0.0005", "0.001"), ("CLF", "2.00005", "2.0001"), ("USD", "-0.004", "0.00"),
    ])
  func rounding(code: String, exact: String, text: String) throws {
    #expect(try nano(exact).rounded(in: currency(code)).text(in: currency(code)) == text)
  }

  @Test("a month of one price: the line is rounded, tax is reckoned of the subtotal, the rest goes to the rounding account")
  func golden() throws {
    var draft = try sampleDraft()
    draft.usage = [used(617_283_945, at: try priced(.perUnit(nano("0.20"))))]
    let invoice = try draft.finalisedSample()
    #expect(invoice.lines.map(\.code) == ["completion"])
    #expect(invoice.totals.exact == (try nano("123.456789")))
    #expect(invoice.totals.net == (try nano("123.46")))
    #expect(invoice.totals.rounding == (try nano("0.003211")))
    #expect(invoice.totals.tax == (try nano("23.46")))
    #expect(invoice.totals.payable == (try nano("146.92")))
  }

  @Test("what a volume tier gives back is a line of its own")
  func volume() throws {
    var draft = try sampleDraft()
    let tariff = Tariff.volume([
      Tariff.Tier(upTo: 1_000_000, perMillion: try nano("2")), Tariff.Tier(upTo: nil, perMillion: try nano("1")),
    ])
    draft.usage = [used(1_500_000, at: try priced(tariff))]
    let lines = try draft.lines()
    #expect(lines.map(\.code) == ["completion", "give_back"])
    #expect(lines.map(\.exact) == (try [nano("2"), nano("-0.5")]))
  }

  @Test(
    "a commitment is filled up, or what goes beyond it costs the agreed part of its price",
    arguments: [("5", 10_000, "true_up", "3"), ("0.5", 15_000, "overage", "0.75"), ("0.5", 8_000, "overage", "-0.3")])
  func commitments(amount: String, basisPoints: Int, code: String, exact: String) throws {
    var draft = try sampleDraft()
    draft.usage = [used(2_000_000, at: try priced(.perUnit(nano("1"))))]
    draft.commitment = Commitment(try nano(amount), draft.currency, overageBasisPoints: basisPoints)
    let last = try #require(draft.lines().last)
    #expect(last.code == code)
    #expect(last.exact == (try nano(exact)))
  }

  @Test("charges, F, lines, tax and rounding agree to the nano-unit, whatever the prices and requests")
  func identities() throws {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    for _ in 0..<300 {
      let (draft, requests) = try randomDraft(&random)
      let invoice = try draft.finalisedSample()
      for usage in draft.usage {
        let lines = invoice.lines.filter { line in
          switch line.kind {
          case .usage(let price, _, _), .giveBack(let price, _): price == usage.price.id
          default: false
          }
        }
        #expect(lines.reduce(.zero) { $0 + $1.exact } == usage.price.total(usage.quantities), "seed \(seed)")
        let charges = requests.filter { $0.price == usage.price.id }.reduce(NanoAmount.zero) { $0 + $1.amount }
        let held = invoice.lines.filter { $0.kind == .held(usage.price.id, usage.price.model) }
        let charged = usage.price.charged(usage.quantities)
        #expect(held.reduce(charged) { $0 + $1.exact } == charges, "seed \(seed)")
      }
      let totals = invoice.totals
      #expect(totals.exact == invoice.lines.reduce(.zero) { $0 + $1.exact }, "seed \(seed)")
      #expect(totals.exact + totals.rounding + totals.tax == totals.gross, "seed \(seed)")
      #expect(totals.gross - totals.prepaid == totals.payable, "seed \(seed)")
      #expect(invoice.lines.allSatisfy { abs(($0.amount - $0.exact).nano) <= 5_000_000 }, "seed \(seed)")
      #expect(invoice.subtotals.reduce(.zero) { $0 + $1.taxable } == totals.net, "seed \(seed)")
    }
  }

  @Test("an invoice credited in parts comes to just its own amounts and tax, and never to more")
  func creditNotes() throws {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    for _ in 0..<100 {
      let invoice = try randomDraft(&random).draft.finalisedSample()
      var notes: [Invoice] = []
      while let line = invoice.whole(after: notes).randomElement(using: &random) {
        let isLast = notes.count > 12
        let part = NanoAmount(line.amount.nano / 2)
        let corrections =
          isLast || part == .zero ? invoice.whole(after: notes) : [LineCorrection(line: line.line, amount: part)]
        let beyond = LineCorrection(line: line.line, amount: line.amount + (line.amount > .zero ? NanoAmount(1) : NanoAmount(-1)))
        #expect(throws: CreditNoteDefect.amount(line: line.line, left: line.amount)) {
          try invoice.credited(
            as: name(99, "CN"), issued: day("2026-11-02"), reason: "wrong", corrections: [beyond], earlier: notes)
        }
        notes.append(
          try invoice.credited(
            as: name(UInt128(100 + notes.count), "CN"), issued: day("2026-11-02"), reason: "wrong price",
            corrections: corrections, earlier: notes))
      }
      let lines = invoice.lines.contains { $0.exact != .zero }
      guard lines else { continue }
      #expect(notes.reduce(.zero) { $0 + $1.totals.exact } == invoice.totals.exact, "seed \(seed)")
      #expect(notes.reduce(.zero) { $0 + $1.totals.gross } == invoice.totals.gross, "seed \(seed)")
      #expect(notes.reduce(.zero) { $0 + $1.totals.tax } == invoice.totals.tax, "seed \(seed)")
    }
  }

  @Test("what cannot be an invoice is refused by name")
  func defects() throws {
    let own = try priced(.perUnit(nano("1")), customer: CustomerID(9))
    var other = try sampleDraft()
    other.usage = [used(1, at: own)]
    #expect(throws: InvoiceDraft.Defect.otherCustomer(own.id)) { try other.lines() }
    var foreign = try sampleDraft()
    foreign.usage = [used(1, at: try priced(.perUnit(nano("1")), currency: "USD"))]
    #expect(throws: InvoiceDraft.Defect.currency(PriceID(1), try currency("USD"))) { try foreign.lines() }
    var twice = try sampleDraft()
    twice.usage = [used(1, at: try priced(.perUnit(nano("1")))), used(2, at: try priced(.perUnit(nano("1"))))]
    #expect(throws: InvoiceDraft.Defect.twicePriced(PriceID(1))) { try twice.lines() }
    var prepaid = try sampleDraft()
    prepaid.usage = [used(1_000_000, at: try priced(.perUnit(nano("1"))))]
    prepaid.prepaid = try nano("1.20")
    #expect(throws: InvoiceDraft.Defect.prepaidBeyondTotal) { try prepaid.finalisedSample() }
    let outside = try sampleDraft(taxes: TaxPlan(usual: TaxTreatment(.outOfScope, reason: "Not subject to VAT")))
    var scoped = outside
    scoped.usage = twice.usage.dropLast()
    #expect(throws: InvoiceDraft.Defect.identifier("seller.vat_id", rule: "BR-O-02")) { try scoped.finalisedSample() }
    #expect(throws: InvoiceDraft.Defect.dueBeforeIssue) {
      try scoped.finalised(as: name(1), issued: day("2026-11-02"), due: day("2026-11-01"))
    }
    #expect(throws: TaxTreatment.Defect.rate(.exempt, 1900)) { try TaxTreatment(.exempt, basisPoints: 1900, reason: "x") }
    #expect(throws: TaxTreatment.Defect.missingReason(.export)) { try TaxTreatment(.export) }
    #expect(throws: InvoiceParty.Defect.country("de")) {
      try InvoiceParty(name: "a", street: "b", city: "c", postalCode: "d", country: "de")
    }
  }

  @Test("numbers follow each other; a gap in what was stored is found, and asking twice uses up none")
  func numbers() throws {
    var numbers = try #require(InvoiceNumbers(prefix: "INV-2026-"))
    let given = [1, 2, 1].map { numbers.number(for: InvoiceID($0)) }
    #expect(given == ["INV-2026-000001", "INV-2026-000002", "INV-2026-000001"])
    var restored = try #require(InvoiceNumbers(prefix: "INV-2026-"))
    try restored.restore(InvoiceID(1), number: "INV-2026-000001")
    #expect(throws: InvoiceNumbers.Defect.gap(expected: "INV-2026-000002", found: "INV-2026-000003")) {
      try restored.restore(InvoiceID(2), number: "INV-2026-000003")
    }
    #expect(throws: InvoiceNumbers.Defect.renumbered(InvoiceID(1), has: "INV-2026-000001")) {
      try restored.restore(InvoiceID(1), number: "INV-2026-000002")
    }
    #expect(InvoiceNumbers(prefix: "a/b") == nil)
  }

  @Test("positions of the log become ranges and only rise")
  func positions() {
    var positions = LogPositions()
    let added = [3, 4, 5, 9, 11, 12, 12].map { positions.append($0) }
    #expect(added == [true, true, true, true, true, true, false])
    #expect(positions.ranges == [3...5, 9...9, 11...12])
    #expect(positions.count == 6)
  }
}
