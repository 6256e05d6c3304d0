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
      let (standing, counted) = Self.compile(customer, model, action, state: &state, at: now)
      let entry = standing.entry(id, customer: customer, model: model.id, at: now)
      let fresh = RecordedStanding(
        id: id, standing: standing, at: now, ticket: self.journal.submit([JournalRecord(entry)]), watches: counted.watches,
        countsUntil: counted.until)
      self.tellRefuted(fresh, of: customer, model: model.id, instead: state.standings[key])
      state.standings[key] = fresh
      state.watch(fresh)
      return fresh
    }
  }

  /// The party's half on the operator's, which is made anew only where it no longer answers.
  private static func compile(
    _ customer: CustomerID, _ model: ServedModel, _ action: Action, state: inout GateState, at now: Timestamp
  ) -> (Standing, Counted) {
    let subject = Subject.party(customer.description)
    let terms = model.terms.compactMap { state.terms[$0] }
    var counted = state.measured(subject, terms: terms, at: now)
    let stated = state.groupFacts(of: subject, terms: terms, at: now)
    let party = Party(
      id: customer.description, facts: state.facts.sheet(of: subject).adding(ofTerms: counted.facts).adding(ofTerms: stated))
    let recorded = state.plan(of: model, action, at: now)
    counted.watches += recorded.watches
    counted.note(until: recorded.countsUntil)
    return (recorded.plan.standing(of: party, at: now) ?? recorded.plan.standing(of: party), counted)
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
      let incident = assessment.flatMap { self.incident(for: $0, dossier, state: &state, at: now) }
      return self.journal.submit([JournalRecord(entry, effects: dossier.counted?.effects ?? [])] + (incident.map { [$0] } ?? []))
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
    return "The license terms '\(result.termFile)'\(result.ofParts), \(result.ref), do not let this request through:"
      + " \(result.summary)"
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

extension GateState {
  /// The operator's half of the standings of a model and an action, from memory where it still answers.
  fileprivate mutating func plan(of model: ServedModel, _ action: Action, at now: Timestamp) -> RecordedPlan {
    let key = PlanKey(model: model.id, action: action)
    if let known = self.plans[key], known.answers(at: now) { return known }
    let files = model.terms.compactMap { self.terms[$0] }
    let counted = self.measured(.operator, terms: files, at: now)
    let stated = self.groupFacts(of: .operator, terms: files, at: now)
    let sheet = self.facts.sheet(of: .operator).adding(ofTerms: counted.facts).adding(ofTerms: stated)
    let fresh = RecordedPlan(
      plan: StandingPlan(self.question(of: model, action, operator: sheet, exceptions: self.facts.grants, at: now)),
      watches: counted.watches, countsUntil: counted.until)
    self.plans[key] = fresh
    return fresh
  }

  /// What is asked of every customer of a model: its parts, each under its own terms.
  func question(
    of model: ServedModel, _ action: Action, operator facts: FactSheet, exceptions: [ExceptionRecord], at now: Timestamp
  ) -> StandingRequest {
    StandingRequest(
      party: Party(id: "", facts: .empty), operator: facts,
      model: GovernedModel(name: model.id.name, facts: model.facts), terms: model.base.compactMap { self.terms[$0] },
      beside: model.beside.map { part in
        LineagePart(part.name, terms: part.terms.compactMap { self.terms[$0] }, facts: part.facts)
      }, parameters: self.parameters, action: action, exceptions: exceptions, at: now)
  }
}
