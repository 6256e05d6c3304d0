import GovernanceTypes

/// The parts of a term file that names are resolved among.
struct TermParts {
  let id: TermFileID
  let facts: [FactDeclaration]
  let interpretations: [TermFile.Interpretation]
  let notices: [TermFile.Notice]
  let clauses: [Clause]
  let licensors: [TermFile.Licensor]
  let usesByID: [String: TermFile.Use]
  let factsByKey: [String: FactDeclaration]
}

/// The clauses of one term file with all names resolved: made once, when the file is loaded.
final class ResolvedTerms: Sendable {
  let facts: [DeclaredFact]
  /// In the order of the file, grants left out.
  let clauses: [ResolvedClause]
  let grants: [ResolvedClause]
  let licensors: [(name: String, when: ResolvedPredicate?)]
  /// Facts to be affirmed again after some time.
  let reaffirmed: FactPlaces
  /// External keys of facts whose key is always the same; nil for those stated per period.
  private let keys: [String?]

  init(_ parts: TermParts) {
    let names = PlaceNames(parts)
    self.facts = parts.facts.enumerated().map { DeclaredFact($1, place: $0) }
    let clauses = parts.clauses.map { ResolvedClause($0, parts, names) }
    self.clauses = clauses.filter { $0.clause.kind != .grant }
    self.grants = clauses.filter { $0.clause.kind == .grant }.sorted { $0.clause.id < $1.clause.id }
    self.licensors = parts.licensors.map { ($0.name, names.resolve($0.when)) }
    var reaffirmed = FactPlaces()
    for fact in self.facts where fact.declaration.reaffirmAfterDays != nil { reaffirmed.insert(fact.place) }
    self.reaffirmed = reaffirmed
    self.keys = parts.facts.map { fact in
      if fact.isPerTermFile { return "\(fact.key).\(parts.id)" }
      return fact.period == nil ? fact.key : nil
    }
  }

  func place(of key: String) -> Int? { self.facts.firstIndex { $0.declaration.key == key } }

  /// The external keys of all facts at an instant, and the instant at which the first of them changes.
  func keys(of file: TermFile, _ parameters: [String: ParameterValue], at time: Timestamp) -> (keys: [String], until: Timestamp?)
  {
    var until: Timestamp?
    let keys = zip(self.keys, self.facts).map { key, fact -> String in
      if let key { return key }
      if let unit = fact.declaration.period,
        let end = unit.end(at: time, offset: file.zoneOffset(of: fact.declaration, parameters))
      {
        until = min(until ?? end, end)
      }
      return file.externalKey(for: fact.declaration, at: time, parameters: parameters)
    }
    return (keys, until)
  }
}
