internal import GovernanceTypes

/// The columns of the usage tables, in the order in which they are written.
enum UsageColumn: String, CaseIterable {
  case usage, customer, project, key, model, currency, amount
  case amountNano = "amount_nano"
  case promptUncached = "prompt_uncached"
  case promptCached = "prompt_cached"
  case completion, training, undelivered, finish
  case settlementPolicy = "settlement_policy"
  case usageSource = "usage_source"
  case decision, price
  case heldAt = "held_at"
  case settledAt = "settled_at"

  func value(in line: UsageLine) -> TableValue {
    switch self {
    case .usage: .identifier(line.usage)
    case .customer: .identifier(line.customer)
    case .project: .identifier(line.project)
    case .key: .identifier(line.key)
    case .model: .text(line.model.name)
    case .currency: .text(line.currency.description)
    case .amount: .amount(line.amount)
    case .amountNano: .number(line.amount.nano)
    case .promptUncached: .count(line.tokens.promptUncached)
    case .promptCached: .count(line.tokens.promptCached)
    case .completion: .count(line.tokens.completion)
    case .training: .count(line.tokens.training)
    case .undelivered: .count(line.undelivered)
    case .finish: .text(line.finish)
    case .settlementPolicy: .text(line.settlementPolicy)
    case .usageSource: .text(line.usageSource)
    case .decision: .identifier(line.decision)
    case .price: .identifier(line.price)
    case .heldAt: .instant(line.heldAt)
    case .settledAt: .instant(line.settledAt)
    }
  }
}

/// Settled requests as CSV, one row each, in the order given; the form is that of ``CSVText``.
///
/// `amount` is in major units, `amount_nano` the same in nano-units; token categories are disjoint; instants are RFC 3339 in
/// UTC with milliseconds. A request without a project, or settled without a decision, has an empty field there.
///
/// Rows of a table mostly agree in model, currency, price and the ways in which they ended: those cells are written once and copied.
public struct UsageCSV: Sendable {
  /// The first row: names of the columns.
  public static let header: [UInt8] = {
    var bytes: [UInt8] = []
    CSVText.append(row: UsageColumn.allCases.map(\.rawValue), to: &bytes)
    return bytes
  }()

  /// The columns in their order: those that are of the row alone, and between them those that are as they were in the row before.
  private static let own: [[UsageColumn]] = [
    [.usage, .customer, .project, .key],
    [.amount, .amountNano, .promptUncached, .promptCached, .completion, .training, .undelivered],
    [.decision], [.heldAt, .settledAt],
  ]
  private static let alike: [[UsageColumn]] = [[.model, .currency], [.finish, .settlementPolicy, .usageSource], [.price]]

  /// The last row that differed in them, and the cells of ``alike`` in it, each with its separator in front.
  private var last: UsageLine?
  private var cells: [[UInt8]] = [[], [], []]

  public init() {}

  /// Writes one row. O(1) but for the lengths of its texts.
  public mutating func append(_ line: UsageLine, to bytes: inout [UInt8]) {
    self.remember(line)
    for (part, columns) in Self.own.enumerated() {
      bytes.append(addingCapacity: columns.count * (OutputSpan<UInt8>.longestCell + 1)) { row in
        for column in columns {
          if column != .usage { row.append(CSVText.separator) }
          column.value(in: line).append(asCSV: &row)
        }
      }
      if part < self.cells.count { bytes.append(contentsOf: self.cells[part]) }
    }
    bytes.append(CSVText.rowEnd)
  }

  private mutating func remember(_ line: UsageLine) {
    let last = self.last
    let isNamedAlike = last?.model == line.model && last?.currency == line.currency
    let endsAlike =
      last?.finish == line.finish && last?.settlementPolicy == line.settlementPolicy && last?.usageSource == line.usageSource
    let isPricedAlike = last?.price == line.price
    guard !isNamedAlike || !endsAlike || !isPricedAlike else { return }
    if !isNamedAlike { self.cells[0] = Self.cells(Self.alike[0], line) }
    if !endsAlike { self.cells[1] = Self.cells(Self.alike[1], line) }
    if !isPricedAlike { self.cells[2] = Self.cells(Self.alike[2], line) }
    self.last = line
  }

  private static func cells(_ columns: [UsageColumn], _ line: UsageLine) -> [UInt8] {
    var bytes: [UInt8] = []
    for column in columns {
      bytes.append(CSVText.separator)
      column.value(in: line).append(asCSV: &bytes)
    }
    return bytes
  }
}
