import GovernanceTypes

/// A test of one fact that came out unknown, or otherwise than wanted.
struct Leaf: Sendable {
  enum Test: Sendable {
    case fact(FactTest)
    case threshold(ResolvedThreshold)
    /// The fact is to hold this text.
    case notice(String)
    /// The party's purposes are to be stated.
    case purposes
  }

  let place: Int
  let state: ClauseState
  let test: Test
  let wanted: Bool

  /// A value with which the test comes out as wanted, nil where none can be told; and all such values where they can be listed.
  func wish(_ fact: FactDeclaration) -> (suitable: FactValue?, values: [String]) {
    switch self.test {
    case .fact(let test): test.wish(self.wanted, fact)
    case .threshold(let resolved): (resolved.threshold.limit.suitable(wanted: self.wanted), [])
    case .notice(let text): (self.wanted ? .text(text) : nil, [])
    case .purposes: (.set([]), [])
    }
  }

  var threshold: Threshold? {
    if case .threshold(let resolved) = self.test { resolved.threshold } else { nil }
  }
}

/// What an evaluation looked at, gathered on the way.
struct Evidence: Sendable {
  private(set) var read = FactPlaces()
  var unknowns: [Leaf] = []
  var failures: [Leaf] = []
  private(set) var until: Timestamp?

  mutating func note(_ reading: FactReading) {
    self.read.insert(reading.fact.place)
    self.note(until: reading.until)
  }

  mutating func note(until instant: Timestamp?) {
    guard let instant else { return }
    self.until = min(self.until ?? instant, instant)
  }

  /// Takes over what another evaluation looked at, but not how it came out.
  mutating func absorb(_ other: Evidence) {
    self.read.formUnion(other.read)
    self.note(until: other.until)
  }
}
