public import GovernanceTypes

/// A choice that the operator makes where the text is silent.
public enum ParameterValue: Sendable, Hashable, CustomStringConvertible {
  case bool(Bool)
  /// The digits as written.
  case number(String)
  case text(String)

  public var description: String {
    switch self {
    case .bool(let flag): flag ? "true" : "false"
    case .number(let text), .text(let text): text
    }
  }
}

/// A value written out, or left to a parameter.
public enum Setting<Value: Sendable & Hashable>: Sendable, Hashable {
  case value(Value)
  case parameter(String)
}

/// A condition over facts, parameters and recorded exceptions.
public indirect enum Predicate: Sendable, Hashable {
  case all([Predicate])
  case any([Predicate])
  case not(Predicate)
  case fact(String, FactTest)
  case parameter(String, ParameterValue)
  case action([Action])
  /// A recorded exception of this id is in force for the party.
  case exception(String)
  case threshold(Threshold)
  /// The text fact holds this notice.
  case holdsNotice(fact: String, notice: String)
}

public enum FactTest: Sendable, Hashable {
  /// The value is one of these.
  case isOneOf([FactValue])
  /// The region is one of these codes.
  case isInRegions([String])
  /// The set has one of these.
  case intersects([String])
  /// There is a record, or there is none. An event that was never recorded did not happen; of other facts it is unknown.
  case present(Bool)
}

/// A limit on a count or an amount, with what is counted, whose, and over which period.
public struct Threshold: Sendable, Hashable {
  public enum Entity: String, Sendable, Hashable, CaseIterable { case product, licensee, affiliates }
  public enum Limit: Sendable, Hashable {
    case atMost(Int128)
    case below(Int128)
    case above(Int128)
  }
  public enum Anchor: Sendable, Hashable {
    /// The period before this day, and no other.
    case fixed(before: CalendarDay)
    /// The period before the present one, again and again.
    case rolling
    /// No period: the fact as it stands.
    case anyTime
  }

  public let metric: String
  public let fact: String
  public let entities: [Entity]
  public let entitiesAsOf: CalendarDay?
  /// The share of control above which a company is an affiliate, as written (`0.50`).
  public let controlOver: Setting<String>?
  /// The share of control from which on a company is an affiliate, in place of ``controlOver``.
  public let controlAtLeast: Setting<String>?
  public let products: Setting<String>
  public let combination: String?
  public let unit: PeriodUnit?
  public let zone: Setting<String>
  public let anchor: Anchor
  /// In units of the fact: counts, or nano-units of ``currency``.
  public let limit: Limit
  public let currency: Currency?
}
