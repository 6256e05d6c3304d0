public import Documents
public import GovernanceTypes
public import LicenseTerms
internal import Synchronization

/// A statement about a party that someone signed for, as stored.
struct StoredAttestation: Sendable {
  var id: AttestationID
  var subject: Subject
  var fact: String
  var value: JSON
  var signerName: String
  var signerRole: String
  var issued: Timestamp
  var expires: Timestamp?
  /// The documents that were accepted, where the fact is an acceptance.
  var accepted: Digest?
  /// Where the statement came signed.
  var signature: VerifiedSignature?

  var json: JSON {
    [
      "id": .string(self.id.description), "object": "attestation", "subject": .string(self.subject.description),
      "fact": .string(self.fact), "value": self.value,
      "signer": ["name": .string(self.signerName), "role": .string(self.signerRole)],
      "issued": .string(self.issued.description), "expires": JSON(self.expires?.description),
      "accepted_sha256": JSON(self.accepted?.hexadecimal), "signature": self.signature?.signature.json ?? .null,
      "signed_sha256": JSON(self.signature?.signed.hexadecimal), "verified_signer": JSON(self.signature?.signer),
    ]
  }
}

extension Gate {
  /// Records a statement about the operator or a customer. It counts from the next request on.
  ///
  /// A fact that no term file in force asks for is refused: a statement nobody reads helps nobody.
  public func attest(_ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    let now = self.now()
    let attestation = try self.attestation(body, path: "", subject: nil, at: now)
    var customer: CustomerID?
    if case .party(let name) = attestation.subject, let id = CustomerID(name) {
      customer = try self.knownCustomer(id).id
    }
    try await self.commit([self.object(for: attestation, customer: customer)], by: actor)
    let others = self.state.withLock { $0.conflicts(of: attestation.fact, about: attestation.subject, at: now) }
    guard !others.isEmpty, case .object(let members) = attestation.json else { return attestation.json }
    return .object(members + [JSONMember("conflicts_with", .array(others.map { .string($0.reference) }))])
  }

  /// The statements on record about a subject, or all; the newest first, with whether each still holds.
  public func attestations(about subject: String?) -> [JSON] {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      let bodies = state.statements.filter { $0.kind == .attestation }.map(\.body).filter { body in
        subject.map { body["subject"] == .string($0) } ?? true
      }
      return bodies.reversed().map { body in
        guard case .object(let members) = body, case .string(let expires)? = body["expires"] else { return body }
        let isOver = Timestamp(expires).map { $0 <= now } ?? false
        return .object(members + [JSONMember("state", isOver ? "expired" : "recorded")])
      }
    }
  }

  /// Records an event that ends a license for a party from a date on.
  public func terminate(_ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    let now = self.now()
    let termination = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      let subject = try reader.subject("subject")
      let terms = TermFileID(try reader.string("terms"))
      let fact = try reader.string("fact")
      let day = try reader.timestamp("on").day
      try reader.finish()
      guard let key = self.eventKey(fact, in: terms, at: now) else {
        throw reader.failure("fact", "'\(fact)' is no dated event that the terms '\(terms)' read")
      }
      return StoredTermination(id: self.makeID(at: now), subject: subject, terms: terms, fact: key, on: day, recordedAt: now)
    }
    if case .party(let name) = termination.subject, let id = CustomerID(name) { _ = try self.knownCustomer(id) }
    let object = self.stored(.termination, id: termination.id.description, customer: nil, body: termination.json)
    try await self.commit([(object, .termination, [JSONMember("termination", termination.json)])], by: actor)
    return termination.json
  }

  /// The standing of a customer and a model, compiled or remembered.
  ///
  /// - Parameter action: What the customer is to do; the act that the model is served for if left out.
  public func standing(of customer: CustomerID, model: ModelID, action: Action? = nil) throws(Refusal) -> Standing {
    _ = try self.knownCustomer(customer)
    guard let served = self.state.withLock({ $0.models[model] }) else {
      throw Refusal(.modelNotFound, "There is no model '\(model)'.", parameter: "model")
    }
    return self.standing(of: customer, model: served, action: action ?? served.action).standing
  }

  func object(
    for attestation: StoredAttestation, customer: CustomerID?
  ) -> (StoredObject, LogEntry.EntryType, [JSONMember]) {
    let object = self.stored(.attestation, id: attestation.id.description, customer: customer, body: attestation.json)
    var fields = [
      JSONMember("subject", .string(attestation.subject.description)), JSONMember("fact", .string(attestation.fact)),
      JSONMember("value", attestation.value),
    ]
    if let expires = attestation.expires { fields.append(JSONMember("expires", .string(expires.description))) }
    if let accepted = attestation.accepted { fields.append(JSONMember("accepted_sha256", .string(accepted.hexadecimal))) }
    if let signature = attestation.signature {
      fields.append(JSONMember("verified_signer", .string(signature.signer)))
      fields.append(JSONMember("signed_sha256", .string(signature.signed.hexadecimal)))
    }
    return (object, attestation.accepted == nil ? .attestation : .acceptance, fields)
  }

  /// Reads an attestation and checks it against the term file that asks for the fact.
  func attestation(
    _ body: Document, path: String, subject given: Subject?, at now: Timestamp
  ) throws(Refusal) -> StoredAttestation {
    let signature = try self.signature(of: body, path: path)
    var attestation = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body, path: path)
      _ = reader.document("signature")
      let named = reader.document("subject") == nil ? nil : try reader.subject("subject")
      guard let subject = named ?? given else { throw reader.failure("subject", "is missing") }
      if let given, subject != given { throw reader.failure("subject", "must be left out here: it is the new customer") }
      let fact = try reader.string("fact")
      let value = try reader.required("value")
      var signer = try reader.reader("signer")
      let name = try signer.title("name")
      let role = try signer.title("role")
      try signer.finish()
      let expires = try reader.optionalTimestamp("expires")
      try reader.finish()
      guard let (file, declaration) = self.declaration(of: fact, at: now), declaration.accepts(.attestation) else {
        throw reader.failure("fact", self.unknownFact(fact, at: now))
      }
      _ = try FactValue(value, for: declaration, path: reader.field("value"))
      if let expires, expires <= now { throw reader.failure("expires", "is in the past") }
      return StoredAttestation(
        id: self.makeID(at: now), subject: subject, fact: fact, value: JSON(value), signerName: name, signerRole: role,
        issued: now,
        expires: Self.end(expires, declaration, from: now),
        accepted: declaration.expiresOnDocumentChange ? file.documentsDigest : nil)
    }
    attestation.signature = signature
    return attestation
  }

  /// Checks the signature of a statement, where it has one. It is over the canonical JSON of all other members, as they were sent.
  private func signature(of body: Document, path: String) throws(Refusal) -> VerifiedSignature? {
    guard case .map(let members) = body.content, let given = members.first(where: { $0.key == "signature" })?.value else {
      return nil
    }
    let place = path.isEmpty ? "signature" : "\(path).signature"
    let signature = try self.reading { () throws(DocumentError) in try StatementSignature(given, path: place) }
    let rest = Document(.map(members.filter { $0.key != "signature" }), position: body.position)
    guard members.contains(where: { $0.key == "subject" }) else {
      throw Refusal(
        .invalidRequest, "A signed statement must name its subject, or the signature would serve for anyone.", parameter: place)
    }
    let content = JSON(rest).canonicalBytes
    let signed = self.environment.digest(content)
    guard !self.state.withLock({ $0.signedStatements.contains(signed) }) else {
      throw Refusal(
        .conflict, "This signed statement is on record already. A new one needs a signature of its own.", parameter: place)
    }
    do {
      return VerifiedSignature(
        signature: signature, signed: signed, signer: try self.environment.verifySignature(signature, content))
    } catch let refusal as Refusal {
      throw refusal
    } catch {
      throw Refusal(
        .invalidRequest,
        "The signature does not belong to this statement: \(error). It must be over the canonical JSON (RFC 8785) of the statement without 'signature'.",
        parameter: place)
    }
  }

  /// The acceptances that a term file asks for, stated at once.
  func acceptance(
    of terms: TermFileID, by subject: Subject, signer: String, at now: Timestamp
  ) throws(Refusal) -> [StoredAttestation] {
    guard let file = self.state.withLock({ $0.terms[terms] }) else {
      throw Refusal(.notFound, "There is no term file '\(terms)' in force.", parameter: "accept_terms")
    }
    return file.facts.filter { $0.isPerTermFile && $0.expiresOnDocumentChange && $0.type == .bool }.map { declaration in
      StoredAttestation(
        id: self.makeID(at: now), subject: subject, fact: file.externalKey(for: declaration, at: now), value: true,
        signerName: signer, signerRole: "customer", issued: now, expires: Self.end(nil, declaration, from: now),
        accepted: file.documentsDigest)
    }
  }

  /// A record ends when it says so or when its kind does, whichever is first.
  private static func end(_ given: Timestamp?, _ declaration: FactDeclaration, from now: Timestamp) -> Timestamp? {
    let own = declaration.expiresAfterDays.map { now.advanced(by: .seconds($0 * 86_400)) }
    switch (given, own) {
    case (let given?, let own?): return min(given, own)
    case (let given, let own): return given ?? own
    }
  }

  private func declaration(of fact: String, at now: Timestamp) -> (TermFile, FactDeclaration)? {
    self.state.withLock { $0.declaration(of: fact, at: now) }
  }

  /// The key under which a dated event is recorded, named as the term file names it or in full.
  private func eventKey(_ fact: String, in terms: TermFileID, at now: Timestamp) -> String? {
    guard let file = self.termFile(terms) else { return nil }
    let named = file.facts.first { $0.key == fact } ?? file.declaration(forExternalKey: fact)
    guard let named, named.type == .date, named.accepts(.event) else { return nil }
    return file.externalKey(for: named, at: now)
  }

  private func unknownFact(_ fact: String, at now: Timestamp) -> String {
    let known = self.state.withLock { state in
      state.terms.values.flatMap { file in file.facts.map { file.externalKey(for: $0, at: now) } }
    }
    let near = nearestName(to: fact, among: known).map { "; did you mean '\($0)'?" } ?? ""
    return "'\(fact)' is not a fact that any term file in force takes from an attestation\(near)"
  }
}

/// A dated event that ends a license, as stored.
struct StoredTermination: Sendable {
  var id: TerminationID
  var subject: Subject
  var terms: TermFileID
  var fact: String
  var on: CalendarDay
  var recordedAt: Timestamp

  var json: JSON {
    [
      "id": .string(self.id.description), "object": "termination", "subject": .string(self.subject.description),
      "terms": .string(self.terms.name), "fact": .string(self.fact), "on": .string(self.on.description),
      "recorded_at": .string(self.recordedAt.description),
    ]
  }
}

extension GateState {
  func declaration(of fact: String, at now: Timestamp) -> (TermFile, FactDeclaration)? {
    for file in self.terms.values.sorted(by: { $0.id < $1.id }) {
      if let declaration = file.declaration(forExternalKey: fact) { return (file, declaration) }
    }
    return nil
  }

  mutating func take(attestation document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let id: AttestationID = try reader.identifier("id")
    _ = try reader.string("object")
    let subject = try reader.subject("subject")
    let key = try reader.string("fact")
    let value = try reader.required("value")
    _ = try reader.reader("signer")
    let issued = try reader.timestamp("issued")
    let expires = try reader.optionalTimestamp("expires")
    let accepted = try reader.optionalString("accepted_sha256").flatMap { Digest(hexadecimal: $0) }
    _ = reader.document("signature")
    if let signed = try reader.optionalString("signed_sha256").flatMap({ Digest(hexadecimal: $0) }) {
      self.signedStatements.insert(signed)
    }
    _ = try reader.optionalString("verified_signer")
    try reader.finish()
    // A fact that no term file in force reads any more stays in the log and the store, and decides nothing.
    guard let (_, declaration) = self.declaration(of: key, at: issued) else { return }
    let fact = Fact(
      key: key, value: try FactValue(value, for: declaration), source: .attestation, reference: id.description,
      recordedAt: issued,
      expires: expires, acceptedDigest: accepted)
    self.facts.add(fact, to: subject)
    self.forgetStandings(of: subject)
  }

  mutating func take(termination document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let id: TerminationID = try reader.identifier("id")
    _ = try reader.string("object")
    let subject = try reader.subject("subject")
    _ = try reader.string("terms")
    let key = try reader.string("fact")
    let day = try reader.timestamp("on").day
    let recordedAt = try reader.timestamp("recorded_at")
    try reader.finish()
    let fact = Fact(key: key, value: .day(day), source: .event, reference: id.description, recordedAt: recordedAt)
    self.facts.add(fact, to: subject)
    self.forgetStandings(of: subject)
  }

  /// Standing verdicts that rested on the facts of a subject, or of an affiliate of it, are compiled anew at their next use.
  mutating func forgetStandings(of subject: Subject) {
    guard case .party = subject, !self.isAffiliate(subject, of: .operator) else { return self.forgetAllStandings() }
    let touched = Set(self.group(of: subject, by: self.groupings, on: self.lastTime.day).map(\.description))
    self.standings = self.standings.filter { !touched.contains($0.key.customer.description) }
  }

  /// Whether what is known of a party goes into numbers of another.
  private func isAffiliate(_ subject: Subject, of other: Subject) -> Bool {
    self.group(of: other, by: self.groupings, on: self.lastTime.day).contains(subject)
  }

  /// Everything is compiled anew: what was known of the operator, of the term files, of grants or of affiliates has changed.
  mutating func forgetAllStandings() {
    self.standings.removeAll()
    self.plans.removeAll()
  }
}

extension DocumentReader {
  /// `operator`, or a customer's id.
  mutating func subject(_ key: String) throws(DocumentError) -> Subject {
    let text = try self.string(key)
    if text == "operator" { return .operator }
    guard let id = CustomerID(text) else { throw self.failure(key, "'operator' or a customer's id belongs here") }
    return .party(id.description)
  }
}
