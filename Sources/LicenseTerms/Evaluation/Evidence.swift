import GovernanceTypes

/// A test of one fact that came out unknown, or otherwise than wanted.
struct Leaf {
  let reading: FactReading
  let state: ClauseState
  /// A value with which the test comes out as wanted; nil where none can be told.
  let suitable: FactValue?
  /// The values that would do, where they can be listed.
  let values: [String]
  let threshold: Threshold?
}

/// What an evaluation looked at, gathered on the way.
struct Evidence {
  private(set) var readings: [FactReading] = []
  var unknowns: [Leaf] = []
  var failures: [Leaf] = []
  private(set) var until: Timestamp?

  mutating func note(_ reading: FactReading) {
    if !self.readings.contains(where: { $0.key == reading.key && $0.subject == reading.subject }) {
      self.readings.append(reading)
    }
    self.note(until: reading.until)
  }

  mutating func note(until instant: Timestamp?) {
    guard let instant else { return }
    self.until = min(self.until ?? instant, instant)
  }

  /// Takes over what another evaluation looked at, but not how it came out.
  mutating func absorb(_ other: Evidence) {
    for reading in other.readings { self.note(reading) }
    self.note(until: other.until)
  }

  var used: [UsedFact] { self.readings.map(\.used) }
}
