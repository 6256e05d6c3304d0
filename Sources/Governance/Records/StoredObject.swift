public import Documents
public import GovernanceTypes

/// An administrative object (a customer, a key, a limit …) as the store keeps it: the body as canonical JSON under its kind and id.
///
/// The log holds no body, only a commitment: SHA-256 of the salt and the canonical body. Deleting body and salt erases the
/// object and leaves every proof valid.
public struct StoredObject: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    case customer, project, key, limit, price, credit, attestation, grant, termination, delivery, export
    case affiliation, deletion, review, model, adjustment
    case conduct, exemption, appeal, incident
    case billingProfile = "billing_profile"
    case invoiceDraft = "invoice_draft"
    case adminKey = "admin_key"
    case anonymousCalls = "anonymous_calls"
    case audienceDay = "audience_day"
  }

  public var kind: Kind
  public var id: String
  /// The customer it belongs to, where it belongs to one.
  public var customer: CustomerID?
  public var body: JSON
  public var salt: [UInt8]

  public init(kind: Kind, id: String, customer: CustomerID?, body: JSON, salt: [UInt8]) {
    self.kind = kind
    self.id = id
    self.customer = customer
    self.body = body
    self.salt = salt
  }

  /// What the log says of the body.
  public func commitment(_ digest: DigestFunction) -> Digest { digest(self.salt + self.body.canonicalBytes) }
}
