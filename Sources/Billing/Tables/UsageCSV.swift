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
/// Rows of a table mostly agree in their texts (model, currency, how they ended): those cells are written once and copied.
public struct UsageCSV: Sendable {
  /// The first row: names of the columns.
  public static let header: [UInt8] = {
    var bytes: [UInt8] = []
    CSVText.append(row: UsageColumn.allCases.map(\.rawValue), to: &bytes)
    return bytes
  }()

  /// Columns that are no texts, and those behind them that are.
  private struct Part: Sendable {
    var own: [UsageColumn] = []
    var texts: [UsageColumn] = []

    /// Bytes that the columns of the row alone take at most, each with the separator in front.
    var room: Int { self.own.count * (MutableRawSpan.longestCell + 1) }
  }

  /// All columns in their order.
  private static let parts: [Part] = UsageColumn.allCases.reduce(into: [Part()]) { parts, column in
    var part = parts.removeLast()
    defer { parts.append(part) }
    if column.isText {
      part.texts.append(column)
    } else if part.texts.isEmpty {
      part.own.append(column)
    } else {
      parts.append(part)
      part = Part(own: [column])
    }
  }

  /// The last row whose texts were others than those of the row before, and its texts by part, each with its separator in front.
  private var last: UsageLine?
  private var texts: [[UInt8]] = []

  public init() {}

  /// Writes one row. O(1) but for the lengths of its texts.
  public mutating func append(_ line: UsageLine, to bytes: inout [UInt8]) {
    if !self.hasTexts(of: line) {
      self.texts = Self.parts.map { Self.cells($0.texts, line) }
      self.last = line
    }
    for (part, texts) in zip(Self.parts, self.texts) {
      bytes.append(writing: part.room) { room, place in
        for column in part.own {
          if column != .usage { room.write(CSVText.separator, at: &place) }
          column.value(in: line).write(to: &room, at: &place)
        }
      }
      bytes.append(contentsOf: texts)
    }
    bytes.append(CSVText.rowEnd)
  }

  private func hasTexts(of line: UsageLine) -> Bool {
    guard let last = self.last else { return false }
    return last.model == line.model && last.currency == line.currency && last.finish == line.finish
      && last.settlementPolicy == line.settlementPolicy && last.usageSource == line.usageSource
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

extension UsageColumn {
  fileprivate var isText: Bool {
    switch self {
    case .model, .currency, .finish, .settlementPolicy, .usageSource: true
    default: false
    }
  }
}
