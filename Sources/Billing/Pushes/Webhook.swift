public import Documents
public import GovernanceTypes

/// A message to an operator's own receiver, signed so that it can be told from a forged one.
public struct Webhook: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    case balanceLow = "balance.low"
    case balanceExhausted = "balance.exhausted"
    case budgetReached = "budget.reached"
    case invoiceFinalised = "invoice.finalised"
    case creditNoteFinalised = "credit_note.finalised"
  }

  public let id: DeliveryID
  public let kind: Kind
  public let customer: CustomerID
  public let created: Timestamp
  public let body: [UInt8]

  public init(id: DeliveryID, kind: Kind, customer: CustomerID, created: Timestamp, data: JSON) {
    self.id = id
    self.kind = kind
    self.customer = customer
    self.created = created
    let json: JSON = [
      "id": .string(id.description), "type": .string(kind.rawValue), "created": .string(created.description),
      "customer": .string(customer.description), "data": data,
    ]
    self.body = json.canonicalBytes
  }

  /// Headers of an attempt at `now`: the id, the same in every attempt, and the signature.
  public func headers(secret: [UInt8], at now: Timestamp, hmac: KeyedDigestFunction) -> [(name: String, value: String)] {
    [
      ("content-type", "application/json"), ("x-weighbridge-delivery", self.id.description),
      ("x-weighbridge-signature", WebhookSignature.header(self.body, secret: secret, at: now, hmac: hmac)),
    ]
  }
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA-256 of the seconds, a full stop and the body.
public enum WebhookSignature {
  public static func header(_ body: [UInt8], secret: [UInt8], at now: Timestamp, hmac: KeyedDigestFunction) -> String {
    "t=\(now.seconds),v1=\(self.digest(body, now.seconds, secret, hmac).hexadecimal)"
  }

  /// Whether a header is the signature of the body, and not older or newer than `tolerance`: what a receiver has to check.
  public static func accepts(
    _ header: String, _ body: [UInt8], secret: [UInt8], at now: Timestamp, tolerance: Int64 = 300, hmac: KeyedDigestFunction
  ) -> Bool {
    let parts = header.split(separator: ",", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].hasPrefix("t="), parts[1].hasPrefix("v1="), let seconds = Int64(parts[0].dropFirst(2)),
      let given = Digest(hexadecimal: String(parts[1].dropFirst(3)))
    else { return false }
    let (age, overflow) = now.seconds.subtractingReportingOverflow(seconds)
    guard !overflow, age.magnitude <= tolerance.magnitude else { return false }
    return given == self.digest(body, seconds, secret, hmac)
  }

  private static func digest(_ body: [UInt8], _ seconds: Int64, _ secret: [UInt8], _ hmac: KeyedDigestFunction) -> Digest {
    hmac(secret, Array("\(seconds).".utf8) + body)
  }
}
