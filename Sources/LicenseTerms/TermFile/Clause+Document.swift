import Documents
import GovernanceTypes

extension Clause {
  static func standardEffects(_ kind: Kind) -> (onTrue: Effect, onFalse: Effect, onUnknown: Effect) {
    switch kind {
    case .condition, .obligation: (.allow, .deny, .requireRecord)
    case .prohibition, .termination: (.deny, .allow, .requireRecord)
    case .grant, .exemption, .information: (.allow, .allow, .allow)
    }
  }

  /// Each kind has the members that it means something by, and no others.
  func check(_ reader: DocumentReader, _ references: TermReferences) throws(DocumentError) {
    for rule in ClauseRule.all {
      let isGiven = reader.has(rule.key)
      if !isGiven, rule.required.contains(self.kind) { throw reader.failure(rule.key, "is missing; \(self.kind) needs it") }
      if isGiven, !rule.allowed.contains(self.kind) { throw reader.failure(rule.key, "has no meaning in \(self.kind)") }
    }
    if let exception = self.curedBy, !references.exceptions.contains(exception) {
      throw reader.unknown("exception", exception, among: references.exceptions, at: "cured_by")
    }
    if self.onUnknown == .allow, self.kind == .condition || self.kind == .termination {
      throw reader.failure("on_unknown", "unknown is never a plain allow here; allow_and_record at least")
    }
  }
}

/// A member of a clause: the kinds that need it, and those in which it means something.
private struct ClauseRule {
  let key: String
  let required: [Clause.Kind]
  let allowed: [Clause.Kind]

  static let all = [
    ClauseRule(key: "actions", required: [.grant], allowed: [.grant]),
    ClauseRule(key: "require", required: [.condition], allowed: [.condition]),
    ClauseRule(key: "forbids", required: [.prohibition], allowed: [.prohibition]),
    ClauseRule(key: "exempts", required: [.exemption], allowed: [.exemption]),
    ClauseRule(key: "from", required: [], allowed: [.termination]),
    ClauseRule(key: "effect", required: [.termination], allowed: [.termination]),
    ClauseRule(
      key: "duty", required: [.obligation], allowed: [.obligation, .termination, .information, .condition, .prohibition]),
    ClauseRule(
      key: "when", required: [.exemption, .termination],
      allowed: [.condition, .prohibition, .obligation, .exemption, .termination]),
    ClauseRule(key: "exempt_when", required: [], allowed: [.condition, .prohibition, .obligation, .termination]),
    ClauseRule(key: "cured_by", required: [], allowed: [.condition, .prohibition, .obligation, .termination]),
    ClauseRule(
      key: "binds", required: [.condition, .prohibition, .obligation, .termination],
      allowed: [.condition, .prohibition, .obligation, .termination, .exemption]),
    ClauseRule(key: "binds_customers_when", required: [], allowed: [.condition, .prohibition, .obligation, .termination]),
    ClauseRule(key: "on_true", required: [], allowed: [.prohibition]),
    ClauseRule(key: "on_false", required: [], allowed: [.condition, .obligation]),
    ClauseRule(key: "on_unknown", required: [], allowed: [.condition, .prohibition, .obligation, .termination]),
    ClauseRule(key: "on_unknown_critical", required: [], allowed: [.prohibition]),
    ClauseRule(key: "notice_on_response", required: [], allowed: [.prohibition, .obligation, .condition]),
    ClauseRule(key: "pass_through", required: [], allowed: [.prohibition]),
  ]
}

extension Prohibition {
  init(_ document: Document, path: String, _ references: inout TermReferences) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    self.actions = try reader.actions("action")
    self.declaredBy = try reader.predicate("declared_by", &references)
    self.unless = try reader.predicate("unless", &references)
    self.uses = try reader.uses(references)
    self.findings = try reader.set("findings", of: .request, &references)
    self.checked = try reader.set("checked", of: .request, &references)
    self.purposes = try reader.set("purposes", of: .party, &references)
    guard self.actions.isEmpty != self.uses.isEmpty else { throw reader.failureHere("'action' or 'uses' belongs here") }
    if self.actions.isEmpty, self.findings == nil { throw reader.failure("findings", "is missing; uses need it") }
    if !self.actions.isEmpty, self.findings != nil || self.checked != nil || self.purposes != nil {
      throw reader.failure("findings", "findings, checked and purposes go together with uses")
    }
    if self.actions.isEmpty, self.declaredBy != nil || self.unless != nil {
      throw reader.failure("unless", "unless and declared_by go together with action")
    }
    try reader.finish()
  }
}

extension DocumentReader {
  /// One action, or a list of them.
  fileprivate mutating func actions(_ key: String) throws(DocumentError) -> Set<Action> {
    guard case .string? = self.document(key)?.content else { return try self.choices(key) }
    return [try self.choice(key)]
  }

  mutating func duties(_ references: inout TermReferences) throws(DocumentError) -> [Duty] {
    var duties: [Duty] = []
    if let document = self.document("duty") { duties.append(try Duty(document, path: self.field("duty"), &references)) }
    if var header = try self.optionalReader("notice_on_response") {
      duties.append(.header(name: try header.name("header"), value: try header.name("value")))
      try header.finish()
    }
    return duties
  }

  /// The key of a date fact.
  mutating func date(_ key: String, _ references: inout TermReferences) throws(DocumentError) -> String? {
    guard let name = try self.optionalString(key) else { return nil }
    let fact = try references.fact(name, self, at: key)
    guard fact.type == .date else { throw self.failure(key, "must be a date") }
    return fact.key
  }

  mutating func notes(_ keys: [String]) throws(DocumentError) -> [Note] {
    var notes: [Note] = []
    for key in keys {
      guard let text = try self.optionalScalarText(key) else { continue }
      notes.append(Note(key: key, value: text))
    }
    return notes
  }

  /// `all`, or a list of ids.
  fileprivate mutating func uses(_ references: TermReferences) throws(DocumentError) -> [String] {
    guard let document = self.document("uses") else { return [] }
    if case .string("all") = document.content { return references.uses.sorted() }
    let ids = try self.uniqueStrings("uses")
    for id in ids where !references.uses.contains(id) {
      throw self.unknown("use", id, among: references.uses, at: "uses")
    }
    return ids.sorted()
  }

  fileprivate mutating func set(
    _ key: String, of subject: FactSubject, _ references: inout TermReferences
  ) throws(DocumentError) -> String? {
    guard let name = try self.optionalString(key) else { return nil }
    let fact = try references.fact(name, self, at: key)
    guard fact.type == .set, fact.subject == subject else { throw self.failure(key, "must be a set of a \(subject)") }
    return fact.key
  }
}
