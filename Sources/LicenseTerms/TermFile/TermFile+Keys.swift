public import GovernanceTypes

extension TermFile {
  /// The key under which a fact is recorded: the declared key, then the term file's id or the period it is stated for.
  ///
  /// `party.mau.2023-06` stays as it is; a fact stated per term file becomes `terms.accepted.<id>`; a fact stated per period
  /// becomes `party.mau.2026-10` at any instant of November 2026. `parameters` are the operator's choices.
  public func externalKey(
    for fact: FactDeclaration, at time: Timestamp, parameters: [String: ParameterValue] = [:]
  ) -> String {
    if fact.isPerTermFile { return "\(fact.key).\(self.id)" }
    guard let period = fact.period else { return fact.key }
    let local = Timestamp(nanoseconds: time.nanoseconds &+ self.zoneOffset(of: fact, parameters))
    return "\(fact.key).\(period.preceding(local.day))"
  }

  /// The declaration behind an external key; nil where this term file reads no such fact. A key of any period is found.
  public func declaration(forExternalKey key: String) -> FactDeclaration? {
    self.facts.first { fact in
      if fact.isPerTermFile { return key == "\(fact.key).\(self.id)" }
      guard let period = fact.period else { return key == fact.key }
      guard key.hasPrefix("\(fact.key).") else { return false }
      return period.names(key.dropFirst(fact.key.count + 1))
    }
  }

  /// Nanoseconds east of UTC. Zones are checked where they are read: in the file, and by ``parameterValues(_:path:)``.
  func zoneOffset(of fact: FactDeclaration, _ parameters: [String: ParameterValue]) -> Int64 {
    offset(ofZone: self.text(of: fact.zone, parameters)) ?? 0
  }

  /// A setting with the parameter it may be left to filled in.
  func text(of setting: Setting<String>, _ parameters: [String: ParameterValue]) -> String {
    switch setting {
    case .value(let text): text
    case .parameter(let name): self.value(of: name, parameters)?.description ?? name
    }
  }

  /// The operator's choice, else the term file's own value.
  func value(of name: String, _ parameters: [String: ParameterValue]) -> ParameterValue? {
    parameters[name] ?? self.interpretations.first { $0.name == name }?.standard
  }
}

extension TermFile {
  /// Whether a clause, and the document that it stands in, were held against their source. A clause stands in the document whose
  /// role its first section begins with, else in the first one.
  public func isVerified(_ clause: Clause) -> Bool {
    guard clause.isVerified else { return false }
    let role = clause.sections.first.flatMap { section in
      section.firstIndex(of: "/").map { String(section[..<$0]) }
    }
    let document = role.flatMap { role in self.documents.first { $0.role == role } } ?? self.documents.first
    return document?.isVerified ?? true
  }

  /// The texts that may change in place, with the day by which each is to be read again. `facts` are the operator's: an event
  /// `document.reviewed.<term file>.<role>` says when one last was.
  public func reviews(_ facts: FactSheet, at time: Timestamp) -> [DocumentReview] {
    self.documents.compactMap { document in
      guard let days = document.reviewEveryDays, let readOn = self.reading?.readOn else { return nil }
      let last = facts.records(of: "document.reviewed.\(self.id).\(document.role)").map(\.recordedAt).filter { $0 <= time }.max()
      let due = max(last ?? readOn.start, readOn.start).advanced(byDays: days)
      return DocumentReview(document: document, due: due, isOverdue: due <= time)
    }
  }
}

/// When a text that may change in place is to be read again.
public struct DocumentReview: Sendable, Hashable {
  public let document: TermDocument
  public let due: Timestamp
  public let isOverdue: Bool
}

extension PeriodUnit {
  func names(_ text: some StringProtocol) -> Bool {
    switch self {
    case .day: CalendarDay(String(text)) != nil
    case .calendarMonth: CalendarMonth(String(text)) != nil
    case .calendarYear: text.utf8.count == 4 && text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }
  }
}
