internal import AcceptableUse
internal import Documents
internal import GovernanceTypes
public import LicenseTerms
internal import Synchronization

extension Gate {
  /// Looks up the standing verdict; compiles and records it first where there is none that holds.
  func askLicense(_ dossier: inout Dossier) async throws(Refusal) {
    let recorded = self.standing(of: dossier.caller.customer.id, model: dossier.model)
    dossier.standing = recorded
    guard recorded.standing.verdict != .allow else { return }
    throw await self.refuse(dossier, Refusal(recorded.standing), verdict: recorded.standing.verdict.rawValue, moment: .request)
  }

  /// The standing verdict of a customer and a model, from memory where one holds. O(1) then.
  func standing(of customer: CustomerID, model: ServedModel) -> RecordedStanding {
    let key = StandingKey(customer: customer, model: model.id)
    return self.state.withLock { state in
      let now = state.tick(self.environment.now())
      if let known = state.standings[key], known.holds(at: now) { return known }
      let fresh = RecordedStanding(
        id: self.makeID(at: now), standing: self.compile(customer, model, state: state, at: now), at: now)
      state.standings[key] = fresh
      _ = self.journal.submit([JournalRecord(fresh.entry(customer: customer, model: model.id))])
      return fresh
    }
  }

  private func compile(_ customer: CustomerID, _ model: ServedModel, state: GateState, at now: Timestamp) -> Standing {
    let name = customer.description
    return LicenseTerms.standing(
      of: StandingRequest(
        party: Party(id: name, facts: state.facts.sheet(of: .party(name))), operator: state.facts.sheet(of: .operator),
        model: GovernedModel(name: model.id.name, facts: model.facts), terms: model.terms.compactMap { state.terms[$0] },
        parameters: self.policy.parameters, action: .use, exceptions: state.facts.grants, at: now))
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
      return Refusal(error)
    }
  }
}

extension RecordedStanding {
  func entry(customer: CustomerID, model: ModelID) -> LogEntry {
    LogEntry(
      .standing, at: self.at,
      [
        JSONMember("id", .string(self.id.description)), JSONMember("customer", .string(customer.description)),
        JSONMember("model", .string(model.name)), JSONMember("standing", self.standing.json),
      ], lookup: self.id.description)
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
