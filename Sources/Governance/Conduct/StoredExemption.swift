internal import AcceptableUse
internal import Documents
internal import GovernanceTypes

/// That a customer may do what the policy forbids others, on evidence and for a time, as stored. It counts once a second person has
/// confirmed it.
struct StoredExemption: Sendable {
  var id: ExemptionID
  var customer: CustomerID
  var uses: [ProhibitedUseID]
  /// SHA-256 of the document that shows the right.
  var evidence: Digest
  var reason: String
  var validFrom: Timestamp
  var validTo: Timestamp
  var recordedBy: String
  var recordedAt: Timestamp
  var confirmedBy: String?
  var revokedAt: Timestamp?

  var status: String { self.revokedAt != nil ? "revoked" : self.confirmedBy == nil ? "recorded" : "confirmed" }

  var json: JSON {
    [
      "id": .string(self.id.description), "object": "exemption", "status": .string(self.status),
      "customer": .string(self.customer.description), "uses": .array(self.uses.map { .string($0.name) }),
      "evidence_sha256": .string(self.evidence.hexadecimal), "reason": .string(self.reason),
      "valid_from": .string(self.validFrom.description), "valid_to": .string(self.validTo.description),
      "recorded_by": .string(self.recordedBy), "recorded_at": .string(self.recordedAt.description),
      "confirmed_by": JSON(self.confirmedBy), "revoked_at": JSON(self.revokedAt?.description),
    ]
  }

  /// The exemption as the policy takes it; nil until a second person has confirmed it.
  ///
  /// - Throws: where it would exempt what nothing can.
  func exemption(unwaivable: Set<ProhibitedUseID>) throws(AcceptableUseError) -> Exemption? {
    guard let confirmer = self.confirmedBy, self.revokedAt == nil else { return nil }
    return try self.exemption(approvers: [self.recordedBy, confirmer], unwaivable: unwaivable)
  }

  /// The same with whoever approves it, to see whether it could ever count.
  func exemption(
    approvers: [String], unwaivable: Set<ProhibitedUseID>
  ) throws(AcceptableUseError) -> Exemption {
    try Exemption(
      id: self.id.description, uses: Set(self.uses), evidence: self.evidence, approvers: approvers, validFrom: self.validFrom,
      validUntil: self.validTo, unwaivable: unwaivable)
  }

  init(request document: Document, id: ExemptionID, by actor: Actor, at now: Timestamp) throws(DocumentError) {
    var reader = try DocumentReader(document)
    try self.init(&reader, id: id, recordedBy: actor.name, recordedAt: now)
    try reader.finish()
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let id: ExemptionID = try reader.identifier("id")
    _ = try reader.string("object")
    _ = try reader.string("status")
    let by = try reader.string("recorded_by")
    try self.init(&reader, id: id, recordedBy: by, recordedAt: try reader.timestamp("recorded_at"))
    self.confirmedBy = try reader.optionalString("confirmed_by")
    self.revokedAt = try reader.optionalTimestamp("revoked_at")
    try reader.finish()
  }

  private init(
    _ reader: inout DocumentReader, id: ExemptionID, recordedBy: String, recordedAt: Timestamp
  ) throws(DocumentError) {
    self.id = id
    self.customer = try reader.identifier("customer")
    let uses = try reader.strings("uses")
    guard (1...64).contains(uses.count), Set(uses).count == uses.count else {
      throw reader.failure("uses", "1 to 64 different uses belong here")
    }
    self.uses = uses.map(ProhibitedUseID.init).sorted()
    guard let evidence = Digest(hexadecimal: try reader.string("evidence_sha256")) else {
      throw reader.failure(
        "evidence_sha256", "64 hexadecimal digits belong here: the SHA-256 of the document that shows the right")
    }
    self.evidence = evidence
    self.reason = try reader.title("reason")
    self.validFrom = try reader.timestamp("valid_from")
    self.validTo = try reader.timestamp("valid_to")
    self.recordedBy = recordedBy
    self.recordedAt = recordedAt
  }
}
