import Documents
import Governance
import GovernanceTypes
import Testing

@testable import GovernanceStore

@Suite("Rows that billing reads and writes") struct BillingRowsTests {
  private let tokens = TokenUsage(promptUncached: TokenCount(8), promptCached: TokenCount(2), completion: TokenCount(20))

  private func document(_ id: UInt128, number: String, corrects: UInt128? = nil, customer: UInt128 = 1) throws -> JournalRecord {
    let month = try #require(CalendarMonth("2026-10"))
    let summary = InvoiceSummary(
      id: InvoiceID(id), series: "INV-", number: number, customer: CustomerID(customer), period: month, currency: currency("USD"),
      gross: NanoAmount(-12_345_678_901_234_567_890), corrects: corrects.map { InvoiceID($0) }, finalisedAt: noon,
      digest: sha256([1]))
    return JournalRecord(
      entry(.invoice, lookup: summary.id.description, [JSONMember("id", .string(summary.id.description))]),
      effects: [.invoice(InvoiceRecord(summary: summary, body: #"{"a":1}"#))])
  }

  @Test("finalised documents come back as they were, in their order, and never change; a number and a month are taken once")
  func invoices() async throws {
    let directory = TemporaryDirectory()
    var store = try directory.open()
    try await store.submit([document(9, number: "INV-000001"), document(3, number: "INV-000002", corrects: 9)]).durable()
    #expect(await failure(store.submit([try document(4, number: "INV-000002", customer: 2)])) == .conflict)
    #expect(await failure(store.submit([try document(5, number: "INV-000003")])) == .conflict, "the month is invoiced")
    await store.close()
    store = try directory.open()
    let loaded = try store.load().invoices
    #expect(loaded.map(\.number) == ["INV-000001", "INV-000002"] && loaded.map(\.corrects) == [nil, InvoiceID(9)])
    #expect(loaded[0].gross == NanoAmount(-12_345_678_901_234_567_890))
    #expect(try await store.invoice(InvoiceID(3))?.body == #"{"a":1}"#)
    #expect(try await store.invoice(InvoiceID(4)) == nil)
    await store.close()
  }

  @Test("a customer's month by price, with the places of its settlements and what each grant of credit paid")
  func months() async throws {
    let directory = TemporaryDirectory()
    let store = try directory.open()
    let month = noon.month
    let holds = (1...4).map { hold(UInt128($0), amount: 500, heldAt: $0 == 4 ? instant("2026-10-31T23:59:59Z") : noon) }
    let prepaid = [hold(5, amount: 700, isPrepaid: true), hold(6, customer: 2)]
    try await store.submit((holds + prepaid).map(held)).durable()
    let ends = (holds + prepaid).map { settlement(of: $0, amount: 300, tokens: tokens, settledAt: noon) }
    try await store.submit(ends.prefix(2).map(settled) + [settled(void(holds[2]))]).durable()
    try await store.submit(ends[3...].dropLast(2).map(settled)).durable()
    let slices: JSON = [["credit": .string(CreditID(8).description), "amount_nano": "300"]]
    let paid = ends[4]
    try await store.submit([
      JournalRecord(
        entry(
          .settle, lookup: paid.usage.description,
          [
            JSONMember("usage", .string(paid.usage.description)), JSONMember("currency", "USD"), JSONMember("credits", slices),
          ]), effects: [.usage(paid)])
    ]).durable()
    try await store.submit([settled(ends[5])]).durable()
    let mine = try #require(try await store.settled(by: CustomerID(1), in: month).first)
    #expect(mine.requests == 3 && mine.amount == NanoAmount(900) && mine.prepaid == NanoAmount(300))
    #expect(mine.tokens.completion == TokenCount(60) && mine.undelivered == 3 && mine.positions == [6, 7, 10])
    let all = try await store.settled(in: month, customers: [CustomerID(1), CustomerID(2)])
    #expect(all.map(\.customer) == [CustomerID(1), CustomerID(2)] && all.map(\.requests) == [3, 1] && all[0].positions.isEmpty)
    let uses = try await store.creditUsed(by: CustomerID(1), in: month)
    #expect(uses.map(\.grant) == [CreditID(8)] && uses.map(\.used) == [NanoAmount(300)])
    await store.close()
  }

  @Test("usage by spans of time and groups") func buckets() async throws {
    let directory = TemporaryDirectory()
    let store = try directory.open()
    let holds = [
      hold(1, project: 4), hold(2, heldAt: noon.advanced(by: .seconds(59))),
      hold(3, key: 2, heldAt: noon.advanced(by: .seconds(60))),
      hold(4, model: "other", heldAt: noon.advanced(by: .seconds(3600))),
    ]
    try await store.submit(holds.map(held)).durable()
    try await store.submit(holds.map { settled(settlement(of: $0, amount: 10, tokens: tokens)) }).durable()
    var query = UsageBucketQuery(from: noon, to: noon.advanced(by: .seconds(3600)), width: .minute)
    #expect(try await store.usageBuckets(query).map(\.requests) == [2, 1])
    query.width = .hour
    query.to = noon.advanced(by: .seconds(7200))
    query.grouping = [.model, .key]
    let rows = try await store.usageBuckets(query)
    #expect(rows.map { "\($0.model?.name ?? "") \($0.requests)" } == ["demo 2", "demo 1", "other 1"])
    query.keys = [KeyID(2)]
    #expect(try await store.usageBuckets(query).map(\.amount) == [NanoAmount(10)])
    query.keys = []
    query.projects = [ProjectID(4)]
    #expect(try await store.usageBuckets(query).map(\.requests) == [1])
    query.projects = []
    query.models = [ModelID("o\0ther")]
    #expect(try await store.usageBuckets(query).isEmpty)
    await store.close()
  }

  @Test("deliveries are kept with what became of them, and bookmarks with them in one transaction") func deliveries() async throws
  {
    let directory = TemporaryDirectory()
    var store = try directory.open()
    var first = DeliveryRecord(receiver: "r", id: "a:1", lane: "l", payload: "{}", at: noon)
    let second = DeliveryRecord(receiver: "r", id: "a:2", payload: "{}", at: noon)
    try await store.submit([
      JournalRecord(nil, effects: [.delivery(first), .delivery(second), .bookmark(name: "b", value: "7")])
    ]).durable()
    (first.state, first.attempts, first.failure) = (.dead, 3, "status 400")
    try await store.submit([JournalRecord(nil, effects: [.delivery(first)])]).durable()
    await store.close()
    store = try directory.open()
    #expect(try await store.deliveries(to: "r", .dead, limit: 9) == [first])
    #expect(try await store.deliveries(to: "r", .pending, limit: 9) == [second])
    #expect(try await store.deliveries(to: "r", named: ["a:1", "x"]) == [first])
    #expect(try await store.bookmark("b") == "7")
    #expect(try await store.bookmark("c") == nil)
    var done = second
    done.state = .acknowledged
    try await store.submit([
      JournalRecord(nil, effects: [.delivery(done), .deliveriesForgotten(receiver: "r", acknowledgedBefore: noon)])
    ]).durable()
    #expect(try await store.deliveries(to: "r", .acknowledged, limit: 9) == [done])
    try await store.submit([
      JournalRecord(nil, effects: [.deliveriesForgotten(receiver: "r", acknowledgedBefore: noon.advanced(by: .seconds(1)))])
    ]).durable()
    #expect(try await store.deliveryCounts().map(\.state) == [.dead])
    await store.close()
  }
}
