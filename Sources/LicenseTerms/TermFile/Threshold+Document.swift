import Documents
import GovernanceTypes

extension Threshold {
  private static let metrics = ["monthly_active_users", "daily_active_users", "revenue"]

  init(_ start: DocumentReader, _ references: inout TermReferences) throws(DocumentError) {
    var reader = start
    self.metric = try reader.string("metric")
    guard Self.metrics.contains(self.metric) else {
      throw reader.unknown("metric", self.metric, among: Self.metrics, at: "metric")
    }
    let fact = try references.fact(try reader.string("fact"), reader, at: "fact")
    guard fact.type == .count || fact.type == .money else { throw reader.failure("fact", "must be a count or an amount") }
    self.fact = fact.key
    self.currency = fact.currency
    if let currency = try reader.optionalString("currency"), currency != fact.currency?.description {
      throw reader.failure("currency", "'\(fact.key)' is declared in \(fact.currency?.description ?? "no currency")")
    }
    var entities = try reader.reader("entities")
    self.entities = try entities.choices("include").sorted { $0.rawValue < $1.rawValue }
    self.entitiesAsOf = try entities.optionalDay("as_of")
    self.controlOver = try entities.setting("control_over")
    try references.check(self.controlOver, entities, at: "control_over")
    self.controlAtLeast = try entities.setting("control_at_least")
    try references.check(self.controlAtLeast, entities, at: "control_at_least")
    try Self.check(
      self.controlOver ?? self.controlAtLeast, entities, isTwice: self.controlOver != nil && self.controlAtLeast != nil)
    try entities.finish()
    self.products = try reader.setting("products") ?? .value("all")
    try references.check(self.products, reader, at: "products")
    self.combination = try reader.optionalString("combine")
    var period = try reader.reader("period")
    self.unit = try period.optionalChoice("unit")
    self.zone = try period.zone("zone") ?? fact.zone
    try references.check(self.zone, period, at: "zone")
    self.anchor = try Self.anchor(&period, unit: self.unit, fact: fact)
    try period.finish()
    self.limit = try Self.limit(try reader.reader("limit"), fact: fact)
    if let ongoing = try reader.optionalBool("ongoing"), ongoing == self.anchor.isFixed {
      throw reader.failure("ongoing", "contradicts the period's anchor")
    }
    try reader.finish()
  }

  /// A share is a number from 0 to 1, and there is one.
  private static func check(
    _ control: Setting<String>?, _ entities: DocumentReader, isTwice: Bool
  ) throws(DocumentError) {
    guard !isTwice else { throw entities.failure("control_at_least", "goes in place of control_over, not beside it") }
    guard case .value(let text)? = control, ControlShare(text) == nil else { return }
    throw entities.failure(
      entities.keys.contains("control_over") ? "control_over" : "control_at_least",
      "a share from 0 to 1 with at most six decimals belongs here, such as 0.50")
  }

  private static func anchor(
    _ period: inout DocumentReader, unit: PeriodUnit?, fact: FactDeclaration
  ) throws(DocumentError) -> Anchor {
    enum Name: String, CaseIterable {
      case fixed, rolling
      case anyTime = "any_time"
    }
    let name: Name = try period.choice("anchor")
    let before = try period.optionalDay("before")
    if (before != nil) != (name == .fixed) { throw period.failure("before", "goes together with anchor: fixed") }
    switch name {
    case .anyTime: return .anyTime
    case .rolling:
      guard let unit, fact.period == unit else {
        throw period.failure("unit", "'\(fact.key)' is not declared with this period")
      }
      return .rolling
    case .fixed:
      guard let unit, let before else { throw period.failure("unit", "is missing") }
      guard fact.key.hasSuffix(".\(unit.preceding(before))") else {
        throw period.failure("before", "the fact of this period must end in .\(unit.preceding(before))")
      }
      return .fixed(before: before)
    }
  }

  private static func limit(_ start: DocumentReader, fact: FactDeclaration) throws(DocumentError) -> Limit {
    var reader = start
    let names = ["at_most", "below", "above"].filter(reader.keys.contains)
    guard names.count == 1, let name = names.first else {
      throw reader.failureHere("exactly one of at_most, below, above belongs here")
    }
    let value = try FactValue(try reader.required(name), for: fact, path: reader.field(name))
    guard case .interval(let number?, _) = value else { throw reader.failure(name, "a number belongs here") }
    try reader.finish()
    switch name {
    case "at_most": return .atMost(number)
    case "below": return .below(number)
    default: return .above(number)
    }
  }
}

extension Threshold.Anchor {
  /// A period that has passed once and for all.
  var isFixed: Bool {
    if case .fixed = self { true } else { false }
  }
}
