public import GovernanceTypes

/// An account of a customer in a currency. Amounts in it are debits where positive, credits where negative.
public enum Account: String, Sendable, CaseIterable {
  /// What customers paid in advance: the other side of ``prepaid``.
  case funding
  /// What the operator owes in service for money paid in advance.
  case prepaid
  /// What a customer without prepaid credit owes.
  case receivable
  /// What open holds have set aside.
  case pending
  /// What was charged.
  case revenue
  /// Credit that expired before it was used.
  case breakage
  /// The price of what may have been delivered and is charged to nobody.
  case operatorLoss = "operator_loss"
  /// The other side of ``operatorLoss``.
  case waived
}

/// One line of a transfer.
public struct Posting: Sendable, Equatable {
  public var account: Account
  public var amount: NanoAmount

  public init(_ account: Account, _ amount: NanoAmount) {
    self.account = account
    self.amount = amount
  }
}

/// One step of the ledger as a bookkeeper writes it: postings of one customer in one currency that sum to zero.
public struct Transfer: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable { case hold, extend, settle, void, grant, expire, adjust, loss }

  public let kind: Kind
  public let postings: [Posting]

  /// - Precondition: the postings sum to zero.
  init(_ kind: Kind, _ postings: [Posting]) {
    precondition(postings.reduce(NanoAmount.zero) { $0 + $1.amount } == .zero, "a transfer balances")
    self.kind = kind
    self.postings = postings
  }

  /// Sets `amount` aside from where the customer's money is.
  static func hold(_ amount: NanoAmount, from source: Account, kind: Kind = .hold) -> Transfer {
    Transfer(kind, [Posting(source, amount), Posting(.pending, -amount)])
  }

  /// Ends a hold of `held`: `charged` is revenue, the rest goes back.
  static func settle(_ charged: NanoAmount, of held: NanoAmount, from source: Account) -> Transfer {
    Transfer(.settle, [Posting(.pending, held), Posting(.revenue, -charged), Posting(source, charged - held)])
  }

  static func void(_ held: NanoAmount, from source: Account) -> Transfer {
    Transfer(.void, [Posting(.pending, held), Posting(source, -held)])
  }

  static func grant(_ amount: NanoAmount) -> Transfer {
    Transfer(.grant, [Posting(.funding, amount), Posting(.prepaid, -amount)])
  }

  static func expire(_ amount: NanoAmount) -> Transfer {
    Transfer(.expire, [Posting(.prepaid, amount), Posting(.breakage, -amount)])
  }

  /// Corrects a charge: more where positive, less where negative.
  static func adjust(_ amount: NanoAmount, from source: Account) -> Transfer {
    Transfer(.adjust, [Posting(source, amount), Posting(.revenue, -amount)])
  }

  static func loss(_ amount: NanoAmount) -> Transfer {
    Transfer(.loss, [Posting(.operatorLoss, amount), Posting(.waived, -amount)])
  }
}

/// The accounts of all customers: a fold of transfers, and so a projection that can always be computed again.
struct Books: Sendable {
  struct Key: Hashable, Sendable {
    var customer: CustomerID
    var currency: Currency
  }

  private var balances: [Key: [Account: NanoAmount]] = [:]

  mutating func post(_ transfer: Transfer, _ customer: CustomerID, _ currency: Currency) {
    for posting in transfer.postings where posting.amount != .zero {
      self.balances[Key(customer: customer, currency: currency), default: [:]][posting.account, default: .zero] += posting.amount
    }
  }

  func balances(_ customer: CustomerID) -> [Currency: [Account: NanoAmount]] {
    var found: [Currency: [Account: NanoAmount]] = [:]
    for (key, accounts) in self.balances where key.customer == customer { found[key.currency] = accounts }
    return found
  }

  func balance(_ account: Account, _ customer: CustomerID, _ currency: Currency) -> NanoAmount {
    self.balances[Key(customer: customer, currency: currency)]?[account] ?? .zero
  }
}

extension Ledger {
  /// A customer's accounts by currency; in each the balances sum to zero. O(customers).
  public func accounts(of customer: CustomerID) -> [Currency: [Account: NanoAmount]] { self.books.balances(customer) }

  /// One account of a customer: debits where positive.
  public func balance(of account: Account, _ customer: CustomerID, _ currency: Currency) -> NanoAmount {
    self.books.balance(account, customer, currency)
  }

  /// States what was, or may have been, delivered and is charged to nobody.
  public mutating func lose(_ amount: NanoAmount, _ currency: Currency, of customer: CustomerID) {
    precondition(amount >= .zero, "a loss is never negative")
    self.books.post(.loss(amount), customer, currency)
  }
}
