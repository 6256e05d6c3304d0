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
/// Memory is O(rows), whatever the number of requests.
public struct FocusTable: Sendable {
  public enum Defect: Error, Sendable, Equatable {
    /// `issuer` or `provider` is empty; FOCUS has no row without them.
    case unnamed(String)
    /// The price given is not the one that the request was charged at, or differs from what was given for that id before.
    case otherPrice(UsageID, given: PriceID)
    /// With this request a cost of its row would leave 128 bits.
    case beyondRange(UsageID)
  }

  let issuer: String
  let provider: String
  private var prices: [PriceID: Price] = [:]
  private var sums: [FocusGroup: [FocusSum]] = [:]

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
    guard line.price == price.id, line.currency == price.currency, (self.prices[price.id] ?? price) == price else {
      throw .otherPrice(line.usage, given: price.id)
    }
    let shares = focusShares(of: line, price: price)
    guard !shares.isEmpty else { return }
    let group = FocusGroup(line)
    var sums = self.sums[group] ?? []
    for share in shares {
      let index = sums.firstIndex { $0.category == share.category } ?? sums.endIndex
      if index == sums.endIndex { sums.append(FocusSum(category: share.category)) }
      guard sums[index].add(share, unitPrice: price.unitPrice(share.category)) else { throw .beyondRange(line.usage) }
    }
    self.sums[group] = sums
    self.prices[price.id] = price
  }

  /// The whole table, header first, ordered by day, customer, project, key, model, price and category; the form is that of
  /// ``CSVText``. O(rows · log rows).
  public func csv() -> [UInt8] {
    var bytes: [UInt8] = []
    CSVText.append(row: FocusColumn.allCases.map(\.rawValue), to: &bytes)
    for (group, sums) in self.sums.sorted(by: { $0.key < $1.key }) {
      guard let price = self.prices[group.price] else { continue }
      for category in UsageCategory.allCases {
        guard let sum = sums.first(where: { $0.category == category }) else { continue }
        self.append(FocusRow(group: group, sum: sum, price: price, issuer: self.issuer, provider: self.provider), to: &bytes)
      }
    }
    return bytes
  }

  private func append(_ row: FocusRow, to bytes: inout [UInt8]) {
    for (index, column) in FocusColumn.allCases.enumerated() {
      if index > 0 { bytes.append(CSVText.separator) }
      row.value(column).append(asCSV: &bytes)
    }
    bytes.append(CSVText.rowEnd)
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

  /// Customers without a project come before their projects.
  static func < (left: Self, right: Self) -> Bool {
    let owners = (left.owner, right.owner)
    return owners.0 == owners.1 ? (left.key, left.model, left.price) < (right.key, right.model, right.price) : owners.0 < owners.1
  }

  private var owner: (CalendarDay, CustomerID, Int, UInt128) {
    (self.day, self.customer, self.project == nil ? 0 : 1, self.project?.value ?? 0)
  }
}
