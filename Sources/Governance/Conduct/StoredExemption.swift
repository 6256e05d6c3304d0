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
  var eyes: FourEyes

  var json: JSON {
    .object(
      [
        JSONMember("id", .string(self.id.description)), JSONMember("object", "exemption"),
        JSONMember("status", .string(self.eyes.status)), JSONMember("customer", .string(self.customer.description)),
        JSONMember("uses", .array(self.uses.map { .string($0.name) })),
        JSONMember("evidence_sha256", .string(self.evidence.hexadecimal)), JSONMember("reason", .string(self.reason)),
        JSONMember("valid_from", .string(self.validFrom.description)), JSONMember("valid_to", .string(self.validTo.description)),
      ] + self.eyes.members)
  }

  /// The exemption as the policy takes it; nil until a second person has confirmed it.
  ///
  /// - Throws: where it would exempt what nothing can.
  func exemption(unwaivable: Set<ProhibitedUseID>) throws(AcceptableUseError) -> Exemption? {
    guard let confirmer = self.eyes.confirmedBy, self.eyes.revokedAt == nil else { return nil }
    return try self.exemption(approvers: [self.eyes.recordedBy, confirmer], unwaivable: unwaivable)
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
    try self.init(&reader, id: id, eyes: FourEyes(recordedBy: actor, at: now))
    try reader.finish()
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let id: ExemptionID = try reader.identifier("id")
    _ = try reader.string("object")
    let eyes = try FourEyes(stored: &reader)
    try self.init(&reader, id: id, eyes: eyes)
    try reader.finish()
  }

  private init(_ reader: inout DocumentReader, id: ExemptionID, eyes: FourEyes) throws(DocumentError) {
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
    self.eyes = eyes
  }
}
