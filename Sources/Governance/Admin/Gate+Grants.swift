public import Documents
public import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

/// A right that the licensor granted in a document of its own, as stored. It counts once a second person has confirmed it.
struct StoredGrant: Sendable {
  var id: GrantID
  var subject: Subject
  var terms: TermFileID
  /// The exception of the term file under which it falls.
  var exception: String
  /// The clauses lifted; empty for all that the exception cures.
  var cures: [String]
  /// The models covered; empty for all under the terms.
  var models: [String]
  var documentDigest: Digest
  var signatory: String
  var validFrom: Timestamp
  var validTo: Timestamp?
  var eyes: FourEyes

  var json: JSON {
    .object(
      [
        JSONMember("id", .string(self.id.description)), JSONMember("object", "grant"),
        JSONMember("status", .string(self.eyes.status)), JSONMember("subject", .string(self.subject.description)),
        JSONMember("terms", .string(self.terms.name)), JSONMember("exception", .string(self.exception)),
        JSONMember("cures", .array(self.cures.map(JSON.string))), JSONMember("models", .array(self.models.map(JSON.string))),
        JSONMember("document_sha256", .string(self.documentDigest.hexadecimal)), JSONMember("signatory", .string(self.signatory)),
        JSONMember("valid_from", .string(self.validFrom.description)), JSONMember("valid_to", JSON(self.validTo?.description)),
      ] + self.eyes.members)
  }

  /// The exception as the license decision takes it; nil until a second person has confirmed it.
  var record: ExceptionRecord? {
    guard self.eyes.confirmedBy != nil else { return nil }
    return ExceptionRecord(
      id: self.id.description, termFile: self.terms, exception: self.exception, licensee: self.subject, cures: self.cures,
      models: self.models, validFrom: self.validFrom, validTo: self.validTo, revokedAt: self.eyes.revokedAt,
      documentDigest: self.documentDigest)
  }

  /// Reads what a person records; the rest is the gate's.
  init(request document: Document, id: GrantID, by actor: Actor, at now: Timestamp) throws(DocumentError) {
    var reader = try DocumentReader(document)
    try self.init(&reader, id: id, eyes: FourEyes(recordedBy: actor, at: now))
    try reader.finish()
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let id: GrantID = try reader.identifier("id")
    _ = try reader.string("object")
    let eyes = try FourEyes(stored: &reader)
    try self.init(&reader, id: id, eyes: eyes)
    try reader.finish()
  }

  private init(_ reader: inout DocumentReader, id: GrantID, eyes: FourEyes) throws(DocumentError) {
    self.id = id
    self.subject = try reader.subject("subject")
    self.terms = TermFileID(try reader.string("terms"))
    self.exception = try reader.string("exception")
    self.cures = try reader.strings("cures")
    self.models = try reader.strings("models")
    guard let digest = Digest(hexadecimal: try reader.string("document_sha256")) else {
      throw reader.failure(
        "document_sha256", "64 hexadecimal digits belong here: the SHA-256 of the document that grants the right")
    }
    self.documentDigest = digest
    self.signatory = try reader.title("signatory")
    self.validFrom = try reader.timestamp("valid_from")
    self.validTo = try reader.optionalTimestamp("valid_to")
    if let end = self.validTo, end <= self.validFrom { throw reader.failure("valid_to", "is not after valid_from") }
    self.eyes = eyes
  }
}

extension Gate {
  /// Records a right that the licensor granted. It counts once another admin has confirmed it: four eyes.
  public func recordGrant(_ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    let now = self.now()
    let grant = try self.reading { () throws(DocumentError) in
      try StoredGrant(request: body, id: self.makeID(at: now), by: actor, at: now)
    }
    try self.check(grant)
    try await self.write(grant, by: actor)
    return grant.json
  }

  public func grants() -> [JSON] { self.state.withLock { $0.grants.values.sorted { $0.id < $1.id }.map(\.json) } }

  /// Confirms a recorded grant.
  ///
  /// - Throws: ``Refusal`` where the one who confirms is the one who recorded it.
  public func confirmGrant(_ id: GrantID, by actor: Actor) async throws(Refusal) -> JSON {
    var grant = try self.knownGrant(id)
    try grant.eyes.confirm("The grant \(id)", by: actor)
    try await self.write(grant, by: actor)
    return grant.json
  }

  /// Ends a grant now.
  public func revokeGrant(_ id: GrantID, by actor: Actor) async throws(Refusal) -> JSON {
    var grant = try self.knownGrant(id)
    try grant.eyes.revoke("The grant \(id)", at: self.now())
    try await self.write(grant, by: actor)
    return grant.json
  }

  private func knownGrant(_ id: GrantID) throws(Refusal) -> StoredGrant {
    guard let grant = self.state.withLock({ $0.grants[id] }) else { throw Refusal(.notFound, "There is no grant \(id).") }
    return grant
  }

  /// A grant must fall under an exception of its terms, and lift only what that exception can.
  private func check(_ grant: StoredGrant) throws(Refusal) {
    if case .party(let name) = grant.subject, let customer = CustomerID(name) { _ = try self.knownCustomer(customer) }
    guard let file = self.termFile(grant.terms) else {
      throw Refusal(.notFound, "There is no term file '\(grant.terms)' in force.", parameter: "terms")
    }
    guard let exception = file.exceptions.first(where: { $0.id == grant.exception }) else {
      let known = file.exceptions.map(\.id).joined(separator: ", ")
      throw Refusal(
        .invalidRequest, "The terms '\(grant.terms)' know no exception '\(grant.exception)'; they know: \(known).",
        parameter: "exception")
    }
    for clause in grant.cures where !exception.cures.contains(clause) {
      guard exception.mayWaiveOtherClauses, file.clauses.contains(where: { $0.id == clause }) else {
        throw Refusal(
          .invalidRequest, "The exception '\(exception.id)' does not cure the clause '\(clause)'.", parameter: "cures")
      }
    }
  }

  private func write(_ grant: StoredGrant, by actor: Actor) async throws(Refusal) {
    let object = self.stored(.grant, id: grant.id.description, customer: nil, body: grant.json)
    try await self.commit([(object, .grant, [JSONMember("grant", grant.json)])], by: actor)
  }
}

extension GateState {
  var grantRecords: [ExceptionRecord] { self.grants.values.sorted { $0.id < $1.id }.compactMap(\.record) }

  mutating func take(grant document: Document) throws(DocumentError) {
    let grant = try StoredGrant(stored: document)
    self.grants[grant.id] = grant
    self.facts.grants = self.grantRecords
    self.forgetAllStandings()
  }
}
