public import Documents
internal import GovernanceTypes

extension DecisionTable {
  /// Reads `cases.yaml` against the term files that it may name.
  ///
  /// `given` holds facts that all cases start from; a case replaces single facts, and removes one by giving null. A fact is a
  /// value, or `{value, source, recorded, expires, documents: changed}`, or `{records: […]}` of these. Keys are those of the
  /// term file, or external keys.
  public init(_ document: Document, terms: [TermFile]) throws(DocumentError) {
    var reader = try DocumentReader(document)
    guard try reader.string("schema") == Self.schema else { throw reader.failure("schema", "must be \(Self.schema)") }
    let builder = CaseBuilder(
      terms: terms, names: try reader.uniqueStrings("terms"), day: try reader.day("date"), model: try reader.string("model"),
      given: try GivenFacts(&reader, "given"))
    self.cases = try reader.elements("cases") { (document, path) throws(DocumentError) in
      try builder.item(document, path: path)
    }
    try reader.finish()
    var names: Set<String> = []
    for item in self.cases where !names.insert(item.name).inserted {
      throw DocumentError(field: "cases", position: item.position, message: "the name '\(item.name)' stands twice")
    }
  }
}

/// Facts by subject and key, not yet read against a term file.
private struct GivenFacts {
  static let subjects = ["operator", "customer", "model", "request"]
  private(set) var facts: [String: [String: (path: String, value: Document)]] = [:]
  private(set) var hasRequest = false

  init() {}

  init(_ reader: inout DocumentReader, _ key: String) throws(DocumentError) {
    guard var given = try reader.optionalReader(key) else { return }
    try self.take(&given)
    try given.finish()
  }

  /// Takes over the facts of a map with a member for each subject; null removes a fact.
  mutating func take(_ reader: inout DocumentReader) throws(DocumentError) {
    for subject in Self.subjects {
      guard let document = reader.document(subject) else { continue }
      if subject == "request" { self.hasRequest = true }
      let path = reader.field(subject)
      guard case .map(let members) = document.content else { throw reader.failure(subject, "a map of facts belongs here") }
      for member in members {
        if case .null = member.value.content {
          self.facts[subject]?[member.key] = nil
        } else {
          self.facts[subject, default: [:]][member.key] = ("\(path).\(member.key)", member.value)
        }
      }
    }
  }
}

/// Builds cases from documents.
private struct CaseBuilder {
  static let party = "cus_case"

  let terms: [TermFile]
  let names: [String]
  let day: CalendarDay
  let model: String
  let given: GivenFacts

  func item(_ document: Document, path: String) throws(DocumentError) -> DecisionTable.Case {
    var reader = try DocumentReader(document, path: path)
    let name = try reader.string("name")
    let own = try reader.uniqueStrings("terms")
    let files = try self.files(own.isEmpty ? self.names : own, reader)
    let day = try reader.optionalDay("date") ?? self.day
    var given = self.given
    try given.take(&reader)
    let records = RecordBuilder(files: files, day: day)
    var sheets: [String: FactSheet] = [:]
    let events = try EventReader(&reader, files: files)
    for subject in GivenFacts.subjects {
      var facts: [Fact] = events.facts(of: subject)
      for (key, fact) in (given.facts[subject] ?? [:]).sorted(by: { $0.key < $1.key }) {
        facts += try records.facts(key, fact.value, path: fact.path)
      }
      sheets[subject] = FactSheet(facts)
    }
    let question = StandingRequest(
      party: Party(id: Self.party, facts: sheets["customer"] ?? .empty), operator: sheets["operator"] ?? .empty,
      model: GovernedModel(name: try reader.optionalString("model_name") ?? self.model, facts: sheets["model"] ?? .empty),
      terms: files, parameters: try self.parameters(&reader, files), action: try reader.optionalChoice("action") ?? .use,
      exceptions: try self.exceptions(&reader, files), at: day.start)
    let expectation = try DecisionTable.Expectation(try reader.reader("expect"))
    try reader.finish()
    return DecisionTable.Case(
      name: name, position: document.position, question: question, request: given.hasRequest ? sheets["request"] : nil,
      expectation: expectation)
  }

  private func files(_ names: [String], _ reader: DocumentReader) throws(DocumentError) -> [TermFile] {
    var files: [TermFile] = []
    for name in names {
      guard let file = self.terms.first(where: { $0.id.name == name }) else {
        throw reader.unknown("term file", name, among: self.terms.map(\.id.name), at: "terms")
      }
      files.append(file)
    }
    guard !files.isEmpty else { throw reader.failure("terms", "at least one term file belongs here") }
    return files
  }

  /// Choices are given by name to all term files that know the name.
  private func parameters(
    _ reader: inout DocumentReader, _ files: [TermFile]
  ) throws(DocumentError) -> [TermFileID: [String: ParameterValue]] {
    guard let document = reader.document("parameters") else { return [:] }
    var values: [TermFileID: [String: ParameterValue]] = [:]
    for file in files { values[file.id] = try file.parameterValues(document, path: reader.field("parameters")) }
    return values
  }

  private func exceptions(
    _ reader: inout DocumentReader, _ files: [TermFile]
  ) throws(DocumentError) -> [ExceptionRecord] {
    var records: [ExceptionRecord] = []
    for (path, document) in try reader.list("exceptions") {
      var record = try DocumentReader(document, path: path)
      let id = try record.string("exception")
      guard let file = files.first(where: { $0.exceptions.contains { $0.id == id } }) else {
        throw record.unknown("exception", id, among: files.flatMap { $0.exceptions.map(\.id) }, at: "exception")
      }
      let actions: Set<Action> = try record.choices("actions")
      records.append(
        ExceptionRecord(
          id: "gra_case_\(records.count + 1)", termFile: file.id, exception: id, licensee: try record.subject("licensee"),
          cures: try record.uniqueStrings("cures"), models: try record.uniqueStrings("models"), actions: Array(actions),
          validFrom: try record.day("from").start, validTo: try record.optionalDay("to")?.start,
          revokedAt: try record.optionalDay("revoked")?.start, documentDigest: file.digest))
      try record.finish()
    }
    return records
  }
}

/// Events that end records, by subject.
private struct EventReader {
  private var facts: [String: [Fact]] = [:]

  init(_ reader: inout DocumentReader, files: [TermFile]) throws(DocumentError) {
    guard var events = try reader.optionalReader("events") else { return }
    let known = Set(files.flatMap { $0.facts.flatMap(\.endedBy) })
    let reviews = files.flatMap { file in file.documents.map { "document.reviewed.\(file.id).\($0.role)" } }
    for subject in ["operator", "customer"] {
      guard var map = try events.optionalReader(subject) else { continue }
      for name in map.keys {
        guard known.contains(name) || reviews.contains(name) else {
          throw map.unknown("event", name, among: known.union(reviews), at: name)
        }
        let day = try map.day(name)
        self.facts[subject, default: []].append(
          Fact(key: name, value: .day(day), source: .event, reference: "event", recordedAt: day.start))
      }
    }
    try events.finish()
  }

  func facts(of subject: String) -> [Fact] { self.facts[subject] ?? [] }
}

/// Turns what a case gives for one fact into records.
private struct RecordBuilder {
  let files: [TermFile]
  let day: CalendarDay

  func facts(_ key: String, _ document: Document, path: String) throws(DocumentError) -> [Fact] {
    var facts: [Fact] = []
    for file in self.files {
      guard let declaration = file.factsByKey[key] ?? file.declaration(forExternalKey: key) else { continue }
      let external = declaration.key == key ? file.externalKey(for: declaration, at: self.day.start) : key
      for record in try self.records(document, path: path) {
        facts.append(try self.fact(external, declaration, record, file, path: path))
      }
    }
    guard !facts.isEmpty else {
      let known = self.files.flatMap { $0.facts.map(\.key) }
      let near = nearestName(to: key, among: known).map { "; did you mean '\($0)'?" } ?? ""
      throw DocumentError(field: path, position: document.position, message: "no term file reads this fact\(near)")
    }
    return facts
  }

  private func records(_ document: Document, path: String) throws(DocumentError) -> [Document] {
    guard document["records"] != nil else { return [document] }
    var reader = try DocumentReader(document, path: path)
    let records = try reader.list("records").map(\.value)
    try reader.finish()
    return records
  }

  private func fact(
    _ key: String, _ declaration: FactDeclaration, _ document: Document, _ file: TermFile, path: String
  ) throws(DocumentError) -> Fact {
    let yesterday = CalendarDay(number: self.day.number - 1).start
    let standard =
      declaration.accepts(.attestation)
      ? FactSource.attestation : declaration.sources.min { $0.rawValue < $1.rawValue } ?? .attestation
    guard document["value"] != nil else {
      return Fact(
        key: key, value: try FactValue(document, for: declaration, path: path), source: standard, reference: "case",
        recordedAt: declaration.subject == .request ? self.day.start : yesterday, acceptedDigest: file.documentsDigest)
    }
    var reader = try DocumentReader(document, path: path)
    let value = try FactValue(try reader.required("value"), for: declaration, path: reader.field("value"))
    let source = try reader.optionalChoice("source") ?? standard
    guard declaration.accepts(source) else { throw reader.failure("source", "'\(key)' is not taken from \(source)") }
    let documents = try reader.optionalString("documents")
    guard documents == nil || documents == "changed" else { throw reader.failure("documents", "'changed' belongs here") }
    let fact = Fact(
      key: key, value: value, source: source, reference: "case",
      recordedAt: try reader.optionalDay("recorded")?.start ?? yesterday,
      expires: try reader.optionalDay("expires")?.start, acceptedDigest: documents == nil ? file.documentsDigest : nil)
    try reader.finish()
    return fact
  }
}

extension DocumentReader {
  fileprivate mutating func subject(_ key: String) throws(DocumentError) -> Subject {
    guard let subject = try self.optionalSubject(key) else { throw self.failure(key, "is missing") }
    return subject
  }

  fileprivate mutating func optionalSubject(_ key: String) throws(DocumentError) -> Subject? {
    guard let text = try self.optionalString(key) else { return nil }
    guard let subject = Subject(caseName: text) else {
      throw self.failure(key, "operator, customer, model or request belongs here")
    }
    return subject
  }
}

extension Subject {
  fileprivate init?(caseName: String) {
    switch caseName {
    case "operator": self = .operator
    case "customer": self = .party(CaseBuilder.party)
    case "model": self = .model
    case "request": self = .request
    default: return nil
    }
  }
}

extension DecisionTable.Expectation {
  fileprivate init(_ start: DocumentReader) throws(DocumentError) {
    var reader = start
    self.verdict = try reader.choice("verdict")
    self.clause = try reader.optionalString("clause")
    self.subject = try reader.optionalSubject("subject")
    self.state = try reader.optionalChoice("state")
    self.code = try reader.optionalChoice("code")
    self.fact = try reader.optionalString("fact")
    self.remedy = try reader.optionalString("remedy")
    self.until = try reader.optionalDay("until")?.start
    self.recorded = try reader.uniqueStrings("recorded")
    self.lifted = try reader.uniqueStrings("lifted")
    self.findings = reader.has("findings") ? try reader.uniqueStrings("findings") : nil
    self.duties = try reader.uniqueStrings("duties")
    self.missing = try Self.missing(&reader)
    try reader.finish()
  }

  private static func missing(_ start: inout DocumentReader) throws(DocumentError) -> Set<String>? {
    guard var reader = try start.optionalReader("missing") else { return nil }
    var rows: Set<String> = []
    for subject in ["operator", "customer", "model", "request"] {
      for fact in try reader.uniqueStrings(subject) { rows.insert("\(Subject(caseName: subject) ?? .operator) \(fact)") }
    }
    try reader.finish()
    return rows
  }
}
