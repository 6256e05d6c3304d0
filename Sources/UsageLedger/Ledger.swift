// UsageLedger: the metering state machine, as a value: hold, extend, settle, void, expire, grant, adjust, under limits on every level.
// Holds open holds, settled sums, limits, credits and accounts in double entry; every step is all or nothing and deterministic.
// It must never know a price, a store, a clock, a license or a wire format: amounts, ids and time come in as arguments.

public import GovernanceTypes

/// Who a limit binds. A request is charged to its whole chain: key, project if any, customer.
public enum LedgerSubject: Hashable, Sendable, CustomStringConvertible {
  case key(KeyID)
  case project(ProjectID)
  case customer(CustomerID)

  public var description: String {
    switch self {
    case .key(let id): id.description
    case .project(let id): id.description
    case .customer(let id): id.description
    }
  }

  /// The subject that an id's text names, by its prefix.
  public init?(_ text: String) {
    if let id = KeyID(text) {
      self = .key(id)
    } else if let id = ProjectID(text) {
      self = .project(id)
    } else {
      guard let id = CustomerID(text) else { return nil }
      self = .customer(id)
    }
  }
}

/// Money and tokens that a request has set aside and not yet settled.
public struct Hold: Sendable, Equatable {
  public let usage: UsageID
  public let customer: CustomerID
  public let chain: [LedgerSubject]
  public let currency: Currency
  public internal(set) var amount: NanoAmount
  /// Prompt and completion tokens that the amount pays for.
  public internal(set) var tokens: TokenCount
  /// When the hold was made: it fixes the windows that the request counts in, whenever it ends.
  public let heldAt: Timestamp
  /// Drawn from prepaid credit rather than billed later.
  public let isPrepaid: Bool

  public init(
    usage: UsageID, customer: CustomerID, chain: [LedgerSubject], currency: Currency, amount: NanoAmount, tokens: TokenCount,
    heldAt: Timestamp, isPrepaid: Bool
  ) {
    self.usage = usage
    self.customer = customer
    self.chain = chain
    self.currency = currency
    self.amount = amount
    self.tokens = tokens
    self.heldAt = heldAt
    self.isPrepaid = isPrepaid
  }

  var source: Account { self.isPrepaid ? .prepaid : .receivable }
}

/// The end of a hold: what it was, and which grants paid for it.
public struct Settled: Sendable, Equatable {
  public var hold: Hold
  public var slices: [CreditSlice]
}

/// The ledger of one gateway. Invariant: for every limit and credit, settled plus held never exceeds it.
///
/// Each operation is O(levels × limits on them), independent of how many requests were ever served.
public struct Ledger: Sendable {
  public private(set) var holds: [UsageID: Hold] = [:]
  var limits: [LedgerSubject: [BoundLimit]] = [:]
  var history = SpendHistory()
  var books = Books()
  var credits: [CreditAccountKey: CreditAccount] = [:]
  var rates: [LimitID: MinuteWindow] = [:]
  var concurrent: [LedgerSubject: Int] = [:]
  var prepaid: Set<CustomerID> = []

  public init() {}

  /// Sets money and tokens aside on every level, or refuses and changes nothing.
  ///
  /// The order in which refusals are reported is a contract: see ``LedgerRefusal``.
  public mutating func hold(
    usage: UsageID, customer: CustomerID, chain: [LedgerSubject], currency: Currency, amount: NanoAmount, tokens: TokenCount,
    at now: Timestamp
  ) -> Result<Hold, LedgerRefusal> {
    precondition(amount >= .zero, "a hold is never negative")
    guard self.holds[usage] == nil else { return .failure(.duplicateUsage) }
    self.turnPages(of: chain, at: now)
    if let refusal = self.refusal(chain: chain, amount: amount, currency: currency, tokens: tokens, at: now) {
      return .failure(refusal)
    }
    let account = self.credits[CreditAccountKey(customer: customer, currency: currency)]
    let isPrepaid = self.isPrepaid(customer)
    if isPrepaid, (account?.available ?? .zero) < amount {
      return .failure(
        .insufficientCredit(
          customer, available: account?.available ?? .zero, currency, isHeld: (account?.left ?? .zero) >= amount))
    }
    let hold = Hold(
      usage: usage, customer: customer, chain: chain, currency: currency, amount: amount, tokens: tokens, heldAt: now,
      isPrepaid: isPrepaid)
    self.open(hold, countingRates: true)
    return .success(hold)
  }

  /// Adds to an open hold under the same limits; rates are not asked again.
  public mutating func extend(
    _ usage: UsageID, by amount: NanoAmount, tokens: TokenCount, at now: Timestamp
  ) -> Result<Hold, LedgerRefusal> {
    guard var hold = self.holds[usage] else { return .failure(.unknownUsage) }
    let room = self.headroom(chain: hold.chain, customer: hold.customer, currency: hold.currency, heldAt: hold.heldAt)
    guard amount >= .zero, room.amount.map({ amount <= $0 }) ?? true, room.tokens.map({ tokens <= $0 }) ?? true else {
      return .failure(.exceedsHeadroom)
    }
    hold.amount += amount
    hold.tokens += tokens
    self.holds[usage] = hold
    self.change(hold) {
      $0.held += amount; $0.heldTokens += tokens.value
    }
    self.changeCredit(of: hold) { $0.held += amount }
    self.books.post(.hold(amount, from: hold.source, kind: .extend), hold.customer, hold.currency)
    return .success(hold)
  }

  /// Ends a hold with what was really used; what is left of it is free again at once.
  public mutating func settle(
    _ usage: UsageID, amount: NanoAmount, tokens: TokenCount, at now: Timestamp
  ) -> Result<Settled, LedgerRefusal> {
    guard let hold = self.holds[usage] else { return .failure(.unknownUsage) }
    guard amount >= .zero, amount <= hold.amount else { return .failure(.exceedsHold(hold.amount)) }
    self.close(hold)
    self.change(hold) {
      $0.settled += amount; $0.settledTokens += tokens.value
    }
    var slices: [CreditSlice] = []
    self.changeCredit(of: hold) { account in
      slices = account.take(amount).map { CreditSlice(grant: $0.id, amount: $0.amount) }
    }
    self.books.post(.settle(amount, of: hold.amount, from: hold.source), hold.customer, hold.currency)
    self.correctTokenRates(of: hold, used: tokens, at: now)
    return .success(Settled(hold: hold, slices: slices))
  }

  /// Ends a hold without a charge.
  public mutating func void(_ usage: UsageID, at now: Timestamp) -> Result<Settled, LedgerRefusal> {
    guard let hold = self.holds[usage] else { return .failure(.unknownUsage) }
    self.close(hold)
    self.books.post(.void(hold.amount, from: hold.source), hold.customer, hold.currency)
    self.correctTokenRates(of: hold, used: .zero, at: now)
    return .success(Settled(hold: hold, slices: []))
  }

  // MARK: Opening and closing

  private mutating func open(_ hold: Hold, countingRates: Bool) {
    self.holds[hold.usage] = hold
    self.change(hold) {
      $0.held += hold.amount; $0.heldTokens += hold.tokens.value
    }
    self.changeCredit(of: hold) { $0.held += hold.amount }
    self.books.post(.hold(hold.amount, from: hold.source), hold.customer, hold.currency)
    for subject in hold.chain {
      self.concurrent[subject, default: 0] += 1
      guard countingRates else { continue }
      for bound in self.limits[subject] ?? [] {
        self.count(requests: 1, tokens: hold.tokens.value, at: hold.heldAt, against: bound.limit)
      }
    }
  }

  private mutating func close(_ hold: Hold) {
    self.holds[hold.usage] = nil
    self.change(hold) {
      $0.held -= hold.amount; $0.heldTokens -= hold.tokens.value
    }
    self.changeCredit(of: hold) { $0.held -= hold.amount }
    for subject in hold.chain {
      let left = (self.concurrent[subject] ?? 1) - 1
      self.concurrent[subject] = left == 0 ? nil : left
    }
  }

  mutating func change(_ hold: Hold, _ change: (inout Balance) -> Void) {
    self.history.change(hold, change)
    self.changeLimits(of: hold, change)
  }

  mutating func changeCredit(of hold: Hold, _ change: (inout CreditAccount) -> Void) {
    guard hold.isPrepaid else { return }
    change(&self.credits[CreditAccountKey(customer: hold.customer, currency: hold.currency), default: CreditAccount()])
  }

  // MARK: Restoring after a start

  /// Puts back a hold that the last run left open. Limits are not asked: it was granted then.
  public mutating func restore(open hold: Hold) { self.open(hold, countingRates: false) }

  /// Adds what earlier runs settled; which grants paid for it is put back by itself.
  public mutating func restore(settled amount: NanoAmount, tokens: TokenCount, as hold: Hold) {
    self.change(hold) {
      $0.settled += amount; $0.settledTokens += tokens.value
    }
    self.books.post(.settle(amount, of: .zero, from: hold.source), hold.customer, hold.currency)
  }

  /// Counts what earlier runs held in the last minute against the limits per minute, so that a start gives no new allowance.
  ///
  /// - Precondition: in the order of time, and after the limits are set.
  public mutating func restore(requests: Int, tokens: Int, of chain: [LedgerSubject], at instant: Timestamp) {
    for subject in chain {
      for bound in self.limits[subject] ?? [] {
        self.count(requests: requests, tokens: tokens, at: instant, against: bound.limit)
      }
    }
  }
}
