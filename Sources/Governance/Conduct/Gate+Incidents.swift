internal import AcceptableUse
public import Documents
public import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

extension Gate {
  /// Records that a decision is to be reported: `{"decision","uses","recipient","due_by"}`.
  ///
  /// Where a finding carries a duty to report by itself, the report is opened with the decision.
  public func openIncident(_ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    let now = self.now()
    let report = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      let decision: DecisionID = try reader.identifier("decision")
      let uses = try reader.strings("uses")
      guard (1...64).contains(uses.count) else { throw reader.failure("uses", "1 to 64 uses belong here") }
      let recipient = try reader.title("recipient")
      let due = try reader.timestamp("due_by")
      try reader.finish()
      let id: IncidentID = self.makeID(at: now)
      return IncidentReport(
        id: id.description, decision: decision.description, uses: uses.map(ProhibitedUseID.init), recipient: recipient, dueBy: due
      )
    }
    guard let decision = DecisionID(report.decision) else { throw Refusal(.notFound, "There is no such decision.") }
    let entry = try await self.decision(decision)
    var customer: CustomerID?
    if case .string(let text)? = entry["customer"] { customer = CustomerID(text) }
    let stored = StoredIncident(report, customer: customer)
    try await self.commit([self.item(stored)], by: actor)
    return stored.json
  }

  public func incidents() -> [JSON] {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      return state.conduct.incidents.values.sorted { $0.report.id < $1.report.id }.map { incident in
        guard case .object(let members) = incident.json else { return incident.json }
        return .object(members + [JSONMember("overdue", .bool(incident.report.isOverdue(at: now)))])
      }
    }
  }

  /// Records that a report was sent: `{"receipt_sha256"}`, the digest of what was sent.
  public func sendIncident(_ id: IncidentID, _ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    guard var incident = self.state.withLock({ $0.conduct.incidents[id.description] }) else {
      throw Refusal(.notFound, "There is no incident \(id).")
    }
    let now = self.now()
    let receipt = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      guard let digest = Digest(hexadecimal: try reader.string("receipt_sha256")) else {
        throw reader.failure("receipt_sha256", "64 hexadecimal digits belong here: the SHA-256 of what was sent")
      }
      try reader.finish()
      return digest
    }
    do throws(AcceptableUseError) { try incident.report.markSent(at: now, by: actor.name, receipt: receipt) } catch {
      throw Refusal(.conflict, "The report cannot be marked as sent: \(error.message).")
    }
    try await self.commit([self.item(incident)], by: actor)
    return incident.json
  }

  private func item(
    _ incident: StoredIncident
  ) -> (object: StoredObject, type: LogEntry.EntryType, fields: [JSONMember]) {
    let object = self.stored(.incident, id: incident.report.id, customer: incident.customer, body: incident.json)
    return (object, .admin, [JSONMember("act", "incident"), JSONMember("incident", incident.json)])
  }

  /// How long a report that a finding calls for may take, in seconds.
  private static let reportWithin: Int64 = 86_400

  /// The report that an enforced finding calls for by itself, taken into memory at once and given to be written with the decision;
  /// nil where its uses carry no such duty.
  func incident(for finding: Assessment, _ dossier: Dossier, state: inout GateState, at now: Timestamp) -> JournalRecord? {
    let found = Set(finding.flaggedUses)
    let duties = dossier.model.terms.compactMap { state.terms[$0] }.flatMap(\.uses).filter { use in
      use.duty != nil && found.contains(ProhibitedUseID(use.id))
    }
    guard let duty = duties.first?.duty else { return nil }
    let id: IncidentID = self.makeID(at: now)
    let incident = StoredIncident(
      IncidentReport(
        id: id.description, decision: dossier.decision.description, uses: duties.map { ProhibitedUseID($0.id) }, recipient: duty,
        dueBy: Timestamp(seconds: now.seconds + Self.reportWithin)), customer: dossier.caller.customer.id)
    let item = self.item(incident)
    state.conduct.put(incident)
    let commitment = item.object.commitment(self.environment.digest).hexadecimal
    return JournalRecord(
      LogEntry(
        item.type, at: now,
        [
          JSONMember("id", .string(incident.report.id)), JSONMember("actor", "gate"),
          JSONMember("commitment", .string(commitment)),
          JSONMember("customer", .string(dossier.caller.customer.id.description)),
        ] + item.fields), effects: [.object(item.object)])
  }
}
