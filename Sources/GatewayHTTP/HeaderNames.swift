public import HTTPTypes

extension HTTPField.Name {
  /// A name made of a literal that is known to be valid.
  private static func literal(_ name: StaticString) -> HTTPField.Name {
    guard let field = HTTPField.Name("\(name)") else { preconditionFailure("'\(name)' is no header name") }
    return field
  }

  public static let xRequestID = literal("x-request-id")
  static let xAPIKey = literal("x-api-key")
  public static let xWeighbridgeModel = literal("x-weighbridge-model")
  public static let xShouldRetry = literal("x-should-retry")
  public static let retryAfterMilliseconds = literal("retry-after-ms")
  public static let xWeighbridgeDecision = literal("x-weighbridge-decision")
  public static let xWeighbridgeUsage = literal("x-weighbridge-usage")
  public static let xWeighbridgeSequence = literal("x-weighbridge-sequence")
  public static let xWeighbridgeCustomerSequence = literal("x-weighbridge-customer-sequence")
  public static let xWeighbridgeLeaf = literal("x-weighbridge-leaf")
  public static let idempotencyKey = literal("idempotency-key")
  public static let idempotentReplay = literal("idempotent-replay")
  public static let rateLimitRequests = literal("x-ratelimit-limit-requests")
  public static let rateRemainingRequests = literal("x-ratelimit-remaining-requests")
  public static let rateResetRequests = literal("x-ratelimit-reset-requests")
  public static let rateLimitTokens = literal("x-ratelimit-limit-tokens")
  public static let rateRemainingTokens = literal("x-ratelimit-remaining-tokens")
  public static let rateResetTokens = literal("x-ratelimit-reset-tokens")
  public static let xWeighbridgeDelivery = literal("x-weighbridge-delivery")
  public static let xWeighbridgeTargetLineage = literal("x-weighbridge-target-lineage")
  static let traceParent = literal("traceparent")
  public static let link = literal("link")
  public static let xAccelBuffering = literal("x-accel-buffering")
}
