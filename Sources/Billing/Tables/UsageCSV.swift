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
public enum UsageCSV {
  /// The first row: names of the columns.
  public static let header: [UInt8] = {
    var bytes: [UInt8] = []
    CSVText.append(row: UsageColumn.allCases.map(\.rawValue), to: &bytes)
    return bytes
  }()

  /// Writes one row. O(1) but for the lengths of its texts.
  public static func append(_ line: UsageLine, to bytes: inout [UInt8]) {
    let texts =
      CSVText.longest(line.model.name) + CSVText.longest(line.finish) + CSVText.longest(line.settlementPolicy)
      + CSVText.longest(line.usageSource)
    let others = UsageColumn.allCases.count * (OutputSpan<UInt8>.longestCell + 1)
    bytes.append(addingCapacity: texts + others) { row in
      for column in UsageColumn.allCases {
        if column != .usage { row.append(CSVText.separator) }
        column.value(in: line).append(asCSV: &row)
      }
      row.append(CSVText.rowEnd)
    }
  }
}
