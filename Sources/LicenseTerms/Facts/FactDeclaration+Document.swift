internal import Documents
internal import GovernanceTypes

extension FactDeclaration {
  init(key: String, _ document: Document, path: String) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    guard isName(key), key != actionKey else {
      throw reader.failureHere(key == actionKey ? "'action' is what is asked, no fact" : nameRule)
    }
    self.key = key
    self.type = try reader.choice("type")
    self.subject = try reader.choice("subject")
    self.sources = try reader.choices("source")
    guard !self.sources.isEmpty else { throw reader.failure("source", "at least one source belongs here") }
    self.values = try reader.uniqueStrings("values")
    let currency = try reader.optionalString("currency")
    self.currency = currency.flatMap { Currency($0) }
    if currency != nil, self.currency == nil { throw reader.failure("currency", "three capital letters of ISO 4217 belong here") }
    self.bound = try reader.optionalChoice("bound")
    self.isPerTermFile = try reader.optionalBool("per_document") ?? false
    self.period = try reader.optionalChoice("period")
    self.zone = try reader.zone("zone") ?? .value("UTC")
    self.expiresAfterDays = try reader.optionalInteger("expires_days", in: 1...36_500)
    self.reaffirmAfterDays = try reader.optionalInteger("reaffirm_days", in: 1...36_500)
    self.endedBy = try reader.uniqueStrings("events")
    self.expiresOnDocumentChange = try reader.expiry(events: self.endedBy)
    self.statement = try reader.optionalString("statement")
    self.absent = nil
    let absent = reader.document("absent")
    try reader.finish()
    try self.check(reader)
    guard let absent else { return }
    guard self.subject == .request else { throw reader.failure("absent", "only a request's fact has a value when absent") }
    self.absent = try FactValue(absent, for: self, path: reader.field("absent"))
  }

  private func check(_ reader: DocumentReader) throws(DocumentError) {
    if self.type == .enum, self.values.isEmpty { throw reader.failure("values", "an enumeration needs its values") }
    if self.type != .enum, self.type != .set, !self.values.isEmpty {
      throw reader.failure("values", "only an enumeration or a set has values")
    }
    if (self.type == .money) != (self.currency != nil) {
      throw reader.failure("currency", "belongs to a fact of type money, and only there")
    }
    if self.bound != nil, self.type != .count, self.type != .money {
      throw reader.failure("bound", "belongs to counts and amounts only")
    }
    if self.expiresOnDocumentChange, !self.isPerTermFile {
      throw reader.failure("expires", "on_document_change needs per_document: true")
    }
    if self.period != nil, self.isPerTermFile { throw reader.failure("period", "does not go together with per_document") }
    if self.period == nil, self.zone != .value("UTC") { throw reader.failure("zone", "needs a period") }
    if self.statement == nil, self.sources.contains(.attestation), self.subject.isParty {
      throw reader.failure("statement", "an attested fact needs the sentence that is signed")
    }
  }
}

/// The name under which a predicate reads what is asked.
let actionKey = "action"

extension DocumentReader {
  /// `expires: on_event` goes with `events`, `expires: on_document_change` stands alone.
  fileprivate mutating func expiry(events: [String]) throws(DocumentError) -> Bool {
    enum Expiry: String, CaseIterable {
      case onEvent = "on_event"
      case onDocumentChange = "on_document_change"
    }
    let expiry = try self.optionalChoice("expires", of: Expiry.self)
    if (expiry == .onEvent) != !events.isEmpty { throw self.failure("events", "go together with expires: on_event") }
    return expiry == .onDocumentChange
  }

  /// `UTC`, a fixed offset (`+08:00`), or `{param: name}`.
  mutating func zone(_ key: String) throws(DocumentError) -> Setting<String>? {
    guard let setting = try self.setting(key) else { return nil }
    if case .value(let text) = setting, offset(ofZone: text) == nil {
      throw self.failure(key, zoneRule)
    }
    return setting
  }

  /// A single value as text, or `{param: name}`.
  mutating func setting(_ key: String) throws(DocumentError) -> Setting<String>? {
    guard let document = self.document(key) else { return nil }
    guard case .map = document.content else { return try self.optionalScalarText(key).map(Setting.value) }
    var reader = try self.reader(key)
    let name = try reader.string("param")
    try reader.finish()
    return .parameter(name)
  }
}
