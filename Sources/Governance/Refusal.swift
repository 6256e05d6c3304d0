public import Documents
public import GovernanceTypes
public import UsageLedger

/// Why something was not done: what the caller is told, and what the operator's log adds.
///
/// It knows no status code and no wire format; the edge translates ``code``. The order of the cases is the order in which they
/// are looked for in the life of a request.
public struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable, CaseIterable {
    case invalidAPIKey = "invalid_api_key"
    case permissionDenied = "permission_denied"
    case idempotencyConflict = "idempotency_conflict"
    case invalidRequest = "invalid_request"
    case notFound = "not_found"
    case conflict
    case modelNotFound = "model_not_found"
    case modelUnpriced = "model_unpriced"
    case contextLengthExceeded = "context_length_exceeded"
    case licenseNotAccepted = "license_not_accepted"
    case licenseTerms = "license_terms"
    case licenseTerminated = "license_terminated"
    case activeUserCapReached = "active_user_cap_reached"
    case acceptableUse = "acceptable_use"
    case rateLimitExceeded = "rate_limit_exceeded"
    case tokenLimitReached = "token_limit_reached"
    case spendLimitReached = "spend_limit_reached"
    case insufficientCredit = "insufficient_credit"
    case modelUnavailable = "model_unavailable"
    case overloaded
    case storeUnavailable = "store_unavailable"
    case engineFailed = "engine_failed"
  }

  /// What a license refusal cites.
  public struct Citation: Sendable, Equatable {
    public var terms: TermFileID
    public var clause: String
    /// Where in the text: a section, or an item of the use policy.
    public var ref: String
    public var fact: String?
    public var state: String?
    public var remedy: String?

    public init(terms: TermFileID, clause: String, ref: String, fact: String? = nil, state: String? = nil, remedy: String? = nil)
    {
      self.terms = terms
      self.clause = clause
      self.ref = ref
      self.fact = fact
      self.state = state
      self.remedy = remedy
    }
  }

  public var code: Code
  /// To the caller.
  public var message: String
  /// The field at fault, where one is.
  public var parameter: String?
  public var citation: Citation?
  public var decision: DecisionID?
  public var retryAfter: Duration?
  /// How the caller stands with its limits per minute, where a pace was exceeded.
  public var rates: RateState?
  /// To the operator's log only.
  public var context: String?

  /// The message alone: what stands in `context` is for the operator's log.
  public var description: String { self.message }

  public init(
    _ code: Code, _ message: String, parameter: String? = nil, citation: Citation? = nil, retryAfter: Duration? = nil,
    context: String? = nil
  ) {
    self.code = code
    self.message = message
    self.parameter = parameter
    self.citation = citation
    self.retryAfter = retryAfter
    self.context = context
  }

  /// A body that could not be read.
  public init(_ error: DocumentError) {
    self.init(.invalidRequest, error.description, parameter: error.field.isEmpty ? nil : error.field)
  }

  public init(_ error: JournalError) {
    let message =
      switch error.code {
      case .diskFull: "The ledger's disk is full, so nothing can be recorded and nothing is served. Free space and retry."
      case .readOnly: "The ledger cannot be written, so nothing is served. Make the data directory writable and retry."
      case .queueFull: "The ledger is behind with its work. Retry in a moment."
      case .conflict: "The record conflicts with one that is already in the ledger."
      case .closed, .failed: "The ledger could not record the request, so it was not served."
      }
    let code: Code =
      switch error.code {
      case .queueFull: .overloaded
      case .conflict: .conflict
      default: .storeUnavailable
      }
    self.init(code, message, context: "\(error.code.rawValue): \(error.detail)")
  }
}
