public import Billing
public import Documents
public import GovernanceTypes
internal import Synchronization
internal import UsageLedger

extension Gate {
  /// Sets what a model costs from an instant on. Earlier prices stay in force until then, and for what was held under them.
  public func createPrice(_ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    let now = self.now()
    let stored = try self.reading { () throws(DocumentError) in try StoredPrice(request: body, id: self.makeID(at: now), now: now)
    }
    guard self.state.withLock({ $0.models[stored.price.model] }) != nil else {
      throw Refusal(
        .modelNotFound, "There is no model '\(stored.price.model)'. The configuration names the models.", parameter: "model")
    }
    if let customer = stored.price.customer { _ = try self.knownCustomer(customer) }
    let object = self.stored(
      .price, id: stored.price.id.description, customer: stored.price.customer, body: stored.json)
    try self.promise(stored.price)
    defer { self.state.withLock { $0.promisedPrices[stored.price.id] = nil } }
    try await self.commit([(object, .price, [JSONMember("price", stored.json)])], by: actor)
    return stored.json
  }

  /// Refuses a price that another one, stored or on its way to disk, overlaps: which of them counts would be an accident.
  private func promise(_ price: Price) throws(Refusal) {
    let overlap = self.state.withLock { state -> PriceID? in
      var book = state.prices
      for promised in state.promisedPrices.values { book.add(promised) }
      guard let overlap = book.overlap(of: price) else {
        state.promisedPrices[price.id] = price
        return nil
      }
      return overlap
    }
    guard let overlap else { return }
    throw Refusal(
      .invalidRequest,
      "The price \(overlap) of this model is in force from the same instant on. Choose a later 'effective_from'; what is in force is not replaced.",
      parameter: "effective_from")
  }

  public func prices() -> [JSON] { self.state.withLock { $0.prices.all.map { StoredPrice(price: $0).json } } }

  /// A price by its id, in force or not.
  public func price(_ id: PriceID) -> Price? { self.state.withLock { $0.prices.price(id) } }

  /// The price in force for a model now.
  public func price(of model: ModelID) -> Price? {
    self.state.withLock { $0.prices.price(of: model, at: $0.tick(self.environment.now())) }
  }

  /// Adds prepaid credit to a customer. From the first grant on the customer is prepaid.
  public func grantCredit(to customer: CustomerID, _ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    _ = try self.knownCustomer(customer)
    let now = self.now()
    let credit = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      let amount = try reader.money("amount", allowsZero: false)
      let currency = try reader.currency("currency")
      let terms = try CreditTerms(&reader)
      try reader.finish()
      if let expires = terms.expires, expires <= now { throw reader.failure("expires", "lies in the past") }
      return StoredCredit(
        id: self.makeID(at: now), customer: customer, amount: Money(amount, currency), grantedAt: now, terms: terms)
    }
    let object = self.stored(.credit, id: credit.id.description, customer: customer, body: credit.json)
    try await self.commit(
      [
        (
          object, .credit,
          [
            JSONMember("customer", .string(customer.description)),
            JSONMember("amount_nano", .string(String(credit.amount.amount.nano))),
            JSONMember("currency", .string(credit.amount.currency.description)),
          ] + credit.terms.members
        )
      ], by: actor)
    return credit.json
  }
}

extension Gate {
  /// A customer's grants in the order in which they are used, with what is left of each.
  public func credits(of customer: CustomerID) throws(Refusal) -> [JSON] {
    _ = try self.knownCustomer(customer)
    return self.state.withLock { state in
      let granted = state.credits.values.filter { $0.customer == customer }
      let left = Dictionary(
        state.ledger.creditLeft(of: customer).map { ($0.grant, $0.amount) }, uniquingKeysWith: { first, _ in first })
      return granted.sorted(by: StoredCredit.isUsedBefore).map { credit in
        guard case .object(let members) = credit.json else { return credit.json }
        return .object(members + [JSONMember("left", .string((left[credit.id] ?? .zero).description))])
      }
    }
  }
}

/// A grant of prepaid credit, as stored.
struct StoredCredit: Sendable {
  var id: CreditID
  var customer: CustomerID
  var amount: Money
  var grantedAt: Timestamp
  var terms = CreditTerms()

  static func isUsedBefore(_ left: Self, _ right: Self) -> Bool {
    func rank(_ credit: Self) -> (Int, Int64, CreditID) {
      (credit.terms.priority, credit.terms.expires?.nanoseconds ?? .max, credit.id)
    }
    return rank(left) < rank(right)
  }

  var json: JSON {
    .object(
      [
        JSONMember("id", .string(self.id.description)), JSONMember("object", "credit"),
        JSONMember("customer", .string(self.customer.description)),
        JSONMember("amount", .string(self.amount.amount.description)),
        JSONMember("currency", .string(self.amount.currency.description)),
        JSONMember("granted_at", .string(self.grantedAt.description)),
      ] + self.terms.members)
  }
}

/// In which order credit is used, and until when.
struct CreditTerms: Sendable {
  var priority = 0
  var expires: Timestamp?
  /// Given away rather than paid for: what it pays lowers the invoice before tax.
  var isPromotional = false

  init() {}

  init(_ reader: inout DocumentReader) throws(DocumentError) {
    self.priority = try reader.optionalInteger("priority", in: 0...100) ?? 0
    self.expires = try reader.optionalTimestamp("expires")
    self.isPromotional = try reader.optionalBool("promotional") ?? false
  }

  var members: [JSONMember] {
    (self.priority == 0 ? [] : [JSONMember("priority", .integer(self.priority))])
      + (self.expires.map { [JSONMember("expires", .string($0.description))] } ?? [])
      + (self.isPromotional ? [JSONMember("promotional", true)] : [])
  }
}

extension GateState {
  mutating func take(credit document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let id: CreditID = try reader.identifier("id")
    _ = try reader.string("object")
    let customer: CustomerID = try reader.identifier("customer")
    let amount = try reader.money("amount", allowsZero: false)
    let currency = try reader.currency("currency")
    let grantedAt = try reader.timestamp("granted_at")
    let terms = try CreditTerms(&reader)
    try reader.finish()
    self.credits[id] = StoredCredit(
      id: id, customer: customer, amount: Money(amount, currency), grantedAt: grantedAt, terms: terms)
    self.ledger.grant(
      CreditGrant(id: id, amount: amount, priority: terms.priority, expires: terms.expires), currency, to: customer)
  }
}
