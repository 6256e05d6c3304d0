public import GovernanceTypes

/// A bound on one subject.
public struct Limit: Sendable, Equatable {
  public enum Window: String, Sendable, CaseIterable { case day, month, total }

  public enum Measure: Sendable, Equatable {
    case spend(NanoAmount, Currency, Window)
    case tokens(TokenCount, Window)
    case requestsPerMinute(Int)
    case tokensPerMinute(Int)
    case concurrentRequests(Int)
    /// Distinct end users per month; counted by the audience, kept here so that all limits are in one place.
    case activeUsers(Int)
  }

  public let id: LimitID
  public let subject: LedgerSubject
  public let measure: Measure

  public init(id: LimitID, subject: LedgerSubject, measure: Measure) {
    self.id = id
    self.subject = subject
    self.measure = measure
  }

  /// Where the measure stands in the order in which refusals are reported.
  var precedence: Int {
    switch self.measure {
    case .requestsPerMinute: 0
    case .tokensPerMinute: 1
    case .concurrentRequests: 2
    case .activeUsers: 3
    case .tokens: 4
    case .spend: 5
    }
  }
}

/// Why the ledger refused.
///
/// Where several limits would refuse, the first in this order is reported: levels from the key to the project to the customer;
/// on one level requests per minute, tokens per minute, concurrent requests, tokens, spend; last the customer's credit.
public enum LedgerRefusal: Error, Sendable, Equatable {
  case rate(Limit, retryAfter: Duration)
  case concurrency(Limit)
  case tokens(Limit, available: TokenCount)
  case spend(Limit, available: NanoAmount)
  /// The subject has a spend limit in another currency only; there is no conversion.
  case currency(Limit, charged: Currency)
  case insufficientCredit(CustomerID, available: NanoAmount, Currency)
  case exceedsHeadroom
  case exceedsHold(NanoAmount)
  case duplicateUsage
  case unknownUsage
}

extension Ledger {
  /// Adds a limit, or replaces the one with the same id.
  public mutating func set(_ limit: Limit) {
    self.removeLimit(limit.id)
    var limits = self.limits[limit.subject] ?? []
    limits.append(limit)
    self.limits[limit.subject] = limits.sorted { ($0.precedence, $0.id) < ($1.precedence, $1.id) }
  }

  public mutating func removeLimit(_ id: LimitID) {
    self.rates[id] = nil
    for (subject, limits) in self.limits where limits.contains(where: { $0.id == id }) {
      self.limits[subject] = limits.filter { $0.id != id }
    }
  }

  /// The limits of a subject, in the order in which they are asked.
  public func limits(of subject: LedgerSubject) -> [Limit] { self.limits[subject] ?? [] }

  /// How much more money and how many more tokens a request of this chain may hold now; nil means no bound.
  public func headroom(
    chain: [LedgerSubject], customer: CustomerID, currency: Currency, heldAt: Timestamp
  ) -> (amount: NanoAmount?, tokens: TokenCount?) {
    var amount: NanoAmount?
    var tokens: TokenCount?
    for limit in chain.flatMap({ self.limits[$0] ?? [] }) {
      let balance = self.balances.balance(limit.subject, currency, window: limit.measure.window, at: heldAt)
      switch limit.measure {
      case .spend(let most, currency, _):
        amount = smaller(amount, max(.zero, most - balance.settled - balance.held))
      case .tokens(let most, let window):
        let used = self.balances.tokens(limit.subject, window: window, at: heldAt)
        tokens = smaller(tokens, TokenCount(max(0, most.value - used)))
      default: break
      }
    }
    if self.isPrepaid(customer) {
      let account = self.credits[CreditAccountKey(customer: customer, currency: currency)]
      amount = smaller(amount, account?.available ?? .zero)
    }
    return (amount, tokens)
  }

  func refusal(
    of limit: Limit, amount: NanoAmount, currency: Currency, tokens: TokenCount, at now: Timestamp
  ) -> LedgerRefusal? {
    switch limit.measure {
    case .requestsPerMinute(let most):
      return self.rates[limit.id, default: MinuteWindow()].wait(adding: 1, limit: most, at: now).map {
        .rate(limit, retryAfter: $0)
      }
    case .tokensPerMinute(let most):
      return self.rates[limit.id, default: MinuteWindow()].wait(adding: tokens.value, limit: most, at: now)
        .map { .rate(limit, retryAfter: $0) }
    case .concurrentRequests(let most):
      return self.concurrent[limit.subject, default: 0] >= most ? .concurrency(limit) : nil
    case .activeUsers: return nil
    case .tokens(let most, let window):
      let available = max(0, most.value - self.balances.tokens(limit.subject, window: window, at: now))
      return tokens.value > available ? .tokens(limit, available: TokenCount(available)) : nil
    case .spend(let most, let limited, let window):
      guard limited == currency else {
        let others = self.limits[limit.subject, default: []].contains { $0.measure.currency == currency }
        return others ? nil : .currency(limit, charged: currency)
      }
      let balance = self.balances.balance(limit.subject, currency, window: window, at: now)
      let available = max(.zero, most - balance.settled - balance.held)
      return amount > available ? .spend(limit, available: available) : nil
    }
  }

  mutating func count(_ hold: Hold, against limit: Limit) {
    switch limit.measure {
    case .requestsPerMinute: self.rates[limit.id, default: MinuteWindow()].add(1, at: hold.heldAt)
    case .tokensPerMinute: self.rates[limit.id, default: MinuteWindow()].add(hold.tokens.value, at: hold.heldAt)
    default: break
    }
  }

  /// Gives back to the token rates what was held and not used, in the second that it was counted in.
  mutating func correctTokenRates(of hold: Hold, used: TokenCount, at now: Timestamp) {
    for subject in hold.chain {
      for limit in self.limits[subject] ?? [] {
        guard case .tokensPerMinute = limit.measure, self.rates[limit.id] != nil else { continue }
        self.rates[limit.id]?.correct(by: used.value - hold.tokens.value, addedAt: hold.heldAt, now: now)
      }
    }
  }
}

extension Limit.Measure {
  var window: Limit.Window {
    switch self {
    case .spend(_, _, let window), .tokens(_, let window): window
    default: .total
    }
  }

  var currency: Currency? {
    if case .spend(_, let currency, _) = self { return currency }
    return nil
  }
}

private func smaller<Value: Comparable>(_ left: Value?, _ right: Value) -> Value {
  left.map { min($0, right) } ?? right
}
