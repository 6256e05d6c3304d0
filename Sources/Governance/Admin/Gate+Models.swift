public import Documents
public import GovernanceTypes
public import LicenseTerms
internal import Synchronization

extension Gate {
  /// Puts a model on the list, with its terms.
  ///
  /// - Throws: ``Refusal`` where the model has no terms or names a term file that is not in force: nothing is served ungoverned.
  public func register(_ model: ServedModel) throws(Refusal) {
    for (name, terms) in [(LineageName.base, model.base)] + model.beside.map({ ($0.name, $0.terms) }) where terms.isEmpty {
      let part = name == .base ? "" : "'s \(name)"
      throw Refusal(
        .licenseTerms, "The model '\(model.id)'\(part) names no terms. Give it the term files of its license.",
        parameter: "terms")
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
      of: state.question(of: model, model.action, operator: .empty, exceptions: [], at: model.registeredAt))
    let asked = Set(
      terms.flatMap { file in file.clauses.filter { $0.moments.contains(.register) }.map { "\(file.id) \($0.id)" } })
    let failing = standing.clauses.first { result in
      result.effect == .deny && !result.facts.isEmpty && result.facts.allSatisfy { $0.subject == .model }
        && asked.contains("\(result.termFile) \(result.clause)")
    }
    guard let failing else { return }
    throw Refusal(
      .licenseTerms,
      "The model '\(model.id)' cannot be registered under the terms '\(failing.termFile)', \(failing.ref)\(failing.ofParts):"
        + " \(failing.summary)"
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
    for file in models.flatMap(\.files) {
      guard let earlier = known[file.name], earlier != file.weights, !file.isPinned else { continue }
      throw Refusal(
        .licenseTerms,
        "The model '\(file.name)' was registered with weights of SHA-256 \(earlier), and its file now has \(file.weights)."
          + " If they are meant to replace them, set 'sha256: \(file.weights)' for it.", parameter: "models")
    }
    let files = terms.map { JournalRecord(LogEntry(.termFile, at: now, $0.logFields)) }
    let served = models.map { model in
      JournalRecord(
        LogEntry(
          .admin, at: now,
          [
            JSONMember("act", "model.serve"), JSONMember("model", .string(model.id.name)),
            JSONMember("weights_sha256", JSON(model.weights?.hexadecimal)),
            JSONMember("terms", .array(model.terms.map { .string($0.name) })), JSONMember("lineage", model.lineage),
          ]), effects: model.files.map { .object(self.registration(of: $0.name, weights: $0.weights)) })
    }
    do { try await self.journal.submit(files + served).durable() } catch { throw Refusal(error) }
    self.state.withLock { state in
      for file in models.flatMap(\.files) { state.registeredWeights[file.name] = file.weights }
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

extension ServedModel {
  /// The base and what works beside it, each with its terms.
  public var lineage: JSON {
    let base = Part(.base, terms: self.base, facts: self.facts, weights: self.weights)
    return .array(
      ([base] + self.beside).map { part in
        [
          "part": .string(part.name.description), "terms": .array(part.terms.map { .string($0.name) }),
          "sha256": JSON(part.weights?.hexadecimal),
        ]
      })
  }
}

extension ClauseResult {
  /// Of which parts the clause speaks, where it is not the base alone: ` (of the adapter 'x')`.
  var ofParts: String {
    let parts = self.parts.filter { $0.role != .service }
    guard parts != [.base], !parts.isEmpty else { return "" }
    return " (of \(parts.map(\.phrase).joined(separator: " and ")))"
  }
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
