public import Documents
internal import GovernanceTypes

/// Something that nobody asked for and somebody should see: it goes to the operator's log, into a counter and into the audit log.
public struct Alert: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// A count has come to 50, 80, 90 or 95 % of a cap, or to the cap.
    case capNearing = "audience.cap_nearing"
    /// A measured count is above what a party has attested.
    case attestationRefuted = "attestation.refuted"
    /// A license has ended: the materials are to be deleted.
    case licenseEnded = "license.ended"
  }

  public var kind: Kind
  /// What it is about, for the log: names and numbers, no end user.
  public var fields: [JSONMember]

  public init(_ kind: Kind, _ fields: [JSONMember]) {
    self.kind = kind
    self.fields = fields
  }
}

extension Gate {
  /// Tells of something: in the audit log, in the counters, and to whoever listens.
  func tell(_ alert: Alert, at now: Timestamp) {
    _ = self.journal.submit([
      JournalRecord(LogEntry(.admin, at: now, [JSONMember("act", .string(alert.kind.rawValue))] + alert.fields))
    ])
    self.counters.alert(alert.kind)
    self.environment.alert(alert)
  }
}
