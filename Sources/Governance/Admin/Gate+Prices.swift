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
    let object = self.stored(.price, id: stored.price.id.description, customer: nil, body: stored.json)
    try await self.commit([(object, .price, [JSONMember("price", stored.json)])], by: actor)
    return stored.json
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
      try reader.finish()
      return StoredCredit(id: self.makeID(at: now), customer: customer, amount: Money(amount, currency), grantedAt: now)
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
          ]
        )
      ], by: actor)
    return credit.json
  }
}

/// A grant of prepaid credit, as stored.
struct StoredCredit: Sendable {
  var id: CreditID
  var customer: CustomerID
  var amount: Money
  var grantedAt: Timestamp

  var json: JSON {
    [
      "id": .string(self.id.description), "object": "credit", "customer": .string(self.customer.description),
      "amount": .string(self.amount.amount.description), "currency": .string(self.amount.currency.description),
      "granted_at": .string(self.grantedAt.description),
    ]
  }
}

extension GateState {
  mutating func take(credit document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let _: CreditID = try reader.identifier("id")
    _ = try reader.string("object")
    let customer: CustomerID = try reader.identifier("customer")
    let amount = try reader.money("amount", allowsZero: false)
    let currency = try reader.currency("currency")
    _ = try reader.timestamp("granted_at")
    try reader.finish()
    self.ledger.grant(amount, currency, to: customer)
  }
}

/// A price and its JSON form: `{"model","currency","effective_from","components":[{"category","per_million"}]}`.
struct StoredPrice: Sendable {
  var price: Price

  init(price: Price) { self.price = price }

  init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let id: PriceID = try reader.identifier("id")
    _ = try reader.string("object")
    self.price = try Self.read(&reader, id: id, now: nil)
  }

  init(request document: Document, id: PriceID, now: Timestamp) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.price = try Self.read(&reader, id: id, now: now)
  }

  private static func read(_ reader: inout DocumentReader, id: PriceID, now: Timestamp?) throws(DocumentError) -> Price {
    let model = ModelID(try reader.string("model"))
    let currency = try reader.currency("currency")
    guard let from = try reader.optionalTimestamp("effective_from") ?? now else {
      throw reader.failure("effective_from", "is missing")
    }
    var perMillion: [UsageCategory: NanoAmount] = [:]
    for (path, element) in try reader.list("components") {
      var component = try DocumentReader(element, path: path)
      let category: UsageCategory = try component.choice("category")
      let amount = try component.money("per_million", allowsZero: true)
      try component.finish()
      guard perMillion.updateValue(amount, forKey: category) == nil else {
        throw component.failure("category", "'\(category.rawValue)' is priced twice")
      }
    }
    try reader.finish()
    do {
      return try Price(id: id, model: model, currency: currency, effectiveFrom: from, perMillion: perMillion)
    } catch {
      switch error {
      case .negative(let category): throw reader.failure("components", "'\(category.rawValue)' is negative")
      case .excessive(let category): throw reader.failure("components", "'\(category.rawValue)' is above \(Price.largest)")
      case .missing(let category):
        throw reader.failure("components", "'\(category.rawValue)' has no price; give one, if only \"0\"")
      }
    }
  }

  var json: JSON {
    let components = UsageCategory.allCases.compactMap { category in
      self.price.perMillion(category).map { amount -> JSON in
        ["category": .string(category.rawValue), "per_million": .string(amount.description)]
      }
    }
    return [
      "id": .string(self.price.id.description), "object": "price", "model": .string(self.price.model.name),
      "currency": .string(self.price.currency.description), "effective_from": .string(self.price.effectiveFrom.description),
      "components": .array(components),
    ]
  }
}
