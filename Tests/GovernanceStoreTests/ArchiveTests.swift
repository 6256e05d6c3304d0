import Governance
import GovernanceTypes
import Testing

@testable import GovernanceStore

@Suite("Archive") struct ArchiveTests {
  let directory = TemporaryDirectory()

  private func store(settling records: [UsageRecord], of holds: [HoldRecord]) async throws -> SQLiteStore {
    let store = try self.directory.open()
    try await store.submit(holds.map(held) + records.map(settled)).durable()
    return store
  }

  private func line(_ row: UsageRow) -> String {
    let group = [
      row.customer?.description, row.project?.description, row.key?.description, row.model?.name, row.day?.description,
      row.month?.description,
    ].map { $0 ?? "-" }
    let tokens = [row.tokens.promptUncached, row.tokens.promptCached, row.tokens.completion, row.tokens.training].map(
      \.description)
    return (group + ["\(row.requests)"] + tokens + ["\(row.amount)", "\(row.currency)"]).joined(separator: " ")
  }

  @Test("days and months are those of the hold, at both sides of a midnight; currencies are never mixed")
  func grouping() async throws {
    let times = ["2026-10-31T23:59:59.999Z", "2026-11-01T00:00:00Z", "2026-11-01T10:00:00Z", "2026-11-02T00:00:00Z"]
    let holds =
      times.enumerated().map { hold(UInt128($0.offset), amount: 1_500_000_000, heldAt: instant($0.element)) } + [
        hold(10, currency: "EUR", amount: 7, heldAt: instant(times[2])), hold(11, heldAt: instant(times[2])),
      ]
    let late = instant("2026-12-05T00:00:00Z")
    let records = holds.prefix(5).map { settlement(of: $0, settledAt: late) } + [void(holds[5])]
    let store = try await self.store(settling: records, of: holds)
    let days = try await store.usage(UsageQuery(grouping: [.day])).map(self.line)
    #expect(
      days == [
        "- - - - 2026-10-31 - 1 8 2 20 0 1.50 USD", "- - - - 2026-11-01 - 1 8 2 20 0 0.000000007 EUR",
        "- - - - 2026-11-01 - 2 16 4 40 0 3.00 USD", "- - - - 2026-11-02 - 1 8 2 20 0 1.50 USD",
      ])
    let months = try await store.usage(UsageQuery(grouping: [.month])).map(self.line)
    #expect(
      months == [
        "- - - - - 2026-10 1 8 2 20 0 1.50 USD", "- - - - - 2026-11 1 8 2 20 0 0.000000007 EUR",
        "- - - - - 2026-11 3 24 6 60 0 4.50 USD",
      ])
    let all = try await store.usage(UsageQuery()).map(self.line)
    #expect(all == ["- - - - - - 1 8 2 20 0 0.000000007 EUR", "- - - - - - 4 32 8 80 0 6.00 USD"])
    let november = UsageQuery(from: instant(times[1]), to: instant(times[3]), grouping: [.customer, .day, .month, .day])
    #expect(
      try await store.usage(november).map(self.line) == [
        "\(CustomerID(1)) - - - 2026-11-01 2026-11 1 8 2 20 0 0.000000007 EUR",
        "\(CustomerID(1)) - - - 2026-11-01 2026-11 2 16 4 40 0 3.00 USD",
      ])
    await store.close()
  }

  /// The same question answered by a fold over the records.
  private func folded(_ records: [UsageRecord], _ query: UsageQuery) -> [String] {
    let matching = records.filter { record in
      record.outcome == .settled && query.customer.map { $0 == record.customer } ?? true
        && query.key.map { $0 == record.key } ?? true && query.model.map { $0 == record.model } ?? true
        && query.from.map { record.heldAt >= $0 } ?? true && query.to.map { record.heldAt < $0 } ?? true
    }
    func group(_ record: UsageRecord) -> UsageRow {
      var row = UsageRow(requests: 0, tokens: TokenUsage(), amount: .zero, currency: record.currency)
      if query.grouping.contains(.customer) { row.customer = record.customer }
      if query.grouping.contains(.project) { row.project = record.project }
      if query.grouping.contains(.key) { row.key = record.key }
      if query.grouping.contains(.model) { row.model = record.model }
      if query.grouping.contains(.day) { row.day = record.heldAt.day }
      if query.grouping.contains(.month) { row.month = record.heldAt.month }
      return row
    }
    let groups = Dictionary(grouping: matching) { self.line(group($0)) }
    return groups.values.compactMap { records in
      guard let first = records.first else { return nil }
      var row = group(first)
      row.requests = records.count
      row.tokens = records.reduce(TokenUsage()) { $0 + $1.tokens }
      row.amount = records.reduce(.zero) { $0 + $1.amount }
      return self.line(row)
    }.sorted()
  }

  @Test("every report equals a fold over the records", arguments: 0..<3 as Range<UInt64>)
  func reports(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let start = instant("2026-10-25T00:00:00Z")
    let holds = (0..<300).map { number in
      hold(
        UInt128(number), customer: UInt128.random(in: 0..<3, using: &random),
        project: Bool.random(using: &random) ? UInt128.random(in: 0..<2, using: &random) : nil,
        key: UInt128.random(in: 0..<4, using: &random), model: ["a", "b", "ü'\""].randomElement(using: &random) ?? "a",
        currency: Bool.random(using: &random) ? "USD" : "EUR", amount: Int128(Int64.max),
        heldAt: start.advanced(by: .seconds(Int.random(in: 0..<30 * 86_400, using: &random))))
    }
    let records = holds.map { hold in
      Int.random(in: 0..<10, using: &random) == 0
        ? void(hold) : settlement(of: hold, amount: Int128(Int64.random(in: 0...Int64.max, using: &random)))
    }
    let store = try await self.store(settling: records, of: holds)
    for _ in 0..<40 {
      var query = UsageQuery(
        grouping: UsageQuery.Grouping.allCases.filter { _ in Bool.random(using: &random) }.shuffled(using: &random))
      if Bool.random(using: &random) { query.customer = CustomerID(UInt128.random(in: 0..<4, using: &random)) }
      if Int.random(in: 0..<4, using: &random) == 0 { query.key = KeyID(UInt128.random(in: 0..<4, using: &random)) }
      if Int.random(in: 0..<4, using: &random) == 0 { query.model = ModelID("ü'\"") }
      if Bool.random(using: &random) {
        query.from = start.advanced(by: .seconds(Int.random(in: 0..<20 * 86_400, using: &random)))
      }
      if Bool.random(using: &random) { query.to = start.advanced(by: .seconds(Int.random(in: 0..<40 * 86_400, using: &random))) }
      #expect(try await store.usage(query).map(self.line).sorted() == self.folded(records, query), "seed \(seed) \(query)")
      if Bool.random(using: &random) { query.order = .hold }
      let ordered =
        query.order == .settlement
        ? records
        : records.enumerated().sorted { ($0.element.heldAt, $0.offset) < ($1.element.heldAt, $1.offset) }.map(\.element)
      let wanted = ordered.filter { record in
        query.customer.map { $0 == record.customer } ?? true && query.key.map { $0 == record.key } ?? true
          && query.model.map { $0 == record.model } ?? true && query.from.map { record.heldAt >= $0 } ?? true
          && query.to.map { record.heldAt < $0 } ?? true
      }
      var paged: [UsageRecord] = []
      let page = Int.random(in: 1...120, using: &random)
      while case let next = try await store.usageRecords(query, after: paged.last?.usage, limit: page), !next.isEmpty {
        #expect(next.count <= page)
        paged += next
      }
      #expect(paged == wanted, "seed \(seed) \(query)")
    }
    await store.close()
  }

  @Test("questions that no honest client asks")
  func hostile() async throws {
    let records = [hold(1), hold(2)]
    let store = try await self.store(settling: [settlement(of: records[0])], of: records)
    for lookup in ["", "\0", "\(UsageID(1))\0", "' OR 1 = 1 --", "%", "_", String(repeating: "x", count: 1 << 20), "é\u{301}"] {
      #expect(try await store.entry(lookup: lookup) == nil)
    }
    #expect(try await store.entry(lookup: UsageID(1).description) != nil)
    for model in ["demo\0", "\0", "' OR '1' = '1", "DEMO"] {
      #expect(try await store.usage(UsageQuery(model: ModelID(model))).isEmpty)
      #expect(try await store.usageRecords(UsageQuery(model: ModelID(model)), after: nil, limit: 10).isEmpty)
    }
    for limit in [0, -1, .min] { #expect(try await store.usageRecords(UsageQuery(), after: nil, limit: limit).isEmpty) }
    #expect(try await store.usageRecords(UsageQuery(), after: nil, limit: .max).count == 1)
    #expect(try await store.usageRecords(UsageQuery(), after: UsageID(1), limit: 10).isEmpty)
    let error = await #expect(throws: StoreError.self) {
      try await store.usageRecords(UsageQuery(), after: UsageID(2), limit: 10)
    }
    #expect(error?.message.contains("\(UsageID(2))") == true)
    for instant in [Timestamp(nanoseconds: .min), Timestamp(nanoseconds: .max)] {
      #expect(try await store.usage(UsageQuery(from: instant, to: instant)).isEmpty)
    }
    #expect(try await store.usageRecord(UsageID(1)) == settlement(of: records[0]))
    #expect(try await store.usageRecord(UsageID(2)) == nil)
    #expect(try await store.openHolds() == [records[1]])
    await store.close()
  }

  @Test("a report that would be too long is refused")
  func longReport() async throws {
    let store = try self.directory.open()
    try await store.setMaximumBytes(nil)
    let count = SQLiteStore.longestReport + 1
    let holds = (0..<count).map { hold(UInt128($0), key: UInt128($0)) }
    for start in stride(from: 0, to: count, by: 4000) {
      let page = holds[start..<min(count, start + 4000)]
      try await store.submit(page.map { JournalRecord(nil, effects: [.holdOpened($0), .usage(settlement(of: $0))]) }).durable()
    }
    let error = await #expect(throws: StoreError.self) { try await store.usage(UsageQuery(grouping: [.key])) }
    #expect(error?.message.contains("narrow") == true)
    #expect(try await store.usage(UsageQuery(grouping: [.customer])).map(\.requests) == [count])
    await store.close()
  }
}
