import GovernanceTypes

/// A declared fact at its place in the term file, with what reading it asks again and again worked out once.
final class DeclaredFact: Sendable {
  let place: Int
  let declaration: FactDeclaration
  /// What was never recorded did not happen.
  let isEvent: Bool
  /// A count or an amount: measurements bound it.
  let isQuantity: Bool
  /// Several events may date the same thing; the earliest counts, since what ended does not begin again by a later event.
  let isDatedByEvents: Bool
  private let sources: SourceSet

  init(_ declaration: FactDeclaration, place: Int) {
    self.place = place
    self.declaration = declaration
    self.isEvent = declaration.isEvent
    self.isQuantity = declaration.type == .count || declaration.type == .money
    self.isDatedByEvents = declaration.type == .date && declaration.isEvent
    self.sources = SourceSet(declaration.sources)
  }

  /// Whether a record of the fact counts: from a declared source, of the declared type.
  func accepts(_ record: Fact) -> Bool { self.sources.contains(record.source) && self.fits(record.value) }

  private func fits(_ value: FactValue) -> Bool {
    switch (self.declaration.type, value) {
    case (.bool, .bool), (.count, .interval), (.money, .interval), (.enum, .choice), (.set, .set), (.region, .region),
      (.date, .day), (.digest, .digest), (.text, .text):
      true
    default: false
    }
  }
}

/// Sources in one word.
private struct SourceSet: Sendable {
  private var bits: UInt16 = 0

  init(_ sources: Set<FactSource>) { for source in sources { self.bits |= Self.bit(source) } }

  func contains(_ source: FactSource) -> Bool { self.bits & Self.bit(source) != 0 }

  private static func bit(_ source: FactSource) -> UInt16 {
    switch source {
    case .attestation: 1
    case .measured: 2
    case .config: 4
    case .classifier: 8
    case .rule: 16
    case .screening: 32
    case .event: 64
    case .human: 128
    case .request: 256
    }
  }
}

/// A set of facts of one term file, by their places, in two words.
struct FactPlaces: Sendable, Hashable {
  /// As many facts as a term file may declare.
  static let limit = 128

  private var low: UInt64 = 0
  private var high: UInt64 = 0

  mutating func insert(_ place: Int) {
    if place < 64 { self.low |= 1 << UInt64(place) } else { self.high |= 1 << UInt64(place - 64) }
  }

  func contains(_ place: Int) -> Bool {
    place < 64 ? self.low & 1 << UInt64(place) != 0 : self.high & 1 << UInt64(place - 64) != 0
  }

  mutating func formUnion(_ other: FactPlaces) {
    self.low |= other.low
    self.high |= other.high
  }

  func isDisjoint(with other: FactPlaces) -> Bool { self.low & other.low == 0 && self.high & other.high == 0 }

  /// The places in ascending order.
  var places: [Int] { (0..<Self.limit).filter(self.contains) }
}
