internal import Documents
internal import GovernanceTypes

extension TermFile {
  /// The only schema there is.
  public static let schema = "model-terms/1"

  /// One line for each accepted digest, `role SP sha256 LF`, sorted: the text under ``documentsDigest``.
  static func documentsText(_ documents: [TermDocument]) -> String {
    let lines = documents.flatMap { document in document.accepted.map { "\(document.role) \($0.digest.hexadecimal)\n" } }
    return lines.sorted().joined()
  }
}

/// What can only be checked on a term file as a whole.
struct TermFileCheck {
  let file: TermFile
  let reader: DocumentReader
  let references: TermReferences

  func run() throws(DocumentError) {
    try self.unique(self.file.documents.map(\.role), in: "documents", what: "role")
    try self.unique(self.file.uses.map(\.id), in: "uses", what: "id")
    try self.unique(self.file.exceptions.map(\.id), in: "exceptions", what: "id")
    try self.unique(self.file.clauses.map(\.id), in: "clauses", what: "id")
    guard !self.file.clauses.isEmpty else { throw self.reader.failure("clauses", "at least one clause belongs here") }
    try self.clauseReferences()
    try self.reachability()
    try self.zones()
    try self.unused()
    try self.sections()
  }

  private func unique(_ ids: [String], in member: String, what: String) throws(DocumentError) {
    var seen: Set<String> = []
    for (index, id) in ids.enumerated() where !seen.insert(id).inserted {
      throw self.failure(member, index, "the \(what) '\(id)' stands twice")
    }
  }

  /// An error at an element of a list.
  private func failure(_ member: String, _ index: Int, _ message: String) -> DocumentError {
    var reader = self.reader
    let error = self.reader.failure(member, message)
    guard case .list(let elements)? = reader.document(member)?.content, elements.indices.contains(index) else { return error }
    return DocumentError(field: "\(member)[\(index)]", position: elements[index].position, message: message)
  }

  private func clauseReferences() throws(DocumentError) {
    let clauses = Dictionary(self.file.clauses.map { ($0.id, $0) }) { first, _ in first }
    for (index, clause) in self.file.clauses.enumerated() {
      for id in clause.exempts {
        guard let target = clauses[id] else {
          throw self.failure("clauses", index, "exempts '\(id)', which is no clause\(self.near(id, clauses.keys))")
        }
        guard target.kind != .exemption, target.kind != .grant else {
          throw self.failure("clauses", index, "exempts '\(id)', which binds nobody")
        }
      }
      if let exception = self.file.exceptions.first(where: { $0.id == clause.curedBy }), !exception.cures.contains(clause.id) {
        throw self.failure("clauses", index, "is cured by '\(exception.id)', which does not list it under cures")
      }
    }
    for (index, exception) in self.file.exceptions.enumerated() {
      for id in exception.cures where clauses[id] == nil {
        throw self.failure("exceptions", index, "cures '\(id)', which is no clause\(self.near(id, clauses.keys))")
      }
    }
  }

  private func reachability() throws(DocumentError) {
    for (index, clause) in self.file.clauses.enumerated() {
      if let obstacle = Reachability(clause: clause).obstacle {
        throw self.failure("clauses", index, "'\(clause.id)' \(obstacle)")
      }
    }
    for (index, exception) in self.file.exceptions.enumerated() where exception.cures.isEmpty && !exception.mayWaiveOtherClauses {
      guard !self.file.clauses.contains(where: { $0.predicates.contains { $0.names(exception: exception.id) } }) else { continue }
      throw self.failure("exceptions", index, "'\(exception.id)' cures nothing, and no clause asks for it")
    }
  }

  private func near(_ name: String, _ names: some Collection<String>) -> String {
    nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
  }

  /// A parameter that a zone is taken from must stand for one.
  private func zones() throws(DocumentError) {
    let zones = self.file.zoneParameters
    for parameter in self.file.interpretations where zones.contains(parameter.name) {
      guard offset(ofZone: parameter.standard.description) == nil else { continue }
      throw self.reader.failure("interpretations", "'\(parameter.name)': \(zoneRule)")
    }
  }

  private func unused() throws(DocumentError) {
    if var facts = try self.optionalReader("facts") {
      for fact in self.file.facts where !self.references.usedFacts.contains(fact.key) {
        _ = facts.document(fact.key)
        throw facts.failure(fact.key, "no clause reads this fact; remove it or use it")
      }
    }
    if var parameters = try self.optionalReader("interpretations") {
      for parameter in self.file.interpretations where !self.references.usedParameters.contains(parameter.name) {
        _ = parameters.document(parameter.name)
        throw parameters.failure(parameter.name, "nothing depends on this interpretation; remove it or use it")
      }
    }
  }

  private func optionalReader(_ member: String) throws(DocumentError) -> DocumentReader? {
    var reader = self.reader
    return try reader.optionalReader(member)
  }

  private func sections() throws(DocumentError) {
    guard let useList = self.file.useList else {
      if !self.file.uses.isEmpty { throw self.reader.failure("use_list", "is missing; uses need the role they come from") }
      return try self.accounted()
    }
    guard self.references.documents.contains(useList) else {
      throw self.reader.unknown("document", useList, among: self.references.documents, at: "use_list")
    }
    try self.accounted()
  }

  private func accounted() throws(DocumentError) {
    let listed = Set(self.file.sections)
    for (index, clause) in self.file.clauses.enumerated() {
      for section in clause.sections where !listed.contains(section) {
        throw self.failure("clauses", index, "accounts for '\(section)', which is not listed under sections")
      }
    }
    for (index, use) in self.file.uses.enumerated() {
      let section = self.file.section(of: use)
      guard listed.contains(section) else {
        throw self.failure("uses", index, "accounts for '\(section)', which is not listed under sections")
      }
    }
    for coverage in self.file.sectionCoverage where coverage.accountedBy.isEmpty {
      throw self.reader.failure("sections", "no clause and no use accounts for '\(coverage.section)'")
    }
  }
}

/// A section of a source text and what accounts for it.
public struct SectionCoverage: Sendable, Hashable {
  public let section: String
  /// Ids of clauses and uses.
  public let accountedBy: [String]
}

extension TermFile {
  func section(of use: Use) -> String { "\(self.useList ?? "")/\(use.id)" }

  /// Each listed section with the clauses and uses that account for it, in the order of the text. O(sections + clauses).
  public var sectionCoverage: [SectionCoverage] {
    var accountedBy: [String: [String]] = [:]
    for clause in self.clauses { for section in clause.sections { accountedBy[section, default: []].append(clause.id) } }
    for use in self.uses { accountedBy[self.section(of: use), default: []].append(use.id) }
    return self.sections.map { SectionCoverage(section: $0, accountedBy: accountedBy[$0] ?? []) }
  }
}
