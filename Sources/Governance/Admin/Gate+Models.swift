internal import Documents
public import GovernanceTypes
public import LicenseTerms
internal import Synchronization

extension Gate {
  /// Puts a model on the list, with its terms.
  ///
  /// - Throws: ``Refusal`` where the model has no terms or names a term file that is not in force: nothing is served ungoverned.
  public func register(_ model: ServedModel) throws(Refusal) {
    guard !model.terms.isEmpty else {
      throw Refusal(
        .licenseTerms, "The model '\(model.id)' names no terms. Give it the term files of its license.", parameter: "terms")
    }
    try self.state.withLock { (state) throws(Refusal) in
      for terms in model.terms where state.terms[terms] == nil {
        let near = nearestName(to: terms.name, among: state.terms.keys.map(\.name)).map { " Did you mean '\($0)'?" } ?? ""
        throw Refusal(
          .notFound, "The model '\(model.id)' names the terms '\(terms)', which are not there.\(near)", parameter: "terms")
      }
      try self.checkFiles(of: model, state: state)
      guard state.models.updateValue(model, forKey: model.id) == nil else {
        throw Refusal(.conflict, "The model '\(model.id)' is configured twice.", parameter: "models")
      }
    }
  }

  /// What the terms ask of the model's own files at registration: a notice beside the weights, a text that is an accepted one.
  private func checkFiles(of model: ServedModel, state: GateState) throws(Refusal) {
    let terms = model.terms.compactMap { state.terms[$0] }
    let standing = LicenseTerms.standing(
      of: StandingRequest(
        party: Party(id: "", facts: .empty), operator: .empty, model: GovernedModel(name: model.id.name, facts: model.facts),
        terms: terms, parameters: self.policy.parameters, action: model.action, exceptions: [],
        at: model.registeredAt))
    let asked = Set(
      terms.flatMap { file in file.clauses.filter { $0.moments.contains(.register) }.map { "\(file.id) \($0.id)" } })
    let failing = standing.clauses.first { result in
      result.effect == .deny && !result.facts.isEmpty && result.facts.allSatisfy { $0.subject == .model }
        && asked.contains("\(result.termFile) \(result.clause)")
    }
    guard let failing else { return }
    throw Refusal(
      .licenseTerms,
      "The model '\(model.id)' cannot be registered under the terms '\(failing.termFile)', \(failing.ref): \(failing.summary)"
        + (failing.remedy.map { " \($0)" } ?? ""), parameter: "models", citation: Refusal.Citation(failing))
  }

  public func models() -> [ServedModel] { self.state.withLock { $0.models.values.sorted { $0.id < $1.id } } }

  public func model(_ id: ModelID) -> ServedModel? { self.state.withLock { $0.models[id] } }

  public func termFiles() -> [TermFile] { self.state.withLock { $0.terms.values.sorted { $0.id < $1.id } } }

  public func termFile(_ id: TermFileID) -> TermFile? { self.state.withLock { $0.terms[id] } }

  /// Records in the log which term files are in force and which weights run under which of them.
  ///
  /// - Throws: ``Refusal`` where a model has other weights than it was registered with and the operator does not name them: a digest
  ///   that is not registered does not run.
  public func recordTermsInForce() async throws(Refusal) {
    let (terms, models, known, now) = self.state.withLock { state in
      (
        state.terms.values.sorted { $0.id < $1.id }, state.models.values.sorted { $0.id < $1.id }, state.registeredWeights,
        state.tick(self.environment.now())
      )
    }
    for model in models {
      guard let weights = model.weights, let earlier = known[model.id], earlier != weights, !model.isPinned else { continue }
      throw Refusal(
        .licenseTerms,
        "The model '\(model.id)' was registered with weights of SHA-256 \(earlier), and its file now has \(weights)."
          + " If they are meant to replace them, set 'sha256: \(weights)' for the model.", parameter: "models")
    }
    let files = terms.map { JournalRecord(LogEntry(.termFile, at: now, $0.logFields)) }
    let served = models.map { model in
      JournalRecord(
        LogEntry(
          .admin, at: now,
          [
            JSONMember("act", "model.serve"), JSONMember("model", .string(model.id.name)),
            JSONMember("weights_sha256", JSON(model.weights?.hexadecimal)),
            JSONMember("terms", .array(model.terms.map { .string($0.name) })),
          ]), effects: model.weights.map { [.object(self.registration(of: model.id, weights: $0))] } ?? [])
    }
    do { try await self.journal.submit(files + served).durable() } catch { throw Refusal(error) }
    self.state.withLock { state in
      for model in models { if let weights = model.weights { state.registeredWeights[model.id] = weights } }
    }
  }

  private func registration(of model: ModelID, weights: Digest) -> StoredObject {
    self.stored(
      .model, id: model.name, customer: nil,
      body: ["object": "model", "id": .string(model.name), "weights_sha256": .string(weights.hexadecimal)])
  }

  /// Models of which the operator's own license has ended by now: they are to be unloaded. Each is told of once.
  public func endedModels() -> [ModelID] {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      let models = state.models.values.filter { model in
        model.terms.contains { state.terms[$0].map { state.hasEnded($0, for: .operator, at: now) } ?? false }
      }
      for model in models where state.ended.insert(model.id).inserted {
        self.tell(
          Alert(
            .licenseEnded,
            [
              JSONMember("model", .string(model.id.name)), JSONMember("weights_sha256", JSON(model.weights?.hexadecimal)),
              JSONMember("terms", .array(model.terms.map { .string($0.name) })),
            ]), at: now)
      }
      return models.map(\.id).sorted()
    }
  }

  /// Records that a license text was handed to someone.
  public func recordDelivery(
    of role: String, digest: Digest, terms: TermFileID, to recipient: CustomerID?
  ) async throws(Refusal) -> DeliveryID {
    let now = self.now()
    let id: DeliveryID = self.makeID(at: now)
    var fields = [
      JSONMember("id", .string(id.description)), JSONMember("terms", .string(terms.name)), JSONMember("role", .string(role)),
      JSONMember("sha256", .string(digest.hexadecimal)),
    ]
    if let recipient { fields.append(JSONMember("customer", .string(recipient.description))) }
    let entry = LogEntry(.delivery, at: now, fields, lookup: id.description)
    do { try await self.journal.submit([JournalRecord(entry)]).durable() } catch { throw Refusal(error) }
    return id
  }

  /// Records that someone took an export, and of what.
  public func recordExport(_ id: ExportID, kind: String, from: Timestamp, to: Timestamp, by actor: Actor) async throws(Refusal) {
    let entry = LogEntry(
      .export, at: self.now(),
      [
        JSONMember("id", .string(id.description)), JSONMember("kind", .string(kind)),
        JSONMember("from", .string(from.description)),
        JSONMember("to", .string(to.description)), JSONMember("actor", .string(actor.name)),
      ], lookup: id.description)
    do { try await self.journal.submit([JournalRecord(entry)]).durable() } catch { throw Refusal(error) }
  }

  /// Records that someone fetched a finished export.
  public func recordExportTaken(_ id: ExportID, by actor: Actor) async throws(Refusal) {
    let fields = [
      JSONMember("id", .string(id.description)), JSONMember("act", "taken"), JSONMember("actor", .string(actor.name)),
    ]
    do {
      try await self.journal.submit([JournalRecord(LogEntry(.export, at: self.now(), fields))]).durable()
    } catch { throw Refusal(error) }
  }

  public func makeExportID() -> ExportID { self.makeID(at: self.now()) }
}

extension GateState {
  mutating func take(model document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    _ = try reader.string("object")
    let id = ModelID(try reader.string("id"))
    guard let digest = Digest(hexadecimal: try reader.string("weights_sha256")) else {
      throw reader.failure("weights_sha256", "64 hexadecimal digits belong here")
    }
    try reader.finish()
    self.registeredWeights[id] = digest
  }

  /// Whether a dated event on record has ended the license for a subject.
  func hasEnded(_ file: TermFile, for subject: Subject, at now: Timestamp) -> Bool {
    let ends = file.clauses.filter { $0.kind == .termination }.compactMap(\.from)
    let sheet = self.facts.sheet(of: subject)
    return file.facts.contains { declaration in
      ends.contains(declaration.key)
        && sheet.records(of: file.externalKey(for: declaration, at: now)).contains { record in
          if record.source == .event, case .day(let day) = record.value { day.start <= now } else { false }
        }
    }
  }
}
