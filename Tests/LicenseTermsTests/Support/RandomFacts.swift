import GovernanceTypes
import LicenseTerms

/// Random facts about random subjects, for properties of standings.
struct RandomFacts {
  static let time = Timestamp(seconds: 1_795_392_000)  // 2026-11-23
  private static let day: Int64 = 86_400

  let file: TermFile
  var generator: SplitMix64

  /// A record of a declared fact; stale, early or of another document now and then.
  mutating func fact(_ declaration: FactDeclaration) -> Fact {
    let age = Int64.random(in: 0..<500, using: &self.generator) * Self.day
    let source = declaration.sources.sorted { $0.rawValue < $1.rawValue }.randomElement(using: &self.generator) ?? .attestation
    let recorded = Timestamp(seconds: Self.time.seconds - age)
    let expires =
      Bool.random(using: &self.generator)
      ? nil : Timestamp(seconds: Self.time.seconds + Int64.random(in: -5...50, using: &self.generator) * Self.day)
    let digest = Int.random(in: 0..<8, using: &self.generator) == 0 ? nil : self.file.documentsDigest
    return Fact(
      key: self.file.externalKey(for: declaration, at: Self.time), value: self.value(declaration), source: source,
      reference: "att_\(age)", recordedAt: recorded, expires: expires, acceptedDigest: digest)
  }

  mutating func value(_ declaration: FactDeclaration) -> FactValue {
    switch declaration.type {
    case .bool: .bool(Int.random(in: 0..<6, using: &self.generator) != 0)
    case .count, .money: self.interval()
    case .enum: .choice(declaration.values.randomElement(using: &self.generator) ?? "")
    case .set: .set(self.members(declaration))
    case .region: .region(["DE", "US", "KR", "CH", "GB", "CN", "IR"].randomElement(using: &self.generator) ?? "DE")
    case .date: .day(CalendarDay(number: Self.time.day.number + Int.random(in: -3...300, using: &self.generator)))
    case .digest: .digest(self.file.digest)
    case .text: .text("text")
    }
  }

  /// Few of the values, or of the uses that the file lists.
  private mutating func members(_ declaration: FactDeclaration) -> [String] {
    let names = declaration.values.isEmpty ? ["translation"] + self.file.uses.map(\.id) : declaration.values
    let odds = max(3, names.count / 2)
    return names.filter { _ in Int.random(in: 0..<odds, using: &self.generator) == 0 }.sorted()
  }

  /// Numbers on both sides of the limits that the file names.
  private mutating func interval() -> FactValue {
    let limits = self.file.clauses.flatMap { self.limits(in: [$0.when, $0.requirement, $0.exemptWhen].compactMap { $0 }) }
    let bounds: [Int128] =
      [0, 1000, 699_999_999, 700_000_000, 700_000_001, 900_000_000] + limits.flatMap { [$0 - 1, $0, $0 + 1] }
    let first = bounds.randomElement(using: &self.generator) ?? 0
    let second = bounds.randomElement(using: &self.generator) ?? 0
    return switch Int.random(in: 0..<4, using: &self.generator) {
    case 0: .interval(lower: nil, upper: first)
    case 1: .interval(lower: first, upper: nil)
    default: .interval(lower: min(first, second), upper: max(first, second))
    }
  }

  private func limits(in predicates: [Predicate]) -> [Int128] {
    predicates.flatMap { predicate -> [Int128] in
      switch predicate {
      case .all(let parts), .any(let parts): return self.limits(in: parts)
      case .not(let part): return self.limits(in: [part])
      case .threshold(let threshold):
        switch threshold.limit {
        case .atMost(let limit), .below(let limit), .above(let limit): return [limit]
        }
      case .fact, .parameter, .action, .exception, .holdsNotice: return []
      }
    }
  }

  /// A sheet with some of the facts of the given subjects; `density` of ten declared facts are there.
  mutating func sheet(_ wanted: (FactDeclaration) -> Bool, density: Int = 8) -> FactSheet {
    var facts: [Fact] = []
    for declaration in self.file.facts where wanted(declaration) {
      let isEvent = declaration.type == .date
      guard Int.random(in: 0..<10, using: &self.generator) < (isEvent ? 1 : density) else { continue }
      for _ in 0..<Int.random(in: 1...2, using: &self.generator) { facts.append(self.fact(declaration)) }
    }
    return FactSheet(facts)
  }

  mutating func request(density: Int = 8) -> StandingRequest {
    StandingRequest(
      party: Party(id: "cus_random", facts: self.sheet({ $0.subject.isParty }, density: density)),
      operator: self.sheet({ $0.subject.isParty }, density: density),
      model: GovernedModel(name: "model", facts: self.sheet { $0.subject == .model }), terms: [self.file],
      parameters: [self.file.id: ["treat_cap_as_ongoing": .bool(Bool.random(using: &self.generator))]], at: Self.time)
  }
}

extension StandingRequest {
  /// The question with one more record for a subject.
  func recording(_ fact: Fact, for subject: Subject) -> StandingRequest {
    var request = self
    switch subject {
    case .operator: request.operator = request.operator.adding([fact])
    case .party: request.party.facts = request.party.facts.adding([fact])
    case .model: request.model.facts = request.model.facts.adding([fact])
    case .request: break
    }
    return request
  }
}
