internal import GRDB
internal import Governance
internal import GovernanceTypes

/// Reads usage records, a statement's rows one after the other.
struct UsageRecordReader {
  static let columns = """
    id, decision, customer, project, key, model, price, currency, amount, prompt_uncached, prompt_cached, completion, training, \
    undelivered, outcome, finish, policy, source, held_at, settled_at, is_prepaid, loss
    """

  private let statement: Statement
  private let values: ColumnValues
  private var models = RecurringValue { ModelID($0) }
  private var prices = RecurringValue { PriceID($0) }
  private var currencies = RecurringValue { Currency($0) }
  private var outcomes = RecurringValue { UsageRecord.Outcome(rawValue: $0) }
  private var finishes = RecurringValue { $0 }
  private var policies = RecurringValue { UsageRecord.Policy(rawValue: $0) }
  private var sources = RecurringValue { UsageRecord.Source(rawValue: $0) }

  /// - Parameter selection: what follows `SELECT … FROM usage`.
  init(_ selection: String, in database: Database) throws {
    self.statement = try database.cachedStatement(sql: "SELECT \(Self.columns) FROM usage \(selection)")
    self.values = ColumnValues(of: self.statement, name: "usage")
  }

  /// All records, in order.
  mutating func records(_ arguments: StatementArguments, capacity: Int) throws -> [UsageRecord] {
    var records: [UsageRecord] = []
    records.reserveCapacity(capacity)
    let rows = try Row.fetchCursor(self.statement, arguments: arguments)
    while try rows.next() != nil { records.append(try self.record()) }
    return records
  }

  private mutating func record() throws -> UsageRecord {
    let values = self.values
    return UsageRecord(
      usage: try values.id(0), decision: try values.id(1), customer: try values.id(2), project: try values.optionalID(3),
      key: try values.id(4), model: try self.models.value(of: 5, in: values), price: try self.prices.value(of: 6, in: values),
      currency: try self.currencies.value(of: 7, in: values), amount: try values.amount(8),
      tokens: TokenUsage(
        promptUncached: try values.tokens(9), promptCached: try values.tokens(10), completion: try values.tokens(11),
        training: try values.tokens(12)),
      undelivered: try values.tokens(13), outcome: try self.outcomes.value(of: 14, in: values),
      finish: try self.finishes.value(of: 15, in: values), policy: try self.policies.value(of: 16, in: values),
      source: try self.sources.value(of: 17, in: values), heldAt: values.instant(18), settledAt: values.instant(19),
      isPrepaid: values.integer(20) != 0, loss: try values.amount(21))
  }
}
