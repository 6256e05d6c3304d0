internal import Documents
internal import GovernanceTypes

/// Who recorded something that counts only once a second person has confirmed it, and until when it counts.
struct FourEyes: Sendable {
  let recordedBy: String
  let recordedAt: Timestamp
  private(set) var confirmedBy: String?
  private(set) var revokedAt: Timestamp?

  init(recordedBy actor: Actor, at now: Timestamp) {
    self.recordedBy = actor.name
    self.recordedAt = now
  }

  /// Reads the members of ``members`` and the status, which follows from them.
  init(stored reader: inout DocumentReader) throws(DocumentError) {
    _ = try reader.string("status")
    self.recordedBy = try reader.string("recorded_by")
    self.recordedAt = try reader.timestamp("recorded_at")
    self.confirmedBy = try reader.optionalString("confirmed_by")
    self.revokedAt = try reader.optionalTimestamp("revoked_at")
  }

  /// Recorded, confirmed or revoked; whether the right has begun or ended is a matter of its dates.
  var status: String { self.revokedAt != nil ? "revoked" : self.confirmedBy == nil ? "recorded" : "confirmed" }

  var members: [JSONMember] {
    [
      JSONMember("recorded_by", .string(self.recordedBy)), JSONMember("recorded_at", .string(self.recordedAt.description)),
      JSONMember("confirmed_by", JSON(self.confirmedBy)), JSONMember("revoked_at", JSON(self.revokedAt?.description)),
    ]
  }

  /// - Parameter what: what is confirmed, with its id, as a sentence begins with it.
  /// - Throws: ``Refusal`` where the one who confirms is the one who recorded it, and where it is not waiting for that.
  mutating func confirm(_ what: String, by actor: Actor) throws(Refusal) {
    guard self.confirmedBy == nil, self.revokedAt == nil else { throw Refusal(.conflict, "\(what) is \(self.status) already.") }
    guard self.recordedBy != actor.name else {
      throw Refusal(
        .permissionDenied,
        "\(what) is confirmed by another person than the one who recorded it (\(self.recordedBy)). Use another admin key.")
    }
    self.confirmedBy = actor.name
  }

  /// - Throws: ``Refusal`` where it was ended before.
  mutating func revoke(_ what: String, at now: Timestamp) throws(Refusal) {
    guard self.revokedAt == nil else { throw Refusal(.conflict, "\(what) is revoked already.") }
    self.revokedAt = now
  }
}
