public import Documents
internal import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

/// That someone read again a document that may change in place, as stored.
struct StoredReview: Sendable {
  var id: ReviewID
  var terms: TermFileID
  var role: String
  var reviewer: String
  /// What was found at the document's address.
  var digest: Digest
  /// Whether the text still is one that the term file was read from.
  var isUnchanged: Bool
  var reviewedAt: Timestamp

  var json: JSON {
    [
      "id": .string(self.id.description), "object": "review", "terms": .string(self.terms.name), "role": .string(self.role),
      "reviewer": .string(self.reviewer), "sha256": .string(self.digest.hexadecimal), "unchanged": .bool(self.isUnchanged),
      "reviewed_at": .string(self.reviewedAt.description),
    ]
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    self.id = try reader.identifier("id")
    _ = try reader.string("object")
    self.terms = TermFileID(try reader.string("terms"))
    self.role = try reader.string("role")
    self.reviewer = try reader.string("reviewer")
    guard let digest = Digest(hexadecimal: try reader.string("sha256")) else {
      throw reader.failure("sha256", "64 hexadecimal digits belong here")
    }
    self.digest = digest
    self.isUnchanged = try reader.optionalBool("unchanged") ?? false
    self.reviewedAt = try reader.timestamp("reviewed_at")
    try reader.finish()
  }

  init(
    id: ReviewID, terms: TermFileID, role: String, reviewer: String, digest: Digest, isUnchanged: Bool, reviewedAt: Timestamp
  ) {
    self.id = id
    self.terms = terms
    self.role = role
    self.reviewer = reviewer
    self.digest = digest
    self.isUnchanged = isUnchanged
    self.reviewedAt = reviewedAt
  }
}

extension Gate {
  /// Records that a document was read again: `{"terms","role","reviewer","sha256"}`. A text that the term file was not read from is
  /// recorded as changed and does not count as a review: the term file has to be read anew from it first.
  public func recordReview(_ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    let now = self.now()
    let review = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      let terms = TermFileID(try reader.string("terms"))
      let role = try reader.string("role")
      let reviewer = try reader.title("reviewer")
      guard let digest = Digest(hexadecimal: try reader.string("sha256")) else {
        throw reader.failure("sha256", "64 hexadecimal digits belong here: the SHA-256 of the text as it is now")
      }
      try reader.finish()
      guard let document = self.termFile(terms)?.documents.first(where: { $0.role == role }) else {
        throw reader.failure("role", "the terms '\(terms)' have no document '\(role)'")
      }
      // A text whose copies nobody has listed can only be compared by the person who reads it.
      let isUnchanged = document.accepted.isEmpty || document.matches(digest)
      return StoredReview(
        id: self.makeID(at: now), terms: terms, role: role, reviewer: reviewer, digest: digest, isUnchanged: isUnchanged,
        reviewedAt: now)
    }
    let object = self.stored(.review, id: review.id.description, customer: nil, body: review.json)
    try await self.commit([(object, .admin, [JSONMember("act", "review"), JSONMember("review", review.json)])], by: actor)
    return review.json
  }

  public func reviews() -> [JSON] { self.state.withLock { $0.bodies(of: .review) } }
}

extension GateState {
  mutating func take(review document: Document) throws(DocumentError) {
    let review = try StoredReview(stored: document)
    guard review.isUnchanged else { return }
    self.facts.add(
      Fact(
        key: "document.reviewed.\(review.terms).\(review.role)", value: .day(review.reviewedAt.day), source: .event,
        reference: review.id.description, recordedAt: review.reviewedAt), to: .operator)
    self.forgetAllStandings()
  }
}
