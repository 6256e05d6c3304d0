public import Billing
public import Documents
public import GovernanceTypes
internal import Synchronization

/// What engines count of themselves in a month, apart from the ledger, by model.
public struct ProducedTokens: Sendable, Equatable {
  public struct Count: Sendable, Equatable {
    /// Read: prompt tokens that were there already are not among them.
    public var prompt: Int
    public var completion: Int

    public init(prompt: Int = 0, completion: Int = 0) {
      self.prompt = prompt
      self.completion = completion
    }
  }

  /// When counting began, in the month or before it.
  public var since: Timestamp
  public var models: [ModelID: Count]

  public init(since: Timestamp, models: [ModelID: Count] = [:]) {
    self.since = since
    self.models = models
  }
}

/// A month's tokens and money from the engine to the invoices, as the books have it now.
public struct CaptureReport: Sendable {
  /// A customer's month that is on no invoice.
  struct Open: Sendable {
    var customer: CustomerID
    var currency: Currency
    var requests = 0
    var tokens = 0
  }

  struct Sums: Sendable {
    var settled = NanoAmount.zero
    var loss = NanoAmount.zero
    var corrected = NanoAmount.zero
    var invoiced = NanoAmount.zero
    var credited = NanoAmount.zero
  }

  public let period: CalendarMonth
  public let rate: CaptureRate
  let produced: ProducedTokens?
  let open: [Open]
  let money: [Currency: Sums]
}

extension Gate {
  /// Sets what engines produced beside what was settled and what was invoiced of a month's holds.
  ///
  /// Models that no engine here counts are taken at what the ledger has of them. O(requests of the month + invoices), in pages of
  /// customers; one invoice at a time is in memory.
  public func captureRate(of period: CalendarMonth, produced: ProducedTokens?) async throws(Refusal) -> CaptureReport {
    var collection = CaptureCollection()
    let customers = self.state.withLock { $0.directory.customers.keys.sorted() }
    for start in stride(from: 0, to: customers.count, by: Self.customersAtOnce) {
      let page = Array(customers[start..<min(start + Self.customersAtOnce, customers.count)])
      let months: [SettledMonth]
      do { months = try await self.billingArchive().settled(in: period, customers: page) } catch {
        throw Refusal(.storeUnavailable, "The ledger cannot be read.", context: "\(error)")
      }
      for month in months {
        let usage = try self.priced(month)
        let place = InvoiceIndex.Place(customer: month.customer, period: period, currency: usage.price.currency)
        collection.add(month, usage, isInvoiced: self.state.withLock { $0.invoices.invoice(of: place) != nil })
      }
    }
    for id in self.documents(of: period) { collection.add(try await self.finalInvoice(id).0) }
    let corrections = self.state.withLock { $0.adjustments.all.filter { $0.adjustedAt.month == period } }
    for correction in corrections { collection.money[correction.currency, default: .init()].corrected += correction.amount }
    return collection.report(period, produced)
  }

  private func documents(of period: CalendarMonth) -> [InvoiceID] {
    self.state.withLock { state in state.invoices.order.filter { state.invoices.summary($0)?.period == period } }
  }
}

/// What of a month has been seen so far.
private struct CaptureCollection {
  private var settled: [CaptureRate.Meter: TokenCount] = [:]
  private var undelivered: [CaptureRate.Meter: TokenCount] = [:]
  private var invoiced: [CaptureRate.Meter: TokenCount] = [:]
  /// Prompt tokens that no engine read, in the categories in which they are charged.
  private var cached: [CaptureRate.Meter: TokenCount] = [:]
  private var open: [CaptureReport.Open] = []
  var money: [Currency: CaptureReport.Sums] = [:]

  mutating func add(_ month: SettledMonth, _ usage: PricedUsage, isInvoiced: Bool) {
    let counts = CaptureRate.settled([usage])
    self.settled.merge(counts, uniquingKeysWith: +)
    let model = usage.price.model
    if month.undelivered > 0 {
      self.undelivered[CaptureRate.Meter(model, .completion), default: .zero] += TokenCount(month.undelivered)
    }
    if month.tokens.promptCached > .zero {
      let category = usage.price.rate(.promptCached) == nil ? UsageCategory.promptUncached : .promptCached
      self.cached[CaptureRate.Meter(model, category), default: .zero] += month.tokens.promptCached
    }
    let currency = usage.price.currency
    self.money[currency, default: .init()].settled += month.amount
    self.money[currency, default: .init()].loss += month.loss
    guard !isInvoiced, month.requests > 0 else { return }
    let tokens = counts.values.reduce(0) { $0 + $1.value }
    if let last = self.open.indices.last, self.open[last].customer == month.customer, self.open[last].currency == currency {
      self.open[last].requests += month.requests
      self.open[last].tokens += tokens
    } else {
      self.open.append(
        CaptureReport.Open(customer: month.customer, currency: currency, requests: month.requests, tokens: tokens))
    }
  }

  mutating func add(_ invoice: Invoice) {
    if invoice.isCreditNote {
      self.money[invoice.currency, default: .init()].credited += invoice.totals.exact
    } else {
      self.invoiced.merge(CaptureRate.invoiced([invoice]), uniquingKeysWith: +)
      self.money[invoice.currency, default: .init()].invoiced += invoice.totals.exact
    }
  }

  func report(_ period: CalendarMonth, _ produced: ProducedTokens?) -> CaptureReport {
    CaptureReport(
      period: period,
      rate: CaptureRate(
        produced: self.counted(produced?.models ?? [:]), settled: self.settled, undelivered: self.undelivered,
        invoiced: self.invoiced), produced: produced, open: self.open, money: self.money)
  }

  /// What engines counted; for models that none counts, and prompts that none had to read, what the ledger has.
  private func counted(_ models: [ModelID: ProducedTokens.Count]) -> [CaptureRate.Meter: TokenCount] {
    var counts = self.cached.filter { models[$0.key.model] != nil }
    for (model, count) in models {
      let (prompt, answer) = (CaptureRate.Meter(model, .promptUncached), CaptureRate.Meter(model, .completion))
      if count.prompt > 0 { counts[prompt, default: .zero] += TokenCount(count.prompt) }
      if count.completion > 0 { counts[answer, default: .zero] += TokenCount(count.completion) }
    }
    let others = self.settled.merging(self.undelivered, uniquingKeysWith: +).filter { models[$0.key.model] == nil }
    return counts.merging(others, uniquingKeysWith: +)
  }
}

extension CaptureReport {
  /// The most customers that an answer lists; all are counted.
  private static let mostListed = 1000

  public var json: JSON {
    [
      "object": "capture_rate", "period": .string(self.period.description),
      "engines_counted_since": JSON(self.produced?.since.description),
      "captured_millionths": self.rate.millionths.map { .integer($0) } ?? .null,
      "data": .array(self.rate.rows.map(self.json)),
      "differences": .array(
        self.rate.differences.map {
          [
            "model": .string($0.meter.model.name), "category": .string($0.meter.category.rawValue),
            "cause": .string($0.cause.rawValue), "tokens": .integer($0.tokens),
          ]
        }),
      "uninvoiced_customers": .integer(self.open.count),
      "uninvoiced": .array(
        self.open.prefix(Self.mostListed).map {
          [
            "customer": .string($0.customer.description), "currency": .string($0.currency.description),
            "requests": .integer($0.requests), "tokens": .integer($0.tokens),
          ]
        }),
      "money": .array(
        self.money.sorted { $0.key < $1.key }.map { currency, sums in
          [
            "currency": .string(currency.description), "settled": .string(sums.settled.description),
            "operator_loss": .string(sums.loss.description), "corrected": .string(sums.corrected.description),
            "invoiced": .string(sums.invoiced.description), "credited": .string(sums.credited.description),
          ]
        }),
    ]
  }

  private func json(_ row: CaptureRate.Row) -> JSON {
    [
      "model": .string(row.meter.model.name), "category": .string(row.meter.category.rawValue),
      "counted_by": self.produced?.models[row.meter.model] == nil ? "ledger" : "engine", "produced": .integer(row.produced),
      "settled": .integer(row.settled), "undelivered": .integer(row.undelivered), "invoiced": .integer(row.invoiced),
      "unsettled": .integer(row.unsettled), "uninvoiced": .integer(row.uninvoiced),
    ]
  }
}
