public import GovernanceTypes

/// Settled requests as a FOCUS 1.2 cost and usage table (FinOps Open Cost and Usage Specification): a row for each customer,
/// project, key, model, price, UTC day and category of usage.
///
/// A request is charged once, rounded up to a whole nano-unit. `BilledCost` divides that charge over the request's categories
/// so that nothing is lost: each gets its own product of price and quantity rounded down, and the completion, or the last
/// category there is, gets the rest. So `BilledCost` over all rows is the sum of the charges, to the nano-unit, while
/// `ListCost` and `ContractedCost` are the exact products of price and quantity, as FOCUS demands. The billed sum is the
/// larger one by less than a nano-unit a request, or the smaller one where a charge was held to its hold.
///
/// Tiers, packages, free allowances and maxima give units no price of their own: there the unit prices are null, list and contracted
/// cost are what was billed, and a charge is divided by what each category added to its customer's month, in the order given.
///
/// Invoices that were finalised give their rows `InvoiceId`, and rows of their own for what is no usage: so the sum of `BilledCost`
/// for an invoice is what it comes to, tax included, to the nano-unit.
///
/// Memory is O(rows), whatever the number of requests; O(rows of a day) where requests come in the order of their days and each day is
/// taken out when it is over (``takeDays(before:)``).
public struct FocusTable: Sendable {
  public enum Defect: Error, Sendable, Equatable {
    /// `issuer` or `provider` is empty; FOCUS has no row without them.
    case unnamed(String)
    /// The price given is not the one that the request was charged at, or differs from what was given for that id before.
    case otherPrice(UsageID, given: PriceID)
    /// With this request a cost of its row would leave 128 bits.
    case beyondRange(UsageID)
    /// The invoice is there already, or another one for a price and month of its customer.
    case twiceInvoiced(String)
  }

  let issuer: String
  let provider: String
  private var prices: [PriceID: (price: Price, isPlain: Bool)] = [:]
  private var days: [CalendarDay: [FocusGroup: [FocusSum]]] = [:]
  private var settled: [FocusPeriod: PeriodQuantities] = [:]
  private var invoices: [FocusPeriod: String] = [:]
  private var numbers: Set<String> = []
  private var charges: [FocusCharge] = []

  /// - Parameters:
  ///   - issuer: who writes the invoice.
  ///   - provider: who serves the models, named as provider and as publisher of the service.
  public init(issuer: String, provider: String) throws(Defect) {
    if issuer.isEmpty { throw .unnamed("issuer") }
    if provider.isEmpty { throw .unnamed("provider") }
    self.issuer = issuer
    self.provider = provider
  }

  /// Adds a request to its rows, or throws and adds nothing. A request that used nothing and cost nothing makes no row.
  public mutating func add(_ line: UsageLine, price: Price) throws(Defect) {
    let known = self.prices[price.id]
    guard line.price == price.id, line.currency == price.currency, known.map({ $0.price == price }) ?? true else {
      throw .otherPrice(line.usage, given: price.id)
    }
    let isPlain = known?.isPlain ?? UsageCategory.allCases.allSatisfy { price.plainPrice($0) != nil }
    let shares = isPlain ? focusShares(of: line, price: price) : try self.shares(of: line, price: price)
    guard !shares.isEmpty else { return }
    let group = FocusGroup(line)
    guard Self.add(shares, at: price, to: &self.days[group.day, default: [:]][group]) else { throw .beyondRange(line.usage) }
    if known == nil { self.prices[price.id] = (price, isPlain) }
  }

  /// Adds all shares to the sums of their row, or none: false.
  private static func add(_ shares: [FocusShare], at price: Price, to row: inout [FocusSum]?) -> Bool {
    var added = shares.map { share in row?.first { $0.category == share.category } ?? FocusSum(category: share.category) }
    for (place, share) in shares.enumerated() {
      guard added[place].add(share, unitPrice: price.plainPrice(share.category)) else { return false }
    }
    guard row != nil else {
      row = added
      return true
    }
    for sum in added {
      if let place = row?.firstIndex(where: { $0.category == sum.category }) { row?[place] = sum } else { row?.append(sum) }
    }
    return true
  }

  /// Adds what an invoice, or a credit note, has besides usage, and its number to the usage it is for.
  public mutating func add(_ invoice: Invoice) throws(Defect) {
    let periods = invoice.isCreditNote ? [] : invoice.appendix.map { FocusPeriod(invoice.customer, $0.price, invoice.period) }
    guard !self.numbers.contains(invoice.name.number), !periods.contains(where: { self.invoices[$0] != nil }) else {
      throw .twiceInvoiced(invoice.name.number)
    }
    self.numbers.insert(invoice.name.number)
    for period in periods { self.invoices[period] = invoice.name.number }
    self.charges += FocusCharge.all(of: invoice)
  }

  /// The first row: names of the columns.
  public static let header: [UInt8] = {
    var bytes: [UInt8] = []
    CSVText.append(row: FocusColumn.allCases.map(\.rawValue), to: &bytes)
    return bytes
  }()

  /// Takes out what there is of days before `day`, as a table that may be written while this one is added to; nil for nothing. What
  /// comes later of these days has rows of its own. O(days).
  public mutating func takeDays(before day: CalendarDay) -> FocusTable? {
    let past = self.days.filter { $0.key < day }
    guard !past.isEmpty else { return nil }
    var taken = self
    taken.days = past
    // Both stay: what invoices add comes last, and of a month there are later days.
    taken.charges = []
    taken.settled = [:]
    for day in past.keys { self.days[day] = nil }
    return taken
  }

  /// Writes the table, header first, ordered by day, customer, project, key, model, price and category, and then what invoices add,
  /// in pieces of some 64 KiB; the form is that of ``CSVText``. O(rows · log rows).
  public func write(to output: ([UInt8]) throws -> Void) rethrows {
    try output(Self.header)
    try self.writeRows(to: output)
  }

  /// The same without the header.
  public func writeRows(to output: ([UInt8]) throws -> Void) rethrows {
    for day in self.days.keys.sorted() { try self.writeRows(of: self.days[day] ?? [:], to: output) }
    try self.writeCharges(to: output)
  }

  /// Bytes that are written at once.
  private static let piece = 1 << 16

  /// Those of one day.
  private func writeRows(of sums: [FocusGroup: [FocusSum]], to output: ([UInt8]) throws -> Void) rethrows {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.piece + Self.piece / 16)
    var patterns: [FocusRowPattern.Key: [FocusRowPattern?]] = [:]
    for (group, sums) in sums.sorted(by: { $0.key < $1.key }) {
      guard let price = self.prices[group.price]?.price else { continue }
      let invoice = self.invoices[FocusPeriod(group.customer, group.price, group.day.month)]
      let key = FocusRowPattern.Key(group)
      let alike = patterns[key] ?? UsageCategory.allCases.map { _ in nil }
      for (place, category) in UsageCategory.allCases.enumerated() {
        guard let sum = sums.first(where: { $0.category == category }) else { continue }
        let row = FocusRow(
          group: group, sum: sum, price: price, issuer: self.issuer, provider: self.provider, invoice: invoice)
        let pattern = alike[place] ?? FocusRowPattern(of: row)
        if alike[place] == nil { patterns[key, default: alike][place] = pattern }
        pattern.append(row, to: &bytes)
      }
      guard bytes.count >= Self.piece else { continue }
      try output(bytes)
      bytes.removeAll(keepingCapacity: true)
    }
    try output(bytes)
  }

  private func writeCharges(to output: ([UInt8]) throws -> Void) rethrows {
    var bytes: [UInt8] = []
    for charge in self.charges {
      self.append({ charge.value($0, issuer: self.issuer, provider: self.provider) }, to: &bytes)
    }
    try output(bytes)
  }

  private func append(_ value: (FocusColumn) -> TableValue, to bytes: inout [UInt8]) {
    for (index, column) in FocusColumn.allCases.enumerated() {
      if index > 0 { bytes.append(CSVText.separator) }
      value(column).append(asCSV: &bytes)
    }
    bytes.append(CSVText.rowEnd)
  }

  /// Where what a unit costs depends on what its customer's month has already.
  private mutating func shares(of line: UsageLine, price: Price) throws(Defect) -> [FocusShare] {
    let period = FocusPeriod(line.customer, price.id, line.heldAt.day.month)
    let settled = self.settled[period] ?? .none
    // Both are sums of four counts, each at most 2^50.
    guard settled.tokens.parts + line.tokens.parts <= TokenCount.largest.value else { throw .beyondRange(line.usage) }
    self.settled[period] = settled.adding(line.tokens)
    return focusShares(of: line, price: price, after: settled)
  }
}

extension TokenUsage {
  fileprivate var parts: Int {
    self.promptUncached.value + self.promptCached.value + self.completion.value + self.training.value
  }
}

/// What an invoice takes its usage by.
struct FocusPeriod: Hashable {
  let customer: CustomerID
  let price: PriceID
  let month: CalendarMonth

  init(_ customer: CustomerID, _ price: PriceID, _ month: CalendarMonth) {
    self.customer = customer
    self.price = price
    self.month = month
  }
}

/// What the requests of a row have in common, but for the category.
struct FocusGroup: Hashable, Comparable {
  let day: CalendarDay
  let customer: CustomerID
  let project: ProjectID?
  let key: KeyID
  let model: ModelID
  let price: PriceID

  init(_ line: UsageLine) {
    self.day = line.heldAt.day
    self.customer = line.customer
    self.project = line.project
    self.key = line.key
    self.model = line.model
    self.price = line.price
  }

  /// By what tells most rows apart: the others would cost more than they find.
  func hash(into hasher: inout Hasher) {
    hasher.combine(self.key)
    hasher.combine(self.price)
  }

  /// Customers without a project come before their projects.
  static func < (left: Self, right: Self) -> Bool {
    let owners = (left.owner, right.owner)
    return owners.0 == owners.1 ? (left.key, left.model, left.price) < (right.key, right.model, right.price) : owners.0 < owners.1
  }

  private var owner: (CalendarDay, CustomerID, Int, UInt128) {
    (self.day, self.customer, self.project == nil ? 0 : 1, self.project?.value ?? 0)
  }
}
