internal import AcceptableUse
public import Documents
public import GovernanceTypes
internal import Synchronization

extension Gate {
  /// Takes in a customer's word that a decision on one of their requests was a mistake: `{"decision_id","note"}`.
  public func appeal(_ body: Document, from caller: Caller) async throws(Refusal) -> JSON {
    let (decision, note) = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      let decision: DecisionID = try reader.identifier("decision_id")
      let note = try reader.optionalString("note") ?? ""
      try reader.finish()
      return (decision, note)
    }
    let rules = try await self.enforcedRules(of: decision, for: caller.customer.id)
    let now = self.now()
    let isRaised = self.state.withLock { state in
      state.conduct.appeals.values.contains { $0.appeal.decision == decision.description }
    }
    guard !isRaised else {
      throw Refusal(.conflict, "The decision \(decision) has been appealed against already.", parameter: "decision_id")
    }
    let id: AppealID = self.makeID(at: now)
    let appeal: Appeal
    do throws(AcceptableUseError) {
      appeal = try Appeal(id: id.description, decision: decision.description, note: note, at: now)
    } catch {
      throw Refusal(.invalidRequest, "The appeal cannot be taken: \(error.message).", parameter: "note")
    }
    let stored = StoredAppeal(appeal, customer: caller.customer.id, rules: rules)
    try await self.write(stored, by: Actor(caller.key.id.description))
    return appeal.json
  }

  /// Appeals of one customer, or of all; the oldest first.
  public func appeals(of customer: CustomerID? = nil) -> [JSON] {
    self.state.withLock { state in
      state.conduct.appeals.values.filter { customer == nil || $0.customer == customer }.sorted { $0.appeal.id < $1.appeal.id }
        .map { customer == nil ? $0.json : $0.appeal.json }
    }
  }

  /// One appeal of a customer.
  public func appeal(_ id: AppealID, of customer: CustomerID) throws(Refusal) -> JSON {
    let stored = self.state.withLock { $0.conduct.appeals[id.description] }
    guard let stored, stored.customer == customer else { throw Refusal(.notFound, "There is no appeal \(id).") }
    return stored.appeal.json
  }

  /// Decides an appeal, once: `{"outcome":"upheld|overturned|rule_bug","note"}`. A rule that is overturned too often goes back to
  /// mode shadow by itself; the answer names those that have.
  public func decideAppeal(_ id: AppealID, _ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    guard var stored = self.state.withLock({ $0.conduct.appeals[id.description] }) else {
      throw Refusal(.notFound, "There is no appeal \(id).")
    }
    let now = self.now()
    let (outcome, note) = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      let outcome: Appeal.Outcome = try reader.choice("outcome")
      let note = try reader.optionalString("note") ?? ""
      try reader.finish()
      return (outcome, note)
    }
    do throws(AcceptableUseError) { try stored.appeal.close(outcome, by: actor.name, note: note, at: now) } catch {
      throw Refusal(.conflict, "The outcome cannot be taken: \(error.message).")
    }
    try await self.write(stored, by: actor)
    let demoted = self.state.withLock { $0.conduct.demoted }
    guard case .object(let members) = stored.json else { return stored.json }
    return .object(
      members + [JSONMember("demoted", .array(demoted.intersection(stored.rules).sorted().map(JSON.string)))])
  }

  /// What the log says was enforced in a decision on the customer's own request, be it the prompt or the answer.
  private func enforcedRules(of decision: DecisionID, for customer: CustomerID) async throws(Refusal) -> [String] {
    let unknown = Refusal(.notFound, "There is no decision \(decision) on a request of yours.", parameter: "decision_id")
    let entry = try await self.decision(decision)
    guard entry["customer"] == .string(customer.description) else { throw unknown }
    let findings = [entry["acceptable_use"], entry["response"]?["acceptable_use"]].compactMap(\.self)
    var rules: Set<String> = []
    for case .object(let members) in findings {
      guard case .array(let hits)? = members.first(where: { $0.key == "rules" })?.value else { continue }
      for hit in hits where hit["mode"] == .string(RuleMode.enforce.rawValue) {
        if case .string(let pack)? = hit["pack"], case .string(let rule)? = hit["rule"] { rules.insert("\(pack)/\(rule)") }
      }
    }
    guard !rules.isEmpty else {
      throw Refusal(
        .invalidRequest, "The decision \(decision) enforced nothing of the acceptable-use policy.", parameter: "decision_id")
    }
    return rules.sorted()
  }

  private func write(_ appeal: StoredAppeal, by actor: Actor) async throws(Refusal) {
    let object = self.stored(.appeal, id: appeal.appeal.id, customer: appeal.customer, body: appeal.json)
    var fields = [
      JSONMember("act", "appeal"), JSONMember("decision", .string(appeal.appeal.decision)),
      JSONMember("rules", .array(appeal.rules.map(JSON.string))),
    ]
    // What people wrote stays out of the log, whose entries cannot be erased.
    if case .closed(let outcome, _, _, _) = appeal.appeal.state {
      fields.append(JSONMember("outcome", .string(outcome.rawValue)))
    }
    try await self.commit([(object, .admin, fields)], by: actor)
  }
}
