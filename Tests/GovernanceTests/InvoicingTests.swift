import Billing
import Documents
import Governance
import GovernanceTypes
import Simulation
import Testing

@Suite("Invoices from the gate's own books")
struct InvoicingTests {
  static let month = "2026-11"

  @Test("an invoice across a tier comes to what the ledger charged, to the nano-unit, and outlives a restart")
  func acrossATier() async throws {
    let fixture = try await self.fixture()
    for most in [30, 30, 30] { _ = try await fixture.serve(fixture.call(most: most)) }
    self.turnMonth(fixture)
    let draft = try await self.draft(fixture)
    let summary = try await fixture.gate.finalizeInvoice(draft, by: GateFixture.actor)
    #expect(summary.number == "INV-000001" && summary.id == draft)
    let (invoice, document, digest) = try await self.final(fixture.gate, draft)
    let charged = fixture.journal.usageRecords.reduce(NanoAmount.zero) { $0 + $1.amount }
    #expect(invoice.totals.exact == charged)
    #expect(invoice.totals.gross == invoice.totals.exact + invoice.totals.rounding + invoice.totals.tax)
    #expect(invoice.appendix.map(\.requests) == [3] && invoice.appendix.map(\.positions.count) == [3])
    // The places are those of the settlements.
    let entries = fixture.journal.entries
    let places = invoice.appendix.flatMap { $0.positions.ranges.flatMap { Array($0) } }
    #expect(places.allSatisfy { entries[$0].type == .settle })
    let logged = try #require(entries.last { $0.type == .invoice })
    #expect(logged.fields.contains(JSONMember("document_sha256", .string(digest.hexadecimal))))

    let gate = try await self.restarted(fixture)
    #expect(try await self.final(gate, draft).document == document)
    #expect(try await gate.finalizeInvoice(draft, by: GateFixture.actor) == summary)
    #expect(await self.code { try await self.draft(fixture, on: gate) } == .conflict)
  }

  @Test("corrections of the month are lines of its invoice, which still comes to what the ledger charged")
  func corrections() async throws {
    let fixture = try await self.fixture()
    for most in [30, 30] { _ = try await fixture.serve(fixture.call(most: most)) }
    let record = try #require(fixture.journal.usageRecords.first)
    for amount in ["-0.000000040", "0.000000015"] {
      let body = #"{"usage":"\#(record.usage)","amount":"\#(amount)","reason":"a faulty answer"}"#
      _ = try await fixture.gate.adjust(GateFixture.document(body), by: GateFixture.actor)
    }
    self.turnMonth(fixture)
    let draft = try await self.draft(fixture)
    _ = try await fixture.gate.finalizeInvoice(draft, by: GateFixture.actor)
    let invoice = try await self.final(fixture.gate, draft).0
    let charged = fixture.journal.usageRecords.reduce(NanoAmount.zero) { $0 + $1.amount }
    #expect(invoice.totals.exact.nano == charged.nano - 25)
    #expect(invoice.lines.contains { $0.exact.nano == -25 })
  }

  @Test("a month is not closed before it is over, nor while a request of it runs; afterwards nothing is added to it")
  func open() async throws {
    let fixture = try await self.fixture()
    _ = try await fixture.serve(fixture.call(most: 5))
    let draft = try await self.draft(fixture)
    #expect(await self.code { _ = try await fixture.gate.finalizeInvoice(draft, by: GateFixture.actor) } == .conflict)
    guard case .live(let live) = try await fixture.gate.admit(fixture.call(most: 5)) else { return }
    self.turnMonth(fixture)
    #expect(await self.code { _ = try await fixture.gate.finalizeInvoice(draft, by: GateFixture.actor) } == .conflict)
    _ = await GateFixture.run(live)
    _ = try await fixture.gate.finalizeInvoice(draft, by: GateFixture.actor)
    let invoice = try await self.final(fixture.gate, draft).0
    #expect(invoice.appendix.map(\.requests) == [2])
    #expect(invoice.totals.exact == fixture.journal.usageRecords.reduce(.zero) { $0 + $1.amount })
  }

  @Test("numbers have no gap: a disk that refuses uses up none, and many at once get one each")
  func numbers() async throws {
    let fixture = try await self.fixture()
    _ = try await fixture.serve(fixture.call(most: 5))
    self.turnMonth(fixture)
    let draft = try await self.draft(fixture)
    fixture.journal.fail(with: JournalError(.diskFull, "test"))
    #expect(await self.code { _ = try await fixture.gate.finalizeInvoice(draft, by: GateFixture.actor) } == .storeUnavailable)
    fixture.journal.fail(with: nil)
    var gate = try await self.restarted(fixture)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<16 {
        group.addTask { [gate] in _ = try? await gate.finalizeInvoice(draft, by: GateFixture.actor) }
      }
    }
    gate = try await self.restarted(fixture)
    #expect(try await gate.finalizeInvoice(draft, by: GateFixture.actor).number == "INV-000001")
    #expect(fixture.journal.entries.count { $0.type == .invoice } == 1)
  }

  @Test("a run invoices everyone once; whoever cannot be is named and leaves no gap")
  func run() async throws {
    let fixture = try await self.fixture()
    _ = try await fixture.serve(fixture.call(most: 5))
    var others: [CustomerID] = []
    for number in 0..<4 {
      let made = try await fixture.gate.createCustomer(GateFixture.document(#"{"name":"C\#(number)"}"#), by: GateFixture.actor)
      guard case .string(let text)? = made["id"], let id = CustomerID(text) else { continue }
      others.append(id)
      try await self.profile(fixture.gate, id, #","commitments":[{"amount":"10.00","currency":"USD"}]"#)
    }
    // One has a commitment, and no address that an invoice could go to with its tax.
    try await self.profile(
      fixture.gate, others[1],
      #","commitments":[{"amount":"10.00","currency":"USD"}],"tax":{"category":"AE","percent":"0","reason":"Reverse charge"}"#)
    self.turnMonth(fixture)
    let month = try #require(CalendarMonth(Self.month))
    var rows: [InvoiceRunRow] = []
    var after: CustomerID?
    repeat {
      let page = try await fixture.gate.runInvoices(of: month, after: after, customers: 2, by: GateFixture.actor)
      rows += page.rows
      after = page.next
    } while after != nil
    #expect(rows.count == 5)
    #expect(rows.compactMap { try? $0.outcome.get().number } == (1...4).map { "INV-00000\($0)" })
    #expect(rows.filter { if case .failure = $0.outcome { true } else { false } }.map(\.customer) == [others[1]])
    let again = try await fixture.gate.runInvoices(of: month, after: nil, customers: 100, by: GateFixture.actor)
    #expect(again.rows.map(\.customer) == [others[1]])
    // A commitment that nothing was used of is due whole.
    let committed = try #require(try? rows.first { $0.customer == others[0] }?.outcome.get())
    #expect(committed.gross == NanoAmount(11_900_000_000))
  }

  @Test("credit notes take back parts and then the rest, and no more")
  func creditNotes() async throws {
    let fixture = try await self.fixture(price: #""per_million":"7.77""#)
    _ = try await fixture.serve(fixture.call(most: 60))
    self.turnMonth(fixture)
    try await self.profile(fixture.gate, fixture.customer, #","commitments":[{"amount":"100.00","currency":"USD"}]"#)
    let draft = try await self.draft(fixture)
    let invoice = try await fixture.gate.finalizeInvoice(draft, by: GateFixture.actor)
    let lines = try await self.final(fixture.gate, draft).0.lines
    let line = try #require(lines.last)
    func credit(_ body: String) async throws -> InvoiceSummary {
      try await fixture.gate.creditNote(of: draft, GateFixture.document(body), by: GateFixture.actor)
    }
    let part = try await credit(#"{"reason":"part","lines":[{"line":\#(line.id),"amount":"33.333333333"}]}"#)
    #expect(part.number == "CN-000001" && part.corrects == draft)
    #expect(
      await self.code { _ = try await credit(#"{"reason":"x","lines":[{"line":\#(line.id),"amount":"99.00"}]}"#) } == .conflict)
    #expect(await self.code { _ = try await credit(#"{"reason":"x","lines":[{"line":99,"amount":"1.00"}]}"#) } == .conflict)
    let rest = try await credit(#"{"reason":"rest","whole":true}"#)
    #expect(part.gross + rest.gross == invoice.gross && rest.number == "CN-000002")
    #expect(await self.code { _ = try await credit(#"{"reason":"more","whole":true}"#) } == .conflict)
    #expect(await self.code { _ = try await credit(#"{"reason":"more"}"#) } == .invalidRequest)
    #expect(try await self.final(self.restarted(fixture), rest.id).0.isCreditNote)
  }

  @Test("prepaid credit is taken off what is payable, promotional credit off what is taxed, in the order in which it is used")
  func credits() async throws {
    let fixture = try await self.fixture(price: #""per_million":"100000""#)
    for (amount, more) in [("5.00", ""), ("2.00", #","priority":0,"promotional":true,"expires":"2027-01-01""#)] {
      _ = try await fixture.gate.grantCredit(
        to: fixture.customer, GateFixture.document(#"{"amount":"\#(amount)","currency":"USD"\#(more)}"#), by: GateFixture.actor)
    }
    // 30 tokens at ten cents: the promotional two dollars expire first and go first.
    _ = try await fixture.serve(fixture.call(most: 30))
    self.turnMonth(fixture)
    let draft = try await self.draft(fixture)
    _ = try await fixture.gate.finalizeInvoice(draft, by: GateFixture.actor)
    let invoice = try await self.final(fixture.gate, draft).0
    #expect(invoice.lines.map(\.code) == ["prompt_uncached", "completion", "promotion"])
    #expect(invoice.lines.map(\.exact.description) == ["0.00", "3.00", "-2.00"])
    #expect(invoice.totals.prepaid.description == "1.00" && invoice.totals.payable.description == "0.19")
  }

  // MARK: Set-up

  /// Completions at 5 nano-units up to 40 in a month, at 2 beyond, or as given; prompts for nothing; 19 % of tax.
  func fixture(
    price: String = #""tier_mode":"graduated","tiers":[{"up_to":40,"per_million":"0.005"},{"per_million":"0.002"}]"#
  ) async throws -> GateFixture {
    let fixture = try await GateFixture(
      script: .init(promptTokens: 10, tokens: PeriodRatingTests.words), policy: try Self.policy(), prices: false)
    let body =
      #"{"model":"m","currency":"USD","effective_from":"2026-01-01","components":[{"category":"prompt_uncached","per_million":"0"},{"category":"completion",\#(price)}]}"#
    _ = try await fixture.gate.createPrice(GateFixture.document(body), by: GateFixture.actor)
    try await self.profile(fixture.gate, fixture.customer)
    return fixture
  }

  private static func policy() throws -> GatePolicy {
    var policy = GatePolicy()
    policy.invoicing = InvoicePolicy(
      seller: try InvoiceParty(
        name: "Example GmbH", street: "Weg 1", city: "Berlin", postalCode: "10115", country: "DE", vatID: "DE123456789"),
      taxes: TaxPlan(usual: try TaxTreatment(.standard, basisPoints: 1900)))
    return policy
  }

  private func profile(_ gate: Gate, _ customer: CustomerID, _ more: String = "") async throws {
    let party = #"{"name":"Acme","street":"Street 2","city":"Hamburg","postal_code":"20095","country":"DE"}"#
    _ = try await gate.setBillingProfile(
      of: customer, GateFixture.document(#"{"party":\#(party)\#(more)}"#), by: GateFixture.actor)
  }

  func turnMonth(_ fixture: GateFixture) { fixture.clock.advance(by: .seconds(8 * 86_400)) }

  @discardableResult
  func draft(_ fixture: GateFixture, on gate: Gate? = nil) async throws -> InvoiceID {
    let body = #"{"customer":"\#(fixture.customer)","period":"\#(Self.month)","currency":"USD"}"#
    let draft = try await (gate ?? fixture.gate).draftInvoice(GateFixture.document(body), by: GateFixture.actor)
    guard case .string(let text)? = draft["id"], let id = InvoiceID(text) else { throw GateFixture.ClientGone() }
    return id
  }

  func final(_ gate: Gate, _ id: InvoiceID) async throws -> (Invoice, document: [UInt8], digest: Digest) {
    guard case .final(let invoice, let document, let digest) = try await gate.invoice(id) else { throw GateFixture.ClientGone() }
    return (invoice, document, digest)
  }

  private func restarted(_ fixture: GateFixture) async throws -> Gate {
    let gate = try GateFixture.makeGate(
      journal: fixture.journal, clock: fixture.clock, terms: GateFixture.permissiveTerms, policy: try Self.policy())
    try gate.register(GateFixture.model(fixture.engine))
    _ = try await gate.recover(fixture.journal.stored(lastAt: fixture.clock.now), version: "test")
    return gate
  }

  private func code(_ body: () async throws -> Void) async -> Refusal.Code? { await refusal(body)?.code }
}
