public import Completions
public import GovernanceTypes
public import UsageLedger

/// What a client asks, as the edge understood it.
public struct Call: Sendable {
  /// The bearer secret as sent.
  public var secret: String
  public var model: String
  public var request: CompletionRequest
  /// Inputs whose vectors are asked for, in place of a completion; their texts are then those of `request`.
  public var embeddings: [EmbeddingInput]?
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
  /// Whom its requests are charged to.
  public let chain: [LedgerSubject]

  init(key: APIKey, customer: Customer) {
    self.key = key
    self.customer = customer
    self.chain = chargedChain(key: key.id, project: key.project, customer: customer.id)
  }
}

/// A piece of an answer that is cleared to be shown.
public struct ReleasedPiece: Sendable, Equatable {
  /// Which of the answers it belongs to, from 0.
  public var answer: Int
  public var text: String
  public var toolCalls: [ToolCallPiece]
  public var logprobs: [TokenLogprob]

  public init(answer: Int = 0, text: String = "", toolCalls: [ToolCallPiece] = [], logprobs: [TokenLogprob] = []) {
    self.answer = answer
    self.text = text
    self.toolCalls = toolCalls
    self.logprobs = logprobs
  }

  var isEmpty: Bool { self.text.isEmpty && self.toolCalls.isEmpty && self.logprobs.isEmpty }

  mutating func append(_ more: ReleasedPiece) {
    self.text += more.text
    self.toolCalls += more.toolCalls
    self.logprobs += more.logprobs
  }

  /// What it weighs in memory, about.
  var byteCount: Int {
    self.text.utf8.count + self.toolCalls.reduce(0) { $0 + 64 + $1.arguments.utf8.count }
      + self.logprobs.reduce(0) { $0 + 128 * (1 + $1.alternatives.count) }
  }
}

/// What the client is given, in order: pieces any number of times, then one end.
public enum GovernedEvent: Sendable {
  /// Never empty.
  case piece(ReleasedPiece)
  /// The settlement is on disk.
  case finished(UsageRecord, finish: Finish)
  /// The engine broke after tokens had been delivered; what was delivered is settled.
  case failed(UsageRecord, Refusal)
}

/// How a completion ended, for the client.
public struct Finish: Sendable, Equatable {
  public enum Reason: String, Sendable { case stop, length, toolCalls = "tool_calls", contentFilter = "content_filter" }

  public var reason: Reason
  /// That of each answer; empty where only one was asked for.
  public var reasons: [Reason] = []
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
