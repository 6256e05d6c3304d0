internal import Documents
internal import GovernanceTypes
public import LicenseTerms
internal import Synchronization

extension Gate {
  /// Puts other term files in force, all at once, and records what changed. Every standing verdict is compiled anew.
  ///
  /// - Throws: ``Refusal``, with the files in force unchanged, where a model that is served would lose its terms, a statement on
  ///   record cannot be read under the new files, or the change cannot be made durable.
  public func replaceTerms(_ files: [TermFile], by actor: Actor) async throws(Refusal) {
    let terms = Dictionary(files.map { ($0.id, $0) }) { first, _ in first }
    let ticket = try self.state.withLock { (state) throws(Refusal) in
      for model in state.models.values {
        for id in model.terms where terms[id] == nil {
          throw Refusal(.invalidRequest, "The model '\(model.id)' is served under the terms '\(id)', which would be gone.")
        }
      }
      _ = try state.withTerms(terms)
      let now = state.tick(self.environment.now())
      let changes = Set(state.terms.keys).union(terms.keys).sorted().filter { state.terms[$0]?.digest != terms[$0]?.digest }
      return self.journal.submit(
        changes.map { id in
          let members = [JSONMember("actor", .string(actor.name)), JSONMember("id", .string(id.name))]
          let file = terms[id]?.logFields ?? [JSONMember("removed", true)]
          return JournalRecord(LogEntry(.termFile, at: now, members + file.filter { $0.key != "id" }))
        })
    }
    do { try await ticket.durable() } catch { throw Refusal(error) }
    try self.state.withLock { (state) throws(Refusal) in state = try state.withTerms(terms) }
  }
}

extension GateState {
  /// The same state under other term files: statements are read anew, since the files say what a fact is.
  func withTerms(_ terms: [TermFileID: TermFile]) throws(Refusal) -> GateState {
    var changed = self
    changed.terms = terms
    changed.facts = FactRecords()
    changed.statements = []
    changed.forgetAllStandings()
    for statement in self.statements {
      do { try changed.take(statement) } catch {
        throw Refusal(
          .invalidRequest, "The \(statement.kind.rawValue) \(statement.id) cannot be read under the new term files: \(error)")
      }
    }
    changed.facts.grants = changed.grantRecords
    return changed
  }
}

extension TermFile {
  /// What the log says of a file in force.
  var logFields: [JSONMember] {
    [
      JSONMember("id", .string(self.id.name)), JSONMember("revision", .integer(self.revision)),
      JSONMember("sha256", .string(self.digest.hexadecimal)),
      JSONMember("documents_sha256", .string(self.documentsDigest.hexadecimal)),
    ]
  }
}
