internal import AcceptableUse
public import Documents
public import GovernanceTypes
internal import Synchronization

extension Gate {
  /// Records that a customer may do what the policy forbids others, on evidence and for a time. It counts once another person has
  /// confirmed it.
  public func recordExemption(_ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    let now = self.now()
    let exemption = try self.reading { () throws(DocumentError) in
      try StoredExemption(request: body, id: self.makeID(at: now), by: actor, at: now)
    }
    _ = try self.knownCustomer(exemption.customer)
    let known = self.acceptableUse.uses
    if let use = exemption.uses.first(where: { !known.contains($0) }) {
      let all = known.sorted().map(\.name).joined(separator: ", ")
      throw Refusal(.invalidRequest, "Nothing looks for the use '\(use)'. Looked for are: \(all).", parameter: "uses")
    }
    let unwaivable = self.state.withLock { $0.conduct.unwaivable }
    do throws(AcceptableUseError) {
      _ = try exemption.exemption(approvers: [actor.name, "another person"], unwaivable: unwaivable)
    } catch {
      throw Refusal(.invalidRequest, "The \(error.message).")
    }
    try await self.write(exemption, by: actor)
    return exemption.json
  }

  public func exemptions() -> [JSON] {
    self.state.withLock { $0.conduct.exemptions.values.sorted { $0.id < $1.id }.map(\.json) }
  }

  /// - Throws: ``Refusal`` where the one who confirms is the one who recorded it.
  public func confirmExemption(_ id: ExemptionID, by actor: Actor) async throws(Refusal) -> JSON {
    var exemption = try self.knownExemption(id)
    try exemption.eyes.confirm("The exemption \(id)", by: actor)
    try await self.write(exemption, by: actor)
    return exemption.json
  }

  /// Ends an exemption now.
  public func revokeExemption(_ id: ExemptionID, by actor: Actor) async throws(Refusal) -> JSON {
    var exemption = try self.knownExemption(id)
    try exemption.eyes.revoke("The exemption \(id)", at: self.now())
    try await self.write(exemption, by: actor)
    return exemption.json
  }

  private func knownExemption(_ id: ExemptionID) throws(Refusal) -> StoredExemption {
    guard let exemption = self.state.withLock({ $0.conduct.exemptions[id] }) else {
      throw Refusal(.notFound, "There is no exemption \(id).")
    }
    return exemption
  }

  private func write(_ exemption: StoredExemption, by actor: Actor) async throws(Refusal) {
    let object = self.stored(.exemption, id: exemption.id.description, customer: exemption.customer, body: exemption.json)
    try await self.commit(
      [(object, .admin, [JSONMember("act", "exemption"), JSONMember("exemption", exemption.json)])], by: actor)
  }
}
