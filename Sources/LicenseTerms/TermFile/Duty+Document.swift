import Documents
import GovernanceTypes

extension Duty {
  private enum Name: String, CaseIterable {
    case provideDocument = "provide_document"
    case includeNotice = "include_notice"
    case display
    case namePrefix = "name_prefix"
    case bindRecipient = "bind_recipient"
    case attest
    case register
    case deleteMaterials = "delete_materials"
    case report
    case showText = "show_text"
  }

  init(_ document: Document, path: String, _ references: inout TermReferences) throws(DocumentError) {
    var reader = try DocumentReader(document, path: path)
    let name: Name = try reader.choice("do")
    switch name {
    case .provideDocument:
      self = .provideDocument(
        role: try reader.role("document", references), to: try reader.optionalString("to") ?? "recipient",
        before: try reader.optionalString("before") ?? "first_use",
        proof: try reader.optionalString("proof") ?? "delivery_record")
    case .includeNotice: self = try Self.notice(&reader, &references)
    case .display: self = .display(text: try reader.string("text"), places: try reader.uniqueStrings("where"))
    case .namePrefix: self = .namePrefix(try reader.string("value"))
    case .bindRecipient: self = try Self.binding(&reader, &references)
    case .attest:
      self = .attest(fact: try reader.flag("fact", &references), blockingAt: try reader.choices("blocking_at"))
    case .register:
      self = .register(fact: try reader.flag("fact", &references), blockingAt: try reader.choices("blocking_at"))
    case .deleteMaterials:
      self = .deleteMaterials(
        withinDays: try reader.optionalInteger("within_days", in: 0...36_500) ?? 0,
        proof: try reader.optionalString("proof") ?? "deletion_record")
    case .report: self = .report(to: try reader.string("to"))
    case .showText: self = .showText(places: try reader.uniqueStrings("where"))
    }
    try reader.finish()
  }

  private static func notice(
    _ reader: inout DocumentReader, _ references: inout TermReferences
  ) throws(DocumentError) -> Duty {
    let notice = try reader.string("notice")
    guard references.notices.contains(notice) else {
      throw reader.unknown("notice", notice, among: references.notices, at: "notice")
    }
    let check = try reader.predicate("check", &references)
    let blocking: Set<Moment> = try reader.choices("blocking_at")
    if check == nil, !blocking.isEmpty { throw reader.failure("check", "a duty that blocks needs a check") }
    return .includeNotice(notice: notice, check: check, blockingAt: blocking)
  }

  private static func binding(
    _ reader: inout DocumentReader, _ references: inout TermReferences
  ) throws(DocumentError) -> Duty {
    let document = try reader.role("document", references)
    let proof = try reader.optionalString("proof") ?? "contract_record"
    let blocking: Set<Moment> = try reader.choices("blocking_at")
    let fact = reader.has("fact") ? try reader.flag("fact", &references) : nil
    if fact == nil, !blocking.isEmpty { throw reader.failure("fact", "a duty that blocks needs a fact") }
    return .bindRecipient(document: document, proof: proof, blockingAt: blocking, fact: fact)
  }
}

extension DocumentReader {
  /// The role of one of the documents.
  fileprivate mutating func role(_ key: String, _ references: TermReferences) throws(DocumentError) -> String {
    let role = try self.string(key)
    guard references.documents.contains(role) else {
      throw self.unknown("document", role, among: references.documents, at: key)
    }
    return role
  }

  /// The key of a boolean fact of a party.
  mutating func flag(_ key: String, _ references: inout TermReferences) throws(DocumentError) -> String {
    let fact = try references.fact(try self.string(key), self, at: key)
    guard fact.type == .bool, fact.subject.isParty else { throw self.failure(key, "must be a boolean of a party") }
    return fact.key
  }
}
