internal import Billing
internal import Documents
internal import GovernanceTypes

/// A price and its JSON form: `{"model","currency","effective_from","customer"?,"components":[…]}`.
///
/// A component has a `category` and one of `per_million`; `tiers` with `tier_mode` (`graduated` or `volume`), each tier with
/// `up_to` (but the last), `per_million` and `flat`; or `package` with `size` and `amount`. Besides, `free` units and a `maximum`.
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
    let customer: CustomerID? = try reader.optionalIdentifier("customer")
    let currency = try reader.currency("currency")
    guard let from = try reader.optionalTimestamp("effective_from") ?? now else {
      throw reader.failure("effective_from", "is missing")
    }
    let rates = try Self.rates(&reader)
    try reader.finish()
    do {
      return try Price(id: id, model: model, customer: customer, currency: currency, effectiveFrom: from, rates: rates)
    } catch {
      throw reader.failure("components", Self.sentence(error))
    }
  }

  /// The price that should have been in force instead of a wrong one: its `components` alone differ.
  static func corrected(_ wrong: Price, components reader: inout DocumentReader) throws(DocumentError) -> Price {
    let rates = try Self.rates(&reader)
    do {
      return try Price(
        id: wrong.id, model: wrong.model, customer: wrong.customer, currency: wrong.currency, effectiveFrom: wrong.effectiveFrom,
        rates: rates)
    } catch {
      throw reader.failure("components", Self.sentence(error))
    }
  }

  private static func rates(_ reader: inout DocumentReader) throws(DocumentError) -> [UsageCategory: Rate] {
    var rates: [UsageCategory: Rate] = [:]
    for (path, element) in try reader.list("components") {
      var component = try DocumentReader(element, path: path)
      let category: UsageCategory = try component.choice("category")
      let rate = try Self.rate(&component)
      try component.finish()
      guard rates.updateValue(rate, forKey: category) == nil else {
        throw component.failure("category", "'\(category.rawValue)' is priced twice")
      }
    }
    return rates
  }

  private static func rate(_ component: inout DocumentReader) throws(DocumentError) -> Rate {
    let tariff = try Self.tariff(&component)
    let maximum = component.document("maximum") == nil ? nil : try component.money("maximum", allowsZero: true)
    return Rate(
      tariff, free: try component.optionalInteger("free", in: 0...TokenCount.largest.value) ?? 0, maximum: maximum)
  }

  private static func tariff(_ component: inout DocumentReader) throws(DocumentError) -> Tariff {
    let forms = ["per_million", "tiers", "package"].filter { component.document($0) != nil }
    guard forms.count == 1 else {
      throw component.failure(forms.first ?? "per_million", "exactly one of per_million, tiers and package belongs here")
    }
    if forms == ["per_million"] { return .perUnit(try component.money("per_million", allowsZero: true)) }
    if var package = try component.optionalReader("package") {
      let size = try package.integer("size", in: 1...TokenCount.largest.value)
      let amount = try package.money("amount", allowsZero: true)
      try package.finish()
      return .package(size: size, amount: amount)
    }
    let mode: TierMode = try component.choice("tier_mode")
    let tiers = try Self.tiers(&component)
    return mode == .graduated ? .graduated(tiers) : .volume(tiers)
  }

  private enum TierMode: String, CaseIterable { case graduated, volume }

  private static func tiers(_ component: inout DocumentReader) throws(DocumentError) -> [Tariff.Tier] {
    var tiers: [Tariff.Tier] = []
    for (path, element) in try component.list("tiers") {
      var tier = try DocumentReader(element, path: path)
      let end = try tier.optionalInteger("up_to", in: 1...TokenCount.largest.value)
      let price = try tier.money("per_million", allowsZero: true)
      let flat = tier.document("flat") == nil ? .zero : try tier.money("flat", allowsZero: true)
      try tier.finish()
      tiers.append(Tariff.Tier(upTo: end, perMillion: price, flat: flat))
    }
    return tiers
  }

  private static func sentence(_ defect: Price.Defect) -> String {
    switch defect {
    case .missing(let category): "'\(category.rawValue)' has no price; give one, if only \"0\""
    case .allowance(let category): "the free units or the maximum of '\(category.rawValue)' are out of range"
    case .tariff(let category, .negative): "'\(category.rawValue)' is negative"
    case .tariff(let category, .excessive): "'\(category.rawValue)' is above \(Price.largest)"
    case .tariff(let category, .emptyTiers): "'\(category.rawValue)' has no tiers; give one at least"
    case .tariff(let category, .tooManyTiers): "'\(category.rawValue)' has more than \(Tariff.mostTiers) tiers"
    case .tariff(let category, .tierEnds):
      "the tiers of '\(category.rawValue)' must end at rising `up_to`, and the last one, and it alone, without"
    case .tariff(let category, .packageSize): "the package of '\(category.rawValue)' must have a size of 1 or more"
    }
  }

  var json: JSON {
    var members = [
      JSONMember("id", .string(self.price.id.description)), JSONMember("object", .string("price")),
      JSONMember("model", .string(self.price.model.name)), JSONMember("currency", .string(self.price.currency.description)),
      JSONMember("effective_from", .string(self.price.effectiveFrom.description)),
    ]
    if let customer = self.price.customer { members.append(JSONMember("customer", .string(customer.description))) }
    let components = UsageCategory.allCases.compactMap { category in
      self.price.rate(category).map { Self.component(category, $0) }
    }
    return .object(members + [JSONMember("components", .array(components))])
  }

  private static func component(_ category: UsageCategory, _ rate: Rate) -> JSON {
    var members = [JSONMember("category", .string(category.rawValue))]
    switch rate.tariff {
    case .perUnit(let price): members.append(JSONMember("per_million", .string(price.description)))
    case .package(let size, let amount):
      members.append(JSONMember("package", ["size": .integer(size), "amount": .string(amount.description)]))
    case .graduated(let tiers):
      members.append(JSONMember("tier_mode", .string(TierMode.graduated.rawValue)))
      members.append(JSONMember("tiers", .array(tiers.map(Self.tier))))
    case .volume(let tiers):
      members.append(JSONMember("tier_mode", .string(TierMode.volume.rawValue)))
      members.append(JSONMember("tiers", .array(tiers.map(Self.tier))))
    }
    if rate.free > 0 { members.append(JSONMember("free", .integer(rate.free))) }
    if let maximum = rate.maximum { members.append(JSONMember("maximum", .string(maximum.description))) }
    return .object(members)
  }

  private static func tier(_ tier: Tariff.Tier) -> JSON {
    var members: [JSONMember] = []
    if let end = tier.upTo { members.append(JSONMember("up_to", .integer(end))) }
    members.append(JSONMember("per_million", .string(tier.perMillion.description)))
    if tier.flat > .zero { members.append(JSONMember("flat", .string(tier.flat.description))) }
    return .object(members)
  }
}
