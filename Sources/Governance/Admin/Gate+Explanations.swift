public import Documents
public import GovernanceTypes
public import LicenseTerms
internal import Synchronization

extension Gate {
  /// What the terms of a model say of a customer, with all that it rests on: each clause with its facts, what is missing and how to
  /// supply it, who stated what, which statements contradict each other, and who counts as an affiliate.
  public func explanation(of customer: CustomerID, model: ModelID, action: Action? = nil) throws(Refusal) -> JSON {
    let standing = try self.standing(of: customer, model: model, action: action)
    guard case .object(let members) = standing.json else { return standing.json }
    let subject = Subject.party(customer.description)
    return self.state.withLock { state in
      let now = state.tick(self.environment.now())
      let used = Set(standing.clauses.flatMap(\.facts))
      let references = Set(used.compactMap(\.reference))
      let records = state.statements.filter { references.contains($0.id) }.map(\.body)
      let keys = Set(used.map { SubjectKey(subject: $0.subject, key: $0.key) })
      let conflicts = keys.sorted { $0.text < $1.text }.flatMap { item in
        state.conflicts(of: item.key, about: item.subject, at: now).map { other -> JSON in
          [
            "subject": .string(item.subject.description), "fact": .string(item.key),
            "decides": JSON(state.deciding(item.key, about: item.subject, at: now)?.reference),
            "contradicts": .string(other.reference), "value": .string(other.value.description),
          ]
        }
      }
      return .object(
        members + [
          JSONMember("subject", .string(customer.description)), JSONMember("model", .string(model.name)),
          JSONMember("records", .array(records)),
          JSONMember("conflicts", .array(conflicts)),
          JSONMember(
            "affiliates",
            .array(
              state.group(of: subject, by: state.groupings(of: model), on: now.day).dropFirst().map { .string($0.description) })),
        ])
    }
  }
}

private struct SubjectKey: Hashable {
  let subject: Subject
  let key: String

  var text: String { "\(self.subject) \(self.key)" }
}

extension GateState {
  /// The statements that hold, the most recent first: that one decides.
  private func holding(_ key: String, about subject: Subject, at now: Timestamp) -> [Fact] {
    self.facts.sheet(of: subject).records(of: key).filter { record in
      record.source == .attestation && record.recordedAt <= now && (record.expires.map { now < $0 } ?? true)
    }
  }

  func deciding(_ key: String, about subject: Subject, at now: Timestamp) -> Fact? {
    self.holding(key, about: subject, at: now).first
  }

  /// Statements that hold and cannot be true together with the one that decides.
  func conflicts(of key: String, about subject: Subject, at now: Timestamp) -> [Fact] {
    let holding = self.holding(key, about: subject, at: now)
    guard let deciding = holding.first else { return [] }
    return holding.dropFirst().filter { $0.value.excludes(deciding.value) }
  }
}

extension FactValue {
  /// Whether the two cannot both be true. Bounds that overlap can; a later list or text replaces the earlier one and denies nothing.
  fileprivate func excludes(_ other: FactValue) -> Bool {
    switch (self, other) {
    case (.interval(let lower, let upper), .interval(let otherLower, let otherUpper)):
      if let lower, let otherUpper, lower > otherUpper { return true }
      if let otherLower, let upper, otherLower > upper { return true }
      return false
    case (.set, .set), (.text, .text): return false
    default: return self != other
    }
  }
}
