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
      guard state.models.updateValue(model, forKey: model.id) == nil else {
        throw Refusal(.conflict, "The model '\(model.id)' is configured twice.", parameter: "models")
      }
    }
  }

  public func models() -> [ServedModel] { self.state.withLock { $0.models.values.sorted { $0.id < $1.id } } }

  public func model(_ id: ModelID) -> ServedModel? { self.state.withLock { $0.models[id] } }

  public func termFiles() -> [TermFile] { self.state.withLock { $0.terms.values.sorted { $0.id < $1.id } } }

  public func termFile(_ id: TermFileID) -> TermFile? { self.state.withLock { $0.terms[id] } }

  /// Records in the log which term files are in force and which weights run under which of them.
  public func recordTermsInForce() async throws(Refusal) {
    let (terms, models, now) = self.state.withLock { state in
      (
        state.terms.values.sorted { $0.id < $1.id }, state.models.values.sorted { $0.id < $1.id },
        state.tick(self.environment.now())
      )
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
          ]))
    }
    do { try await self.journal.submit(files + served).durable() } catch { throw Refusal(error) }
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
