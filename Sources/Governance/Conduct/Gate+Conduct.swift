internal import AcceptableUse
public import Documents
public import GovernanceTypes
internal import Synchronization

extension Gate {
  /// The acceptable-use policy for a customer as it holds now.
  func conduct(of customer: CustomerID) -> EffectiveConduct {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      return state.conduct.effective(for: customer, base: self.acceptableUse, at: now)
    }
  }

  /// Sets modes and the hold of streams, for everybody or for one customer, in place of what was set there before:
  /// `{"modes":{"rules","uses","classifier"},"stream":{"hold","maximum_bytes"},"replay":{…}}`.
  ///
  /// What comes to be enforced needs a replay whose figures pass the promotion gate; what nothing permits stays enforced.
  public func setConduct(of customer: CustomerID?, _ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    if let customer { _ = try self.knownCustomer(customer) }
    let now = self.now()
    let conduct = try self.reading { () throws(DocumentError) in
      try StoredConduct(request: body, customer: customer, by: actor, at: now)
    }
    try self.checkNames(conduct.modes)
    try self.checkPromotion(conduct)
    let object = self.stored(.conduct, id: conduct.id, customer: customer, body: conduct.json)
    try await self.commit(
      [(object, .admin, [JSONMember("act", "acceptable_use"), JSONMember("modes", conduct.modes.json)])], by: actor)
    return conduct.json
  }

  /// What was set for everybody or for one customer, with what is enforced now; the packs' own modes where nothing was set.
  public func conduct(of customer: CustomerID?) throws(Refusal) -> JSON {
    if let customer { _ = try self.knownCustomer(customer) }
    return self.state.withLock { state in
      let policy = state.conduct.policy(for: customer, base: self.acceptableUse)
      let set = state.conduct.settings[customer?.description ?? StoredConduct.everybody]?.json
      return [
        "object": "acceptable_use", "customer": JSON(customer?.description), "set": set ?? .null,
        "enforced": .array(policy.enforced.keys.sorted().map(JSON.string)),
        "demoted": .array(state.conduct.demoted.sorted().map(JSON.string)),
      ]
    }
  }

  private func checkNames(_ modes: PolicySettings) throws(Refusal) {
    let rules = self.acceptableUse.ruleNames
    for rule in modes.rules.keys.sorted() where !rules.contains(rule) {
      let near = nearestName(to: rule, among: rules).map { " Did you mean '\($0)'?" } ?? ""
      throw Refusal(.invalidRequest, "No pack in force has the rule '\(rule)' (pack/rule).\(near)", parameter: "modes.rules")
    }
    let uses = self.acceptableUse.uses
    for use in modes.uses.keys.sorted() where !uses.contains(use) {
      let known = uses.sorted().map(\.name).joined(separator: ", ")
      throw Refusal(.invalidRequest, "Nothing looks for the use '\(use)'. Looked for are: \(known).", parameter: "modes.uses")
    }
    if modes.classifier != nil, self.acceptableUse.classifier == nil {
      throw Refusal(.invalidRequest, "The classifier is switched off, so it has no mode.", parameter: "modes.classifier")
    }
  }

  /// Compares what would be enforced with what is.
  private func checkPromotion(_ conduct: StoredConduct) throws(Refusal) {
    let (before, after, unwaivable) = self.state.withLock { state in
      var candidate = state.conduct
      candidate.put(conduct)
      return (
        state.conduct.policy(for: conduct.customer, base: self.acceptableUse).enforced,
        candidate.policy(for: conduct.customer, base: self.acceptableUse).enforced, state.conduct.unwaivable
      )
    }
    for (rule, uses) in before.sorted(by: { $0.key < $1.key }) where after[rule] == nil {
      guard let use = uses.intersection(unwaivable).min() else { continue }
      throw Refusal(
        .invalidRequest, "The rule '\(rule)' looks for the use '\(use)', which nothing permits; it stays in mode enforce.",
        parameter: "modes")
    }
    // What the packs ship enforced may come back without evidence.
    let promoted = Set(after.keys).subtracting(before.keys).subtracting(self.acceptableUse.enforced.keys)
    guard !promoted.isEmpty else { return }
    guard let replay = conduct.replay else {
      throw Refusal(
        .invalidRequest,
        "This would come to be enforced: \(promoted.sorted().joined(separator: ", ")). Give the figures of 'policy replay' as 'replay'.",
        parameter: "replay")
    }
    try self.check(replay, for: conduct.modes)
  }

  private func check(_ replay: JSON, for modes: PolicySettings) throws(Refusal) {
    let asked = self.environment.digest(modes.json.canonicalBytes).hexadecimal
    guard replay["settings_sha256"] == .string(asked) else {
      throw Refusal(
        .invalidRequest, "The replay is not of these modes: their SHA-256 is \(asked). Run 'policy replay' with them.",
        parameter: "replay.settings_sha256")
    }
    let figures = try self.reading { () throws(DocumentError) in try PolicyReplay(try Document.parseJSON(replay.bytes)) }
    let objections = PromotionGate().objections(figures)
    guard objections.isEmpty else {
      throw Refusal(.conflict, "Not promoted: \(objections.joined(separator: "; ")).", parameter: "replay")
    }
  }
}
