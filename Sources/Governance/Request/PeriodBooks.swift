internal import Billing
internal import GovernanceTypes
internal import UsageLedger

/// What each customer has used in a month at each price: where tariffs stand that depend on the month's quantities.
///
/// A request belongs to the calendar month, in UTC, in which it was held, whenever it ends. Months in which no request can end any
/// more are let go: memory is bounded by the customers and prices of the running month and of those that open holds are from.
struct PeriodBooks: Sendable {
  private struct Place: Hashable {
    var customer: CustomerID
    var price: PriceID
  }

  private var months: [CalendarMonth: [Place: PeriodQuantities]] = [:]
  private var newest: CalendarMonth?

  /// O(1).
  func quantities(of customer: CustomerID, at price: PriceID, in month: CalendarMonth) -> PeriodQuantities {
    self.months[month]?[Place(customer: customer, price: price)] ?? .none
  }

  /// Adds a request that was settled; one that was voided changes nothing.
  mutating func add(_ record: UsageRecord) {
    guard let total = PeriodTotal(record) else { return }
    self.restore(total)
  }

  /// Adds what earlier runs settled.
  mutating func restore(_ total: PeriodTotal) {
    let place = Place(customer: total.customer, price: total.price)
    let added = PeriodQuantities(tokens: total.tokens, requests: total.requests)
    self.months[total.month, default: [:]][place, default: .none] =
      self.quantities(of: total.customer, at: total.price, in: total.month) + added
  }

  /// Lets go of what is before all open holds where a month begins. O(open holds) once a month.
  mutating func turn(to month: CalendarMonth, keeping open: some Sequence<CalendarMonth>) {
    guard self.newest.map({ $0 < month }) ?? true else { return }
    self.newest = month
    let first = open.reduce(month) { min($0, $1) }
    self.months = self.months.filter { $0.key >= first }
  }
}

extension GateState {
  /// The ending with its charge: the difference that the request makes to its customer's month, and never more than is held. An engine
  /// that reports more than was held for is not the customer's affair.
  func charged(_ ending: Ending) -> Ending {
    guard let rating = ending.rating, let hold = self.ledger.holds[ending.record.usage] else { return ending }
    var ending = ending
    let record = ending.record
    let settled = self.periods.quantities(of: record.customer, at: record.price, in: record.heldAt.month)
    let charge = record.outcome == .settled ? rating.price.charge(record.tokens, after: settled) : .zero
    ending.record.amount = min(charge, hold.amount)
    if let reached = rating.reached {
      let worst = min(rating.price.charge(reached, after: settled), hold.amount)
      ending.record.loss = max(.zero, worst - ending.record.amount)
    } else {
      ending.record.loss = charge - ending.record.amount
    }
    return ending
  }
}
