import Billing
import GovernanceTypes
import Testing

@Suite("Corrections")
struct CorrectionTests {
  @Test("the customers that a corrected price touches, each with the difference that it makes to F of the month")
  func rerating() throws {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    for _ in 0..<50 {
      let (wrong, right) = (try randomPrice(&random, id: 1), try randomPrice(&random, id: 2))
      let usages = try (1...5).map { customer in
        let month = try SampleMonth(wrong, requests: customer * 3, firstPosition: 0, &random)
        var usage = month.usage
        usage.settled = wrong.charged(usage.quantities)
        return CustomerUsage(customer: CustomerID(UInt128(customer)), usage: usage)
      }
      let report = try Rerating(usages, at: right)
      for item in usages {
        let difference = right.total(item.usage.quantities) - wrong.total(item.usage.quantities)
        let found = report.effects.first { $0.customer == item.customer }?.adjustment ?? .zero
        #expect(found == difference, "seed \(seed)")
      }
      let adjustments = report.effects.reduce(NanoAmount.zero) { $0 + $1.adjustment }
      #expect(adjustments == report.after - report.before)
      #expect(report.effects.count + report.untouched == 5)
      let same = try Rerating(usages, at: wrong)
      #expect(same.effects.isEmpty)
    }
  }

  @Test("a negotiated price touches its customer alone, and another currency is refused")
  func scope() throws {
    let old = try samplePrice()
    let usage = PricedUsage(
      price: old, quantities: PeriodQuantities(tokens: TokenUsage(completion: TokenCount(1_000_000)), requests: 1),
      settled: NanoAmount(600_000_001))
    let usages = [1, 2].map { CustomerUsage(customer: CustomerID($0), usage: usage) }
    let own = try Price(
      id: PriceID(9), model: old.model, customer: CustomerID(2), currency: old.currency, effectiveFrom: old.effectiveFrom,
      perMillion: [.promptUncached: .zero, .completion: NanoAmount(500_000_000)])
    let report = try Rerating(usages, at: own)
    #expect(report.effects.map(\.customer) == [CustomerID(2)])
    #expect(report.effects.map(\.adjustment) == [NanoAmount(-100_000_001)])
    let euros = try samplePrice(7, currency: "EUR")
    #expect(throws: Rerating.Defect.currency(old.id, old.currency)) { try Rerating(usages, at: euros) }
    #expect(throws: Rerating.Defect.twice(CustomerID(1))) { try Rerating([usages[0], usages[0]], at: own) }
  }

  @Test("what a price was too high by is credited on the lines that it made")
  func credits() throws {
    var random = SplitMix64(seed: 3)
    var draft = try sampleDraft()
    let price = try samplePrice(6, currency: "EUR")
    draft.usage = [try SampleMonth(price, requests: 30, firstPosition: 0, &random).usage]
    let invoice = try draft.finalisedSample()
    let amount = NanoAmount(invoice.totals.exact.nano / 2)
    let corrections = try #require(invoice.corrections(givingBack: amount, of: price.id))
    #expect(corrections.reduce(.zero) { $0 + $1.amount } == amount)
    let note = try invoice.credited(as: name(5, "CN"), issued: day("2026-11-02"), reason: "Price", corrections: corrections)
    #expect(note.totals.exact == amount)
    #expect(invoice.corrections(givingBack: invoice.totals.exact, of: price.id, earlier: [note]) == nil)
    #expect(invoice.corrections(givingBack: amount, of: PriceID(99)) == nil)
  }

  @Test("tokens from the engine to the invoice: complete, or every difference is listed")
  func capture() throws {
    var random = SplitMix64(seed: 4)
    var draft = try sampleDraft()
    draft.usage = [try SampleMonth(samplePrice(6, currency: "EUR"), requests: 30, firstPosition: 0, &random).usage]
    let invoiced = CaptureRate.invoiced([try draft.finalisedSample()])
    let settled = CaptureRate.settled(draft.usage)
    let complete = CaptureRate(produced: settled, settled: settled, undelivered: [:], invoiced: invoiced)
    #expect(complete.differences.isEmpty)
    #expect(complete.millionths == 1_000_000)
    let meter = CaptureRate.Meter(ModelID("llama-2-7b-chat"), .completion)
    var produced = settled
    produced[meter, default: .zero] += TokenCount(10)
    let lost = CaptureRate(produced: produced, settled: settled, undelivered: [meter: TokenCount(4)], invoiced: invoiced)
    #expect(lost.differences.map(\.cause) == [.unsettled, .undelivered])
    #expect(lost.differences.map(\.tokens) == [6, 4] && lost.differences.allSatisfy { $0.meter == meter })
    let forgotten = CaptureRate(produced: settled, settled: settled, undelivered: [:], invoiced: [:])
    #expect(forgotten.differences.map(\.tokens) == forgotten.rows.map(\.settled))
    #expect(forgotten.millionths == 0)
  }
}
