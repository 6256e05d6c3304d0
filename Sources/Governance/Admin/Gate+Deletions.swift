public import Documents
internal import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

/// That a party deleted the materials of a license, as stored.
struct StoredDeletion: Sendable {
  var id: DeletionID
  var subject: Subject
  var terms: TermFileID
  var models: [String]
  var files: [Digest]
  var person: String
  var deletedOn: CalendarDay
  var recordedAt: Timestamp

  var json: JSON {
    [
      "id": .string(self.id.description), "object": "deletion", "subject": .string(self.subject.description),
      "terms": .string(self.terms.name), "models": .array(self.models.map(JSON.string)),
      "files_sha256": .array(self.files.map { .string($0.hexadecimal) }), "by": .string(self.person),
      "on": .string(self.deletedOn.description), "recorded_at": .string(self.recordedAt.description),
    ]
  }

  init(request document: Document, id: DeletionID, at now: Timestamp) throws(DocumentError) {
    var reader = try DocumentReader(document)
    try self.init(&reader, id: id, recordedAt: now)
    guard self.deletedOn <= now.day else { throw reader.failure("on", "is still to come") }
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let id: DeletionID = try reader.identifier("id")
    _ = try reader.string("object")
    try self.init(&reader, id: id, recordedAt: try reader.timestamp("recorded_at"))
  }

  private init(_ reader: inout DocumentReader, id: DeletionID, recordedAt: Timestamp) throws(DocumentError) {
    self.id = id
    self.recordedAt = recordedAt
    self.subject = try reader.subject("subject")
    self.terms = TermFileID(try reader.string("terms"))
    self.models = try reader.strings("models")
    var files: [Digest] = []
    for text in try reader.strings("files_sha256") {
      guard let digest = Digest(hexadecimal: text) else {
        throw reader.failure("files_sha256", "a SHA-256 of 64 hexadecimal digits belongs here for each file that was deleted")
      }
      files.append(digest)
    }
    guard !files.isEmpty, files.count <= 10_000 else {
      throw reader.failure("files_sha256", "name 1 to 10000 files by their SHA-256: they are the proof of what was deleted")
    }
    self.files = files
    self.person = try reader.title("by")
    self.deletedOn = try reader.timestamp("on").day
    try reader.finish()
  }
}

extension Gate {
  /// Records that the materials were deleted, as a license asks once it has ended.
  public func recordDeletion(_ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    let now = self.now()
    let deletion = try self.reading { () throws(DocumentError) in
      try StoredDeletion(request: body, id: self.makeID(at: now), at: now)
    }
    if case .party(let name) = deletion.subject, let id = CustomerID(name) { _ = try self.knownCustomer(id) }
    guard self.termFile(deletion.terms) != nil else {
      throw Refusal(.notFound, "There is no term file '\(deletion.terms)' in force.", parameter: "terms")
    }
    let object = self.stored(.deletion, id: deletion.id.description, customer: nil, body: deletion.json)
    try await self.commit(
      [(object, .admin, [JSONMember("act", "deletion"), JSONMember("deletion", deletion.json)])], by: actor)
    return deletion.json
  }

  public func deletions() -> [JSON] { self.state.withLock { $0.bodies(of: .deletion) } }

  /// Licenses that have ended for a party: since when, whether the deletion of the materials is on record, and whether the model
  /// was unloaded.
  public func terminations() -> [JSON] {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      return state.bodies(of: .termination).map { body in
        guard case .object(let members) = body, let subject = body["subject"], let terms = body["terms"] else { return body }
        let day: CalendarDay? = if case .string(let text)? = body["on"] { CalendarDay(text) } else { nil }
        let hasEnded = day.map { $0.start <= now } ?? false
        let isDeleted = state.bodies(of: .deletion).contains { deletion in
          guard deletion["subject"] == subject, deletion["terms"] == terms, case .string(let on)? = deletion["on"],
            let deletedOn = CalendarDay(on)
          else { return false }
          return day.map { deletedOn >= $0 } ?? false
        }
        return .object(
          members + [
            JSONMember("state", hasEnded ? "ended" : "pending"),
            JSONMember("deletion", isDeleted ? "recorded" : hasEnded ? "due" : "not_due"),
          ])
      }
    }
  }
}

extension GateState {
  func bodies(of kind: StoredObject.Kind) -> [JSON] { self.statements.filter { $0.kind == kind }.map(\.body) }

  mutating func take(deletion document: Document) throws(DocumentError) {
    let deletion = try StoredDeletion(stored: document)
    self.forgetStandings(of: deletion.subject)
  }
}
