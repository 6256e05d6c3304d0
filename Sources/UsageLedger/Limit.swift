public import GovernanceTypes

/// A bound on one subject.
public struct Limit: Sendable, Equatable {
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
  /// By whose clocks windows begin and end.
  public let zone: ZoneRules

  public init(id: LimitID, subject: LedgerSubject, measure: Measure, zone: ZoneRules = .utc) {
    self.id = id
    self.subject = subject
    self.measure = measure
    self.zone = zone
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
///
/// `isHeld` says that open holds alone stand in the way: what they do not use is free again when they end.
public enum LedgerRefusal: Error, Sendable, Equatable {
  /// `retryAfter` is nil where the request is larger than the limit itself and never fits.
  case rate(Limit, retryAfter: Duration?)
  case concurrency(Limit)
  case tokens(Limit, available: TokenCount, isHeld: Bool)
  case spend(Limit, available: NanoAmount, isHeld: Bool)
  /// The subject has a spend limit in another currency only; there is no conversion.
  case currency(Limit, charged: Currency)
  case insufficientCredit(CustomerID, available: NanoAmount, Currency, isHeld: Bool)
  case exceedsHeadroom
  case exceedsHold(NanoAmount)
  case duplicateUsage
  case unknownUsage
}

extension Limit.Measure {
  var window: Window {
    switch self {
    case .spend(_, _, let window), .tokens(_, let window): window
    default: .total
    }
  }

  var currency: Currency? {
    if case .spend(_, let currency, _) = self { return currency }
    return nil
  }

  /// Whether it bounds what is settled and held over a window.
  var countsSpending: Bool {
    switch self {
    case .spend, .tokens: true
    default: false
    }
  }

  func counts(_ hold: Hold) -> Bool {
    switch self {
    case .spend(_, let currency, _): currency == hold.currency
    case .tokens: true
    default: false
    }
  }
}
