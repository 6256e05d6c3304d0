import Billing
import Documents
import Governance
import GovernanceTypes
import Simulation
import Testing

@Suite("A wrong price, and a price to come")
struct ReratingTests {
  private static let right =
    #"[{"category":"prompt_uncached","per_million":"0"},{"category":"completion","per_million":"1000.00"}]"#

  @Test("a preview says what another price would have made of a month, for whom, and changes nothing")
  func preview() async throws {
    let fixture = try await InvoicingTests().fixture(price: #""per_million":"2000.00""#)
    for _ in 0..<3 { _ = try await fixture.serve(fixture.call(most: 10)) }
    let before = fixture.journal.entries.count
    let body = #"{"model":"m","currency":"USD","period":"2026-11","components":\#(Self.right)}"#
    let answer = try await fixture.gate.previewPrice(GateFixture.document(body))
    guard case .array(let parts)? = answer["data"], let part = parts.first else { throw GateFixture.ClientGone() }
    #expect(part["before"] == "0.06" && part["after"] == "0.03" && part["touched_customers"] == 1)
    #expect(fixture.journal.entries.count == before)
    // The month before has nothing to rate.
    let empty = try await fixture.gate.previewPrice(GateFixture.document(body.replacing(#""period":"2026-11","#, with: "")))
    #expect(empty["period"] == "2026-10" && empty["data"] == .array([]))
  }

  @Test("a month that is not invoiced is corrected in its draft, once; an invoiced one by a credit note, once")
  func apply() async throws {
    let suite = InvoicingTests()
    let fixture = try await suite.fixture(price: #""per_million":"2000.00""#)
    for _ in 0..<3 { _ = try await fixture.serve(fixture.call(most: 10)) }
    let price = try #require(fixture.journal.usageRecords.first?.price)
    let body = #"{"period":"2026-11","components":\#(Self.right),"apply":true}"#
    let first = try await self.rerate(fixture, price, body)
    #expect(first["adjustment"] == "-0.03" && first["invoice"] == .null && first["error"] == nil)
    let second = try await self.rerate(fixture, price, body)
    #expect(second["error"] != nil, "it is made once")
    suite.turnMonth(fixture)
    guard case .string(let text)? = first["applied_as"], let draft = InvoiceID(text) else { throw GateFixture.ClientGone() }
    _ = try await fixture.gate.finalizeInvoice(draft, by: GateFixture.actor)
    let invoice = try await suite.final(fixture.gate, draft).0
    #expect(invoice.totals.exact.description == "0.03" && invoice.lines.last?.code == "adjustment")

    let other = try await suite.fixture(price: #""per_million":"2000.00""#)
    _ = try await other.serve(other.call(most: 10))
    suite.turnMonth(other)
    let invoiced = try await suite.draft(other)
    _ = try await other.gate.finalizeInvoice(invoiced, by: GateFixture.actor)
    let wrong = try #require(other.journal.usageRecords.first?.price)
    let row = try await self.rerate(other, wrong, body)
    guard case .string(let name)? = row["applied_as"], let note = InvoiceID(name) else { throw GateFixture.ClientGone() }
    let credit = try await suite.final(other.gate, note).0
    #expect(credit.isCreditNote && credit.totals.exact.description == "0.01")
    let twice = try await self.rerate(other, wrong, body)
    #expect(twice["error"] != nil, "it is made once")
  }

  /// The one row of a correction.
  private func rerate(_ fixture: GateFixture, _ price: PriceID, _ body: String) async throws -> JSON {
    let answer = try await fixture.gate.rerate(price, GateFixture.document(body), by: GateFixture.actor)
    guard case .array(let rows)? = answer["data"], let row = rows.first, rows.count == 1 else { throw GateFixture.ClientGone() }
    return row
  }
}
