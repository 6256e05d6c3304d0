public import GovernanceTypes

/// The type of a fact's value.
public enum FactType: String, Sendable, Hashable, CaseIterable {
  case bool
  case count
  case money
  case `enum`
  case set
  case region
  case date
  case digest
  case text
}

/// Where a fact comes from.
public enum FactSource: String, Sendable, Hashable, CaseIterable {
  case attestation
  case measured
  case config
  case classifier
  case rule
  case screening
  case event
  case human
  case request
}

/// Whom or what a fact is about.
public enum FactSubject: String, Sendable, Hashable, CaseIterable {
  case party
  case partyAndAffiliates = "party_and_affiliates"
  case product
  case model
  case request

  /// Whether the fact is looked up among the facts of a party (the operator or a customer).
  public var isParty: Bool { self != .model && self != .request }
}

/// A period that recurs, in UTC or at a fixed offset from it.
public enum PeriodUnit: String, Sendable, Hashable, CaseIterable {
  case day
  case calendarMonth = "calendar_month"
  case calendarYear = "calendar_year"
}

/// What a term file says of one fact it reads: its type, whom it is about, who may state it and how long it holds.
public struct FactDeclaration: Sendable, Hashable {
  public enum Bound: String, Sendable, Hashable, CaseIterable { case upper, lower, exact }

  /// The name used inside the term file.
  public let key: String
  public let type: FactType
  public let subject: FactSubject
  public let sources: Set<FactSource>
  /// The values of an enumeration or a set; empty where any text is a value.
  public let values: [String]
  /// The currency of a money fact.
  public let currency: Currency?
  public let bound: Bound?
  /// The fact is stated for this term file alone, so its external key ends in the term file's id.
  public let isPerTermFile: Bool
  /// The fact is stated for the preceding period of this unit, so its external key ends in that period.
  public let period: PeriodUnit?
  /// The zone in which periods begin: `UTC`, `+08:00`.
  public let zone: Setting<String>
  /// A record holds only for the documents that it was made for.
  public let expiresOnDocumentChange: Bool
  /// A record holds for this many days.
  public let expiresAfterDays: Int?
  /// Events that end a record made before them.
  public let endedBy: [String]
  /// A record is to be affirmed again after this many days; it keeps holding.
  public let reaffirmAfterDays: Int?
  /// The sentence that a person states; used in remedies.
  public let statement: String?
  /// The value of a request's fact that nobody stated. Only facts of a request have one.
  public internal(set) var absent: FactValue?

  /// Whether a record with this source counts.
  public func accepts(_ source: FactSource) -> Bool { self.sources.contains(source) }
}
