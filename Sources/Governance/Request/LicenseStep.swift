internal import AcceptableUse
internal import Documents
internal import GovernanceTypes
public import LicenseTerms
internal import Synchronization

extension Gate {
  /// Looks up the standing verdict; compiles and records it first where there is none that holds.
  ///
  /// A verdict is cited only once its entry is in the log: the first request after a change waits for that, the others find it there.
  func askLicense(_ dossier: inout Dossier) async throws(Refusal) {
    let recorded = self.standing(of: dossier.caller.customer.id, model: dossier.model, action: dossier.model.action)
    if recorded.ticket.outcome == nil || recorded.isLost {
      do { try await recorded.ticket.durable() } catch { throw Refusal(error) }
    }
    dossier.standing = recorded
    guard recorded.standing.verdict != .allow else { return }
    throw await self.refuse(dossier, Refusal(recorded.standing), verdict: recorded.standing.verdict.rawValue, moment: .request)
  }

  /// The standing verdict of a customer, a model and an action, from memory where one holds. O(1) then.
  ///
  /// One whose log entry did not reach the disk is compiled and recorded anew.
  func standing(of customer: CustomerID, model: ServedModel, action: Action) -> RecordedStanding {
    let key = StandingKey(customer: customer, model: model.id, action: action)
    return self.state.withLock { state in
      let now = state.tick(self.environment.now())
      if let known = state.standings[key], known.holds(at: now), !known.isLost { return known }
      let id: StandingID = self.makeID(at: now)
      let (standing, watches) = self.compile(customer, model, action, state: state, at: now)
      let entry = standing.entry(id, customer: customer, model: model.id, at: now)
      let fresh = RecordedStanding(
        id: id, standing: standing, at: now, ticket: self.journal.submit([JournalRecord(entry)]), watches: watches)
      self.tellRefuted(fresh, of: customer, model: model.id, instead: state.standings[key])
      state.standings[key] = fresh
      state.watch(fresh)
      return fresh
    }
  }

  private func compile(
    _ customer: CustomerID, _ model: ServedModel, _ action: Action, state: GateState, at now: Timestamp
  ) -> (Standing, [AudienceWatch]) {
    let party = Subject.party(customer.description)
    let terms = model.terms.compactMap { state.terms[$0] }
    let counted = state.measured(party, terms: terms, parameters: self.policy.parameters, at: now)
    let countedOfOperator = state.measured(.operator, terms: terms, parameters: self.policy.parameters, at: now)
    let stated = state.groupFacts(of: party, terms: terms, parameters: self.policy.parameters, at: now)
    let standing = LicenseTerms.standing(
      of: StandingRequest(
        party: Party(id: customer.description, facts: state.facts.sheet(of: party).adding(counted.facts + stated)),
        operator: state.facts.sheet(of: .operator).adding(countedOfOperator.facts),
        model: GovernedModel(name: model.id.name, facts: model.facts), terms: terms, parameters: self.policy.parameters,
        action: action, exceptions: state.facts.grants, at: now))
    return (standing, counted.watches + countedOfOperator.watches)
  }

  /// Tells that what was counted contradicts what was stated, once for each fact: the earlier verdict did not say so.
  private func tellRefuted(
    _ fresh: RecordedStanding, of customer: CustomerID, model: ModelID, instead earlier: RecordedStanding?
  ) {
    let known = Set(earlier?.contradicted.map(\.fact) ?? [])
    for result in fresh.contradicted where !known.contains(result.fact) {
      self.tell(
        Alert(
          .attestationRefuted,
          [
            JSONMember("customer", .string(customer.description)), JSONMember("model", .string(model.name)),
            JSONMember("subject", .string(result.party.description)), JSONMember("fact", JSON(result.fact)),
            JSONMember("terms", .string(result.termFile.name)), JSONMember("clause", .string(result.clause)),
            JSONMember("standing", .string(fresh.id.description)),
          ]), at: fresh.at)
    }
  }

  /// Records a refusal and gives it its decision id. A refusal for pace alone does not wait for the disk.
  func refuse(
    _ dossier: Dossier, _ refusal: Refusal, verdict: String, moment: Moment, assessment: Assessment? = nil
  ) async -> Refusal {
    var refusal = refusal
    refusal.decision = dossier.decision
    let ticket = self.state.withLock { state in
      let now = state.tick(self.environment.now())
      let entry = dossier.decisionEntry(moment: moment, verdict: verdict, refusal: refusal, assessment: assessment, at: now)
      return self.journal.submit([JournalRecord(entry, effects: dossier.counted?.effects ?? [])])
    }
    self.counters.request(outcome: refusal.code.rawValue)
    self.counters.decision(
      moment: moment.rawValue, verdict: verdict, license: refusal.citation?.terms.name ?? "",
      clause: refusal.citation?.clause ?? "")
    guard refusal.code != .rateLimitExceeded else { return refusal }
    do {
      try await ticket.durable()
      return refusal
    } catch {
      self.uncount(dossier.counted)
      return Refusal(error)
    }
  }
}

extension Standing {
  /// The log entry of a verdict, in full: decisions cite it by its id.
  fileprivate func entry(_ id: StandingID, customer: CustomerID, model: ModelID, at now: Timestamp) -> LogEntry {
    LogEntry(
      .standing, at: now,
      [
        JSONMember("id", .string(id.description)), JSONMember("customer", .string(customer.description)),
        JSONMember("model", .string(model.name)), JSONMember("standing", self.json),
      ], lookup: id.description)
  }
}

extension Refusal {
  /// What a party is told whose standing is not to allow.
  init(_ standing: Standing) {
    let code: Code =
      switch standing.code {
      case .notAccepted: .licenseNotAccepted
      case .terminated: .licenseTerminated
      case .terms, nil: .licenseTerms
      }
    guard let deciding = standing.deciding else {
      self.init(code, "The license of this model does not allow the request.")
      return
    }
    self.init(
      code, Self.sentence(deciding, missing: standing.missing.count), citation: Citation(deciding))
  }

  private static func sentence(_ result: ClauseResult, missing: Int) -> String {
    let others = missing > 1 ? " \(missing) records are missing in all." : ""
    let remedy = result.remedy.map { " \($0)" } ?? ""
    return "The license terms '\(result.termFile)', \(result.ref), do not let this request through: \(result.summary)"
      + " State: \(result.state.rawValue).\(remedy)\(others)"
  }
}

extension Refusal.Citation {
  public init(_ result: ClauseResult) {
    self.init(
      terms: result.termFile, clause: result.clause, ref: result.ref, fact: result.fact, state: result.state.rawValue,
      remedy: result.remedy)
  }
}
