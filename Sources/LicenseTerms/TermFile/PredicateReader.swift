public import Documents
import GovernanceTypes

/// What the parts of a term file may refer to, and what they did refer to.
struct TermReferences {
  var facts: [String: FactDeclaration] = [:]
  var parameters: [String: TermFile.Interpretation] = [:]
  var notices: Set<String> = []
  var documents: Set<String> = []
  var exceptions: Set<String> = []
  var uses: Set<String> = []
  private(set) var usedFacts: Set<String> = []
  private(set) var usedParameters: Set<String> = []

  mutating func fact(_ key: String, _ reader: DocumentReader, at member: String) throws(DocumentError) -> FactDeclaration {
    guard let fact = self.facts[key] else { throw reader.unknown("fact", key, among: self.facts.keys, at: member) }
    self.usedFacts.insert(key)
    return fact
  }

  mutating func parameter(
    _ name: String, _ reader: DocumentReader, at member: String
  ) throws(DocumentError) -> TermFile.Interpretation {
    guard let parameter = self.parameters[name] else {
      throw reader.unknown("interpretation", name, among: self.parameters.keys, at: member)
    }
    self.usedParameters.insert(name)
    return parameter
  }

  mutating func check(_ setting: Setting<String>?, _ reader: DocumentReader, at member: String) throws(DocumentError) {
    guard case .parameter(let name)? = setting else { return }
    _ = try self.parameter(name, reader, at: member)
  }
}

extension DocumentReader {
  /// The one of these keys that is there; nil where none is, or several.
  func only(of keys: [String]) -> String? {
    var found: String?
    for key in keys where self.has(key) {
      guard found == nil else { return nil }
      found = key
    }
    return found
  }

  func unknown(
    _ what: String, _ name: String, among names: some Collection<String>, at member: String
  ) -> DocumentError {
    let near = nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
    return self.failure(member, "there is no \(what) '\(name)'\(near)")
  }

  mutating func predicate(_ key: String, _ references: inout TermReferences) throws(DocumentError) -> Predicate? {
    guard let document = self.document(key) else { return nil }
    return try Predicate(document, path: self.field(key), &references)
  }
}

extension Predicate {
  private static let heads = ["all", "any", "not", "fact", "param", "action", "exception", "threshold"]

  init(_ document: Document, path: String, _ references: inout TermReferences) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    guard let head = reader.only(of: Self.heads) else {
      throw reader.failureHere("exactly one of all, any, not, fact, param, action, exception, threshold belongs here")
    }
    switch head {
    case "all": self = .all(try Self.list("all", &reader, &references))
    case "any": self = .any(try Self.list("any", &reader, &references))
    case "not": self = .not(try Predicate(try reader.required("not"), path: reader.field("not"), &references))
    case "param": self = try Self.parameter(&reader, &references)
    case "action": self = .action([try reader.choice("action")])
    case "exception": self = try Self.exception(&reader, references)
    case "threshold": self = .threshold(try Threshold(try reader.reader("threshold"), &references))
    default: self = try Self.fact(&reader, &references)
    }
    try reader.finish()
  }

  private static func list(
    _ key: String, _ reader: inout DocumentReader, _ references: inout TermReferences
  ) throws(DocumentError) -> [Predicate] {
    var predicates: [Predicate] = []
    for (path, document) in try reader.list(key) { predicates.append(try Predicate(document, path: path, &references)) }
    guard !predicates.isEmpty else { throw reader.failure(key, "at least one condition belongs here") }
    return predicates
  }

  private static func exception(
    _ reader: inout DocumentReader, _ references: TermReferences
  ) throws(DocumentError) -> Predicate {
    let id = try reader.string("exception")
    guard references.exceptions.contains(id) else {
      throw reader.unknown("exception", id, among: references.exceptions, at: "exception")
    }
    return .exception(id)
  }

  private static func parameter(
    _ reader: inout DocumentReader, _ references: inout TermReferences
  ) throws(DocumentError) -> Predicate {
    let parameter = try references.parameter(try reader.string("param"), reader, at: "param")
    let value = try ParameterValue(try reader.required("is"), for: parameter, path: reader.field("is"))
    return .parameter(parameter.name, value)
  }

  private static func fact(
    _ reader: inout DocumentReader, _ references: inout TermReferences
  ) throws(DocumentError) -> Predicate {
    let key = try reader.string("fact")
    if key == actionKey { return .action(try Self.actions(&reader)) }
    let fact = try references.fact(key, reader, at: "fact")
    if let notice = try reader.optionalString("contains_notice") {
      guard references.notices.contains(notice) else {
        throw reader.unknown("notice", notice, among: references.notices, at: "contains_notice")
      }
      guard fact.type == .text else { throw reader.failure("fact", "must be a text") }
      return .holdsNotice(fact: key, notice: notice)
    }
    return .fact(key, try FactTest(&reader, fact))
  }

  private static func actions(_ reader: inout DocumentReader) throws(DocumentError) -> [Action] {
    if reader.has("is") { return [try reader.choice("is")] }
    let actions: Set<Action> = try reader.choices("in")
    guard !actions.isEmpty else { throw reader.failure("in", "at least one action belongs here") }
    return actions.sorted { $0.rawValue < $1.rawValue }
  }
}

extension FactTest {
  private static let tests = ["is", "in", "intersects", "present"]

  init(_ reader: inout DocumentReader, _ fact: FactDeclaration) throws(DocumentError) {
    guard let test = reader.only(of: Self.tests) else {
      throw reader.failure("fact", "exactly one of is, in, intersects, present, contains_notice goes with it")
    }
    switch test {
    case "is": self = try Self.values([("is", try reader.required("is"))], &reader, fact)
    case "in": self = try Self.values(try reader.list("in"), &reader, fact)
    case "intersects":
      guard fact.type == .set else { throw reader.failure("intersects", "'\(fact.key)' is no set") }
      self = .intersects(try reader.values("intersects", of: fact))
    default:
      guard let present = try reader.optionalBool("present") else { throw reader.failure("present", "is missing") }
      self = .present(present)
    }
  }

  private static func values(
    _ literals: [(path: String, value: Document)], _ reader: inout DocumentReader, _ fact: FactDeclaration
  ) throws(DocumentError) -> FactTest {
    guard !literals.isEmpty else { throw reader.failure("in", "at least one value belongs here") }
    switch fact.type {
    case .region: return .isInRegions(try Self.regions(literals))
    case .set: throw reader.failure("fact", "'\(fact.key)' is a set; test it with intersects")
    case .count, .money: throw reader.failure("fact", "'\(fact.key)' is a number; test it with a threshold")
    case .bool, .enum, .date, .digest, .text:
      var values: [FactValue] = []
      for (path, document) in literals { values.append(try FactValue(document, for: fact, path: path)) }
      return .isOneOf(values)
    }
  }

  private static func regions(_ literals: [(path: String, value: Document)]) throws(DocumentError) -> [String] {
    var codes: Set<String> = []
    for (path, document) in literals {
      guard case .string(let name) = document.content, let expanded = Regions.expanded(name) else {
        throw DocumentError(
          field: path, position: document.position,
          message: "a country code of ISO 3166-1 alpha-2 in capitals, EU or EEA belongs here (in quotes: \"NO\")")
      }
      codes.formUnion(expanded)
    }
    return codes.sorted()
  }
}

extension DocumentReader {
  /// Values of a set fact.
  fileprivate mutating func values(_ key: String, of fact: FactDeclaration) throws(DocumentError) -> [String] {
    let value = try FactValue(try self.required(key), for: fact, path: self.field(key))
    guard case .set(let values) = value, !values.isEmpty else { throw self.failure(key, "at least one value belongs here") }
    return values
  }
}

extension ParameterValue {
  /// Reads a value of the type that the interpretation's own value has.
  public init(_ document: Document, for parameter: TermFile.Interpretation, path: String) throws(DocumentError) {
    switch (document.content, parameter.standard) {
    case (.bool(let flag), .bool): self = .bool(flag)
    case (.number(let digits), .number): self = .number(digits)
    case (.string(let text), .text):
      guard parameter.choices.isEmpty || parameter.choices.contains(text) else {
        throw DocumentError(
          field: path, position: document.position,
          message: "'\(text)' is none of \(parameter.choices.joined(separator: ", "))")
      }
      self = .text(text)
    default:
      throw DocumentError(
        field: path, position: document.position,
        message: "a value like \(parameter.standard) belongs here, not \(document.kind)")
    }
  }
}
