public import GovernanceTypes

/// Whose facts a row is about.
public enum Subject: Sendable, Hashable, CustomStringConvertible {
  case `operator`
  /// A customer, by its id as text.
  case party(String)
  case model
  case request

  public var description: String {
    switch self {
    case .operator: "operator"
    case .party(let id): id
    case .model: "model"
    case .request: "request"
    }
  }
}

/// A customer and what is known of it.
public struct Party: Sendable {
  public var id: String
  public var facts: FactSheet

  public init(id: String, facts: FactSheet) {
    self.id = id
    self.facts = facts
  }
}

/// A model and what is known of it.
public struct GovernedModel: Sendable {
  public var name: String
  public var facts: FactSheet

  public init(name: String, facts: FactSheet) {
    self.name = name
    self.facts = facts
  }
}

/// An exception that the licensor granted and two people recorded.
public struct ExceptionRecord: Sendable, Hashable {
  public var id: String
  public var termFile: TermFileID
  /// The exception's id in the term file.
  public var exception: String
  public var licensee: Subject
  /// Clauses lifted; empty for all that the term file says the exception cures.
  public var cures: [String]
  /// Model names, `*` at the end for any ending; empty for all models under the term file.
  public var models: [String]
  /// Actions covered; empty for all.
  public var actions: [Action]
  public var validFrom: Timestamp
  public var validTo: Timestamp?
  public var revokedAt: Timestamp?
  public var documentDigest: Digest

  public init(
    id: String, termFile: TermFileID, exception: String, licensee: Subject, cures: [String] = [], models: [String] = [],
    actions: [Action] = [], validFrom: Timestamp, validTo: Timestamp? = nil, revokedAt: Timestamp? = nil, documentDigest: Digest
  ) {
    self.id = id
    self.termFile = termFile
    self.exception = exception
    self.licensee = licensee
    self.cures = cures
    self.models = models
    self.actions = actions
    self.validFrom = validFrom
    self.validTo = validTo
    self.revokedAt = revokedAt
    self.documentDigest = documentDigest
  }
}

/// The question whether a party may act on a model, with all that the answer may rest on.
public struct StandingRequest: Sendable {
  public var party: Party
  public var `operator`: FactSheet
  public var model: GovernedModel
  /// The term files of the model's base.
  public var terms: [TermFile]
  /// What works beside the base in the same call, and rules that hold for every model.
  public var beside: [LineagePart]
  /// The operator's choices where a text is silent; the term file's own values stand for the rest.
  public var parameters: [TermFileID: [String: ParameterValue]]
  public var action: Action
  public var exceptions: [ExceptionRecord]
  public var time: Timestamp

  public init(
    party: Party, operator: FactSheet, model: GovernedModel, terms: [TermFile], beside: [LineagePart] = [],
    parameters: [TermFileID: [String: ParameterValue]] = [:], action: Action = .use, exceptions: [ExceptionRecord] = [],
    at time: Timestamp
  ) {
    self.party = party
    self.operator = `operator`
    self.model = model
    self.terms = terms
    self.beside = beside
    self.parameters = parameters
    self.action = action
    self.exceptions = exceptions
    self.time = time
  }
}

/// What the license says of a party and a model, apart from any single request. Small: results are written when asked for.
public struct Standing: Sendable {
  /// Allow, require a record, or deny.
  public let verdict: Verdict
  /// The verdict holds from ``time`` up to, and without, this instant; nil where nothing used ever ends.
  public let until: Timestamp?
  /// When it was worked out.
  public let time: Timestamp
  let plan: StandingPlan
  /// The party's side of each term file, in the order of the plan.
  let contexts: [EvaluationContext]
  let decider: Judged?
  /// What is left to ask at each request.
  let pending: [PendingClause]
}

/// A clause that only a request can decide, and for whom.
struct PendingClause: Sendable {
  let context: EvaluationContext
  let resolved: ResolvedClause
}

public enum Verdict: String, Sendable, Hashable, CaseIterable {
  case allow
  case requireRecord = "require_record"
  case deny
}

public enum RefusalCode: String, Sendable, Hashable, CaseIterable {
  case notAccepted = "license_not_accepted"
  case terms = "license_terms"
  case terminated = "license_terminated"
}

/// The term file that a verdict rests on.
public struct TermsInForce: Sendable, Hashable {
  public let id: TermFileID
  /// The parts of the lineage that it governs.
  public let parts: [LineageName]
  public let revision: Int
  public let digest: Digest
  /// The counterparty of the operator and of the customer; nil where the region is not known.
  public let operatorLicensor: String?
  public let partyLicensor: String?
  public let documents: [DocumentFound]
}

/// How the copy of a text found beside the weights compares with the accepted ones.
public struct DocumentFound: Sendable, Hashable {
  public enum State: String, Sendable, Hashable {
    /// An accepted copy.
    case matched
    /// Another text.
    case unknown
    /// None was found, or nobody looked.
    case absent
  }

  public let role: String
  public let state: State
  public let digest: Digest?
  /// By which digest an accepted copy was known.
  public let match: DocumentMatch
}

public struct ParameterInForce: Sendable, Hashable {
  public let termFile: TermFileID
  public let name: String
  public let value: ParameterValue
  /// The operator chose it; otherwise it is the term file's own.
  public let isChosen: Bool
}

/// How a clause came out.
public enum ClauseState: String, Sendable, Hashable, CaseIterable {
  /// Complied with.
  case met = "true"
  /// Not complied with.
  case violated = "false"
  case missing
  case expired
  case notTightEnough = "not_tight_enough"
  case contradicted
  /// The clause's own condition is false.
  case notApplicable = "not_applicable"
  case exempt
  case cured
  /// Only a request can tell.
  case deferred
  /// Begins at a later instant.
  case dated
}

/// One fact that a clause looked at.
public struct UsedFact: Sendable, Hashable {
  public let subject: Subject
  public let key: String
  /// The value as text; nil where there is none.
  public let value: String?
  public let source: FactSource?
  public let reference: String?
}

/// What one clause says of one subject.
public struct ClauseResult: Sendable, Hashable {
  public let termFile: TermFileID
  /// The parts of the lineage that it is asked about.
  public let parts: [LineageName]
  public let clause: String
  public let ref: String
  public let kind: Clause.Kind
  /// The party it was asked of.
  public let party: Subject
  /// Whether the clause is complied with.
  public let truth: Truth
  public let effect: Effect
  public let state: ClauseState
  public let facts: [UsedFact]
  public let summary: String
  /// The exemption, exception record or use that made the difference.
  public let because: String?
  /// The fact to blame, by external key, where one is.
  public let fact: String?
  public let remedy: String?
  /// The code of a refusal that rests on this clause.
  public let code: RefusalCode
  /// The reading of the clause, and the text it is in, were held against the source.
  public let isVerified: Bool
}

/// A fact that has to be recorded.
public struct MissingFact: Sendable, Hashable {
  public let subject: Subject
  /// The parts of the lineage that ask for it.
  public let parts: [LineageName]
  /// The external key.
  public let fact: String
  public let type: FactType
  /// The values that would do, where they can be listed.
  public let values: [String]
  public let termFile: TermFileID
  public let clause: String
  public let ref: String
  public let state: ClauseState
  public let remedy: String
  /// A value with which the clause is complied with; nil where none is plain (any date, any text).
  public let suitable: FactValue?
}

/// A duty that rides along with a verdict.
public struct StandingDuty: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case provideDocument(role: String, to: String, before: String, proof: String)
    /// `isDone` is nil where nothing tells.
    case includeNotice(file: String, text: String, isDone: Bool?)
    case display(text: String, places: [String])
    case namePrefix(String)
    case bindRecipient(document: String, proof: String)
    case attest(fact: String)
    case register(fact: String)
    case deleteMaterials(withinDays: Int, proof: String)
    case report(to: String)
    case showText(places: [String])
    case header(name: String, value: String)
    /// A record still holds but should be affirmed again since this day.
    case reaffirm(fact: String, since: CalendarDay)
    /// A text that may change in place is due for review since this day.
    case reviewDocument(role: String, since: CalendarDay)
  }

  public enum State: String, Sendable, Hashable, CaseIterable {
    case open
    case done
    case overdue
  }

  public let termFile: TermFileID
  public let clause: String
  public let ref: String
  public let party: Subject
  public let kind: Kind
  public let state: State
  /// The record that shows the duty done, by its reference.
  public let record: String?
}
