public import Governance
public import GovernanceTypes

extension MemoryJournal: BillingArchive {
  /// Settled and voided requests of a month's holds, each with the place of its entry.
  private func ends(in month: CalendarMonth) -> [(record: UsageRecord, position: Int)] {
    var ends: [(UsageRecord, Int)] = []
    var position = 0
    for record in self.records {
      for case .usage(let end) in record.effects where end.heldAt.month == month { ends.append((end, position)) }
      if record.entry != nil { position += 1 }
    }
    return ends
  }

  private func months(_ month: CalendarMonth, withPositions: Bool, of customers: (CustomerID) -> Bool) -> [SettledMonth] {
    struct Place: Hashable {
      var customer: CustomerID
      var price: PriceID
    }
    var sums: [Place: SettledMonth] = [:]
    for (record, position) in self.ends(in: month) where customers(record.customer) {
      let place = Place(customer: record.customer, price: record.price)
      var sum =
        sums[place]
        ?? SettledMonth(
          customer: record.customer, price: record.price, tokens: TokenUsage(), requests: 0, amount: .zero, prepaid: .zero,
          undelivered: 0)
      sum.undelivered += record.undelivered.value
      sum.loss += record.loss
      if record.outcome == .settled {
        sum.tokens = sum.tokens + record.tokens
        sum.requests += 1
        sum.amount += record.amount
        if record.isPrepaid { sum.prepaid += record.amount }
        if withPositions { sum.positions.append(position) }
      }
      sums[place] = sum
    }
    return sums.values.sorted { ($0.customer, $0.price) < ($1.customer, $1.price) }
  }

  public func settled(by customer: CustomerID, in month: CalendarMonth) async throws -> [SettledMonth] {
    self.months(month, withPositions: true) { $0 == customer }
  }

  public func settled(in month: CalendarMonth, customers: [CustomerID]) async throws -> [SettledMonth] {
    let asked = Set(customers)
    return self.months(month, withPositions: false) { asked.contains($0) }
  }

  public func usageBuckets(_ query: UsageBucketQuery) async throws -> [UsageBucketRow] {
    var rows: [UsageBucketRow] = []
    for record in self.usageRecords where query.takes(record) {
      let row = UsageBucketRow(
        start: query.width.start(of: record.heldAt), project: query.grouping.contains(.project) ? record.project : nil,
        key: query.grouping.contains(.key) ? record.key : nil, model: query.grouping.contains(.model) ? record.model : nil,
        currency: record.currency, requests: 1, tokens: record.tokens, amount: record.amount)
      let place = rows.firstIndex {
        ($0.start, $0.project, $0.key, $0.model) == (row.start, row.project, row.key, row.model) && $0.currency == row.currency
      }
      guard let place else {
        rows.append(row)
        continue
      }
      rows[place].requests += 1
      rows[place].tokens = rows[place].tokens + row.tokens
      rows[place].amount += row.amount
    }
    return rows.sorted { $0.start < $1.start }
  }

  public func creditUsed(by customer: CustomerID, in month: CalendarMonth) async throws -> [CreditUse] {
    var uses: [CreditID: CreditUse] = [:]
    for record in self.records {
      let isOfMonth = record.effects.contains { effect in
        if case .usage(let end) = effect { end.customer == customer && end.heldAt.month == month } else { false }
      }
      for case .creditUsed(let use) in record.effects where isOfMonth {
        let before = uses[use.grant]?.used ?? .zero
        uses[use.grant] = use
        uses[use.grant]?.used += before
      }
    }
    return uses.values.sorted { $0.grant < $1.grant }
  }

  public func invoice(_ id: InvoiceID) async throws -> InvoiceRecord? {
    for case .invoice(let record) in self.effects where record.summary.id == id { return record }
    return nil
  }
}
