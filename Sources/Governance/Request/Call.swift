public import Completions
public import GovernanceTypes
public import UsageLedger

/// What a client asks, as the edge understood it.
public struct Call: Sendable {
  /// The bearer secret as sent.
  public var secret: String
  public var model: String
  public var request: CompletionRequest
  /// The end user, as the client names them; hashed at once and never stored.
  public var endUser: String?
  /// What the caller says the request is for, where it says so.
  public var declaredPurpose: String?
  /// What the edge learned beside the body.
  public var circumstances = RequestCircumstances()
  /// Binds retries to one charge.
  public var idempotencyKey: String?
  /// SHA-256 of the request's body, to tell a retry from another request under the same key.
  public var bodyDigest: Digest

  public init(
    secret: String, model: String, request: CompletionRequest, endUser: String? = nil, declaredPurpose: String? = nil,
    circumstances: RequestCircumstances = RequestCircumstances(), idempotencyKey: String? = nil, bodyDigest: Digest
  ) {
    self.secret = secret
    self.model = model
    self.request = request
    self.endUser = endUser
    self.declaredPurpose = declaredPurpose
    self.circumstances = circumstances
    self.idempotencyKey = idempotencyKey
    self.bodyDigest = bodyDigest
  }
}

/// Who calls, once the key is known.
public struct Caller: Sendable {
  public let key: APIKey
  public let customer: Customer

  public var chain: [LedgerSubject] { chargedChain(key: self.key.id, project: self.key.project, customer: self.customer.id) }
}

/// What the client is given, in order: text any number of times, then one end.
public enum GovernedEvent: Sendable {
  /// Text that is cleared to be shown; never empty.
  case text(String)
  /// The settlement is on disk.
  case finished(UsageRecord, finish: Finish)
  /// The engine broke after tokens had been delivered; what was delivered is settled.
  case failed(UsageRecord, Refusal)
}

/// How a completion ended, for the client.
public struct Finish: Sendable, Equatable {
  public enum Reason: String, Sendable { case stop, length, toolCalls = "tool_calls", contentFilter = "content_filter" }

  public var reason: Reason
  /// A machine-readable reason beyond `reason`: `spend_limit_reached`, `token_limit_reached`, `acceptable_use`.
  public var detail: Refusal.Code?
  /// The clause and use behind a `content_filter`.
  public var citation: Refusal.Citation?

  public init(_ reason: Reason, detail: Refusal.Code? = nil, citation: Refusal.Citation? = nil) {
    self.reason = reason
    self.detail = detail
    self.citation = citation
  }
}
