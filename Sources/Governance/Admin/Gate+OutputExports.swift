internal import Documents
public import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

/// What an export is for. Some purposes are acts that licenses speak of.
public enum ExportPurpose: String, Sendable, CaseIterable {
  case accounting, audit, evaluation
  case datasetGeneration = "dataset_generation"
  case modelTraining = "model_training"

  /// What the terms of the models are asked for; nil where they have no say.
  var action: Action? {
    switch self {
    case .accounting, .audit, .evaluation: nil
    case .datasetGeneration, .modelTraining: .trainOnOutput
    }
  }
}

/// An export that the terms of models may have a say in.
public struct OutputExport: Sendable {
  public var purpose: ExportPurpose
  /// Whose records; nil for those of all customers.
  public var customer: CustomerID?
  /// Whose output it is; empty for all models.
  public var models: [ModelID]
  /// The family of the model that is to be trained, where it is known.
  public var trainingTarget: String?

  public init(purpose: ExportPurpose, customer: CustomerID?, models: [ModelID], trainingTarget: String?) {
    self.purpose = purpose
    self.customer = customer
    self.models = models
    self.trainingTarget = trainingTarget
  }
}

extension Gate {
  /// Asks the terms of every model concerned, and records each decision.
  ///
  /// - Throws: ``Refusal`` with clause and decision where the terms of one forbid the purpose or do not know enough to allow it.
  public func askExport(_ order: OutputExport, by actor: Actor) async throws(Refusal) {
    if let customer = order.customer { _ = try self.knownCustomer(customer) }
    let models = try self.models(of: order)
    guard let action = order.purpose.action else { return }
    let parties = order.customer.map { [$0] } ?? self.customers().map(\.id)
    for model in models {
      for customer in parties { try await self.ask(action, of: model, customer, order, by: actor) }
    }
  }

  private func ask(
    _ action: Action, of model: ServedModel, _ customer: CustomerID, _ order: OutputExport, by actor: Actor
  ) async throws(Refusal) {
    let recorded = self.standing(of: customer, model: model, action: action)
    let now = self.now()
    let decision: DecisionID = self.makeID(at: now)
    let verdict = recorded.standing.verdict(for: self.facts(of: order, decision, at: now), at: now)
    try await self.record(decision, verdict, order, model, customer, recorded, by: actor)
  }

  private func models(of order: OutputExport) throws(Refusal) -> [ServedModel] {
    guard !order.models.isEmpty else { return self.models() }
    var models: [ServedModel] = []
    for id in order.models {
      guard let model = self.model(id) else { throw Refusal(.modelNotFound, "There is no model '\(id)'.", parameter: "models") }
      models.append(model)
    }
    return models
  }

  private func facts(of order: OutputExport, _ decision: DecisionID, at now: Timestamp) -> FactSheet {
    func fact(_ key: String, _ value: FactValue) -> Fact {
      Fact(key: key, value: value, source: .request, reference: decision.description, recordedAt: now)
    }
    var facts = [fact(RequestFact.purpose, .choice(order.purpose.rawValue)), fact(RequestFact.findings, .set([]))]
    if let target = order.trainingTarget { facts.append(fact(RequestFact.trainingTarget, .text(target))) }
    return FactSheet(facts)
  }

  private func record(
    _ decision: DecisionID, _ verdict: RequestVerdict, _ order: OutputExport, _ model: ServedModel, _ customer: CustomerID,
    _ recorded: RecordedStanding, by actor: Actor
  ) async throws(Refusal) {
    // Uses of a text are no matter of an export: there is no text to look at.
    let refusing = verdict.clauses.filter { $0.effect >= .requireRecord && !$0.facts.contains { $0.key == RequestFact.findings } }
    let deciding = verdict.deciding.flatMap { result in
      result.facts.contains { $0.key == RequestFact.findings } ? refusing.first : result
    }
    var fields = [
      JSONMember("id", .string(decision.description)), JSONMember("moment", .string(Moment.export.rawValue)),
      JSONMember("verdict", .string(deciding == nil ? Verdict.allow.rawValue : deciding?.effect.rawValue ?? "")),
      JSONMember("customer", .string(customer.description)), JSONMember("model", .string(model.id.name)),
      JSONMember("standing", .string(recorded.id.description)), JSONMember("declared_purpose", .string(order.purpose.rawValue)),
      JSONMember("actor", .string(actor.name)),
    ]
    if let deciding {
      fields += [
        JSONMember("terms", .string(deciding.termFile.name)), JSONMember("clause", .string(deciding.clause)),
        JSONMember("ref", .string(deciding.ref)), JSONMember("state", .string(deciding.state.rawValue)),
      ]
    }
    let entry = LogEntry(.decision, at: self.now(), fields, lookup: decision.description)
    // Both are on disk before anyone is told: the decision cites the verdict.
    let ticket = self.journal.submit([JournalRecord(entry)])
    do {
      try await recorded.ticket.durable()
      try await ticket.durable()
    } catch {
      throw Refusal(error)
    }
    self.counters.decision(
      moment: Moment.export.rawValue, verdict: deciding?.effect.rawValue ?? "allow", license: deciding?.termFile.name ?? "",
      clause: deciding?.clause ?? "")
    guard let deciding else { return }
    var refusal = Refusal(
      deciding.code == .terminated ? .licenseTerminated : deciding.code == .notAccepted ? .licenseNotAccepted : .licenseTerms,
      "The license terms '\(deciding.termFile)', \(deciding.ref), do not let output of '\(model.id)' be exported for"
        + " \(order.purpose.rawValue): \(deciding.summary)", citation: Refusal.Citation(deciding))
    refusal.decision = decision
    throw refusal
  }
}
