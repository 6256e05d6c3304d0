public import GovernanceTypes

/// Prepaid money as it was granted: used before what has a higher `priority`, before what expires later, before what came later.
public struct CreditGrant: Sendable, Equatable {
  public var id: CreditID
  public var amount: NanoAmount
  public var priority: Int
  public var expires: Timestamp?

  public init(id: CreditID, amount: NanoAmount, priority: Int = 0, expires: Timestamp? = nil) {
    self.id = id
    self.amount = amount
    self.priority = priority
    self.expires = expires
  }
}

/// A part of one grant: what a settlement used of it, or what of it expired.
public struct CreditSlice: Sendable, Equatable {
  public var grant: CreditID
  public var amount: NanoAmount

  public init(grant: CreditID, amount: NanoAmount) {
    self.grant = grant
    self.amount = amount
  }
}

struct CreditAccountKey: Hashable, Sendable {
  var customer: CustomerID
  var currency: Currency
}

/// What is left of a customer's grants in one currency, in the order in which it is used.
struct CreditAccount: Sendable {
  private var grants: [CreditGrant] = []
  private(set) var left: NanoAmount = .zero
  var held: NanoAmount = .zero

  /// What a new hold may take.
  var available: NanoAmount { self.left - self.held }

  /// Adds a grant, or gives a part of one back to it.
  mutating func add(_ grant: CreditGrant) {
    self.left += grant.amount
    if let place = self.grants.firstIndex(where: { $0.id == grant.id }) {
      self.grants[place].amount += grant.amount
      return
    }
    let place = self.grants.firstIndex { Self.isBefore(grant, $0) } ?? self.grants.endIndex
    self.grants.insert(grant, at: place)
  }

  private static func isBefore(_ left: CreditGrant, _ right: CreditGrant) -> Bool {
    guard left.priority == right.priority else { return left.priority < right.priority }
    let ends = (left.expires?.nanoseconds ?? .max, right.expires?.nanoseconds ?? .max)
    return ends.0 == ends.1 ? left.id < right.id : ends.0 < ends.1
  }

  /// Uses up `amount` in order; gives the parts of the grants that it took.
  ///
  /// - Precondition: `amount` is left.
  mutating func take(_ amount: NanoAmount) -> [CreditGrant] {
    precondition(amount <= self.left, "no more is used than is left")
    var rest = amount
    var parts: [CreditGrant] = []
    while rest > .zero, var part = self.grants.first {
      part.amount = min(rest, part.amount)
      parts.append(part)
      self.grants[0].amount -= part.amount
      if self.grants[0].amount == .zero { self.grants.removeFirst() }
      rest -= part.amount
    }
    self.left -= amount
    return parts
  }

  /// Takes a part of one grant away, as it was stored; nil where so much of it is not there.
  mutating func take(_ slice: CreditSlice) -> Bool {
    guard let place = self.grants.firstIndex(where: { $0.id == slice.grant }), self.grants[place].amount >= slice.amount else {
      return false
    }
    self.grants[place].amount -= slice.amount
    if self.grants[place].amount == .zero { self.grants.remove(at: place) }
    self.left -= slice.amount
    return true
  }

  /// Takes what has expired, except what open holds may still need: they were granted before.
  mutating func expire(at now: Timestamp) -> [CreditSlice] {
    var slices: [CreditSlice] = []
    for grant in self.grants where grant.expires.map({ $0 <= now }) ?? false {
      let amount = min(grant.amount, self.available)
      guard amount > .zero else { break }
      guard self.take(CreditSlice(grant: grant.id, amount: amount)) else { break }
      slices.append(CreditSlice(grant: grant.id, amount: amount))
    }
    return slices
  }

  /// What is left of each grant, in the order in which it is used.
  var slices: [CreditSlice] { self.grants.map { CreditSlice(grant: $0.id, amount: $0.amount) } }

  var nextExpiry: Timestamp? { self.grants.compactMap(\.expires).min() }
}

extension Ledger {
  /// Adds prepaid credit. From its first grant on, in any currency, a customer is prepaid: it spends what was granted and no more.
  public mutating func grant(_ grant: CreditGrant, _ currency: Currency, to customer: CustomerID) {
    precondition(grant.amount > .zero, "a grant is positive")
    self.credits[CreditAccountKey(customer: customer, currency: currency), default: CreditAccount()].add(grant)
    self.prepaid.insert(customer)
    self.books.post(.grant(grant.amount), customer, currency)
  }

  /// What is left of each of a customer's grants that is not used up; open holds are not taken off. O(customers).
  public func creditLeft(of customer: CustomerID) -> [CreditSlice] {
    self.credits.filter { $0.key.customer == customer }.sorted { $0.key.currency < $1.key.currency }.flatMap(\.value.slices)
  }

  /// What every prepaid customer can still spend, by currency. O(customers).
  public var availableCredits: [(customer: CustomerID, balance: Money)] {
    self.credits.map { ($0.key.customer, Money($0.value.available, $0.key.currency)) }
  }

  public func isPrepaid(_ customer: CustomerID) -> Bool { self.prepaid.contains(customer) }

  /// What a customer can still spend of its credit in a currency: granted, less expired, less settled, less held.
  public func availableCredit(_ customer: CustomerID, _ currency: Currency) -> NanoAmount {
    self.credits[CreditAccountKey(customer: customer, currency: currency)]?.available ?? .zero
  }

  /// Whether something of a customer's credit has run out at `now` and is not taken yet. O(grants that are not used up).
  public func hasExpiredCredit(_ customer: CustomerID, _ currency: Currency, at now: Timestamp) -> Bool {
    guard let account = self.credits[CreditAccountKey(customer: customer, currency: currency)] else { return false }
    return account.available > .zero && (account.nextExpiry.map { $0 <= now } ?? false)
  }

  /// Takes the credit that has expired; what open holds may still need of it stays until they end.
  public mutating func expireCredit(of customer: CustomerID, _ currency: Currency, at now: Timestamp) -> [CreditSlice] {
    let key = CreditAccountKey(customer: customer, currency: currency)
    guard let slices = self.credits[key]?.expire(at: now), !slices.isEmpty else { return [] }
    self.books.post(.expire(slices.reduce(.zero) { $0 + $1.amount }), customer, currency)
    return slices
  }

  /// Puts back what earlier runs used of a grant, or let expire; false where the grant does not have so much.
  public mutating func restore(
    used: NanoAmount, expired: NanoAmount, of grant: CreditID, _ currency: Currency, customer: CustomerID
  ) -> Bool {
    let key = CreditAccountKey(customer: customer, currency: currency)
    guard self.credits[key]?.take(CreditSlice(grant: grant, amount: used + expired)) ?? false else { return false }
    self.books.post(.expire(expired), customer, currency)
    return true
  }
}
