import GovernanceTypes

/// A predicate with its names resolved to places in the term file.
indirect enum ResolvedPredicate: Sendable {
  case all([ResolvedPredicate])
  case any([ResolvedPredicate])
  case not(ResolvedPredicate)
  case fact(Int, FactTest)
  case parameter(Int, ParameterValue)
  case action([Action])
  case exception(String)
  case threshold(ResolvedThreshold)
  case holdsNotice(fact: Int, text: String)
}

/// A threshold with its fact resolved.
final class ResolvedThreshold: Sendable {
  let fact: Int
  let threshold: Threshold
  /// The period that rolls on; nil for one that does not.
  let rolling: PeriodUnit?

  init(_ threshold: Threshold, fact: Int) {
    self.fact = fact
    self.threshold = threshold
    if case .rolling = threshold.anchor { self.rolling = threshold.unit } else { self.rolling = nil }
  }
}

/// The places of what predicates name. Loading has refused every name that is not there.
struct PlaceNames {
  private let facts: [String: Int]
  private let parameters: [String: Int]
  private let notices: [String: String]

  init(_ parts: TermParts) {
    self.facts = Dictionary(parts.facts.enumerated().map { ($1.key, $0) }) { first, _ in first }
    self.parameters = Dictionary(parts.interpretations.enumerated().map { ($1.name, $0) }) { first, _ in first }
    self.notices = Dictionary(parts.notices.map { ($0.id, $0.text) }) { first, _ in first }
  }

  func place(of fact: String?) -> Int? { fact.flatMap { self.facts[$0] } }

  func resolve(_ predicate: Predicate?) -> ResolvedPredicate? { predicate.map { self.resolved($0) } }

  private func resolved(_ predicate: Predicate) -> ResolvedPredicate {
    switch predicate {
    case .all(let parts): return .all(parts.map { self.resolved($0) })
    case .any(let parts): return .any(parts.map { self.resolved($0) })
    case .not(let part): return .not(self.resolved(part))
    case .action(let actions): return .action(actions)
    case .exception(let id): return .exception(id)
    case .fact(let key, let test): return .fact(self.known(self.facts[key], key), test)
    case .parameter(let name, let value): return .parameter(self.known(self.parameters[name], name), value)
    case .threshold(let threshold):
      return .threshold(ResolvedThreshold(threshold, fact: self.known(self.facts[threshold.fact], threshold.fact)))
    case .holdsNotice(let key, let notice):
      return .holdsNotice(fact: self.known(self.facts[key], key), text: self.known(self.notices[notice], notice))
    }
  }

  private func known<Value>(_ value: Value?, _ name: String) -> Value {
    guard let value else { preconditionFailure("'\(name)' was there when the term file was read") }
    return value
  }
}
