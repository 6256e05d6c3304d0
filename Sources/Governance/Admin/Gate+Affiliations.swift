public import Documents
public import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

/// That one party controls a share of another, from a day on and perhaps to another, as stored.
struct StoredAffiliation: Sendable {
  var id: AffiliationID
  var controller: Subject
  var controlled: Subject
  /// In nano-units of the whole: "0.51" is 510,000,000.
  var control: NanoAmount
  var validFrom: CalendarDay
  /// Not included.
  var validTo: CalendarDay?
  var recordedAt: Timestamp

  /// Control of more than half makes an affiliate, where the terms do not say otherwise.
  static let half = NanoAmount(500_000_000)

  func makesAffiliates(on day: CalendarDay) -> Bool {
    self.control > Self.half && self.validFrom <= day && (self.validTo.map { day < $0 } ?? true)
  }

  var json: JSON {
    [
      "id": .string(self.id.description), "object": "affiliation", "controller": .string(self.controller.description),
      "controlled": .string(self.controlled.description), "control": .string(self.control.description),
      "valid_from": .string(self.validFrom.description), "valid_to": JSON(self.validTo?.description),
      "recorded_at": .string(self.recordedAt.description),
    ]
  }

  init(request document: Document, id: AffiliationID, at now: Timestamp) throws(DocumentError) {
    var reader = try DocumentReader(document)
    try self.init(&reader, id: id, recordedAt: now)
  }

  init(stored document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let id: AffiliationID = try reader.identifier("id")
    _ = try reader.string("object")
    try self.init(&reader, id: id, recordedAt: try reader.timestamp("recorded_at"))
  }

  private init(_ reader: inout DocumentReader, id: AffiliationID, recordedAt: Timestamp) throws(DocumentError) {
    self.id = id
    self.recordedAt = recordedAt
    self.controller = try reader.subject("controller")
    self.controlled = try reader.subject("controlled")
    guard self.controller != self.controlled else { throw reader.failure("controlled", "a party is no affiliate of itself") }
    self.control = try reader.money("control", allowsZero: false)
    guard self.control <= NanoAmount(1_000_000_000) else {
      throw reader.failure("control", "a share of at most \"1\" belongs here, such as \"0.51\"")
    }
    self.validFrom = try reader.timestamp("valid_from").day
    self.validTo = try reader.optionalTimestamp("valid_to")?.day
    if let end = self.validTo, end <= self.validFrom { throw reader.failure("valid_to", "is not after valid_from") }
    try reader.finish()
  }
}

extension Gate {
  /// Records who controls whom. Statements that hold only while the affiliates stay the same end with it, for all of both groups.
  public func recordAffiliation(_ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    let now = self.now()
    let affiliation = try self.reading { () throws(DocumentError) in
      try StoredAffiliation(request: body, id: self.makeID(at: now), at: now)
    }
    for case .party(let name) in [affiliation.controller, affiliation.controlled] {
      if let id = CustomerID(name) { _ = try self.knownCustomer(id) }
    }
    try await self.write(affiliation, by: actor)
    return affiliation.json
  }

  /// Ends an affiliation on a day: `{"valid_to": "2026-12-01"}`.
  public func endAffiliation(_ id: AffiliationID, _ body: Document, by actor: Actor) async throws(Refusal) -> JSON {
    guard var affiliation = self.state.withLock({ $0.affiliations[id] }) else {
      throw Refusal(.notFound, "There is no affiliation \(id).")
    }
    let end = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      let end = try reader.timestamp("valid_to").day
      try reader.finish()
      guard end > affiliation.validFrom else { throw reader.failure("valid_to", "is not after valid_from") }
      return end
    }
    if let earlier = affiliation.validTo, earlier <= end {
      throw Refusal(.conflict, "The affiliation \(id) ends on \(earlier) already.")
    }
    affiliation.validTo = end
    affiliation.recordedAt = self.now()
    try await self.write(affiliation, by: actor)
    return affiliation.json
  }

  public func affiliations() -> [JSON] {
    self.state.withLock { $0.affiliations.values.sorted { $0.id < $1.id }.map(\.json) }
  }

  private func write(_ affiliation: StoredAffiliation, by actor: Actor) async throws(Refusal) {
    let object = self.stored(.affiliation, id: affiliation.id.description, customer: nil, body: affiliation.json)
    try await self.commit(
      [(object, .admin, [JSONMember("act", "affiliation"), JSONMember("affiliation", affiliation.json)])], by: actor)
  }
}

extension GateState {
  /// A party and all that are affiliated with it on a day, through any number of steps; the party first.
  func group(of subject: Subject, on day: CalendarDay) -> [Subject] {
    let edges = self.affiliations.values.filter { $0.makesAffiliates(on: day) }
    var group = [subject]
    var known: Set<Subject> = [subject]
    var next = 0
    while next < group.count {
      let member = group[next]
      next += 1
      for edge in edges where edge.controller == member || edge.controlled == member {
        let other = edge.controller == member ? edge.controlled : edge.controller
        if known.insert(other).inserted { group.append(other) }
      }
    }
    return [subject] + group.dropFirst().sorted { $0.description < $1.description }
  }

  /// Takes an edge in and dates the change of both groups by an event: statements that such a change ends are then stated anew.
  mutating func take(affiliation document: Document) throws(DocumentError) {
    let affiliation = try StoredAffiliation(stored: document)
    let day = affiliation.validFrom
    var touched = Set(self.group(of: affiliation.controller, on: day) + self.group(of: affiliation.controlled, on: day))
    self.affiliations[affiliation.id] = affiliation
    touched.formUnion(self.group(of: affiliation.controller, on: day))
    for subject in touched {
      self.facts.add(
        Fact(
          key: "affiliates.changed", value: .day(affiliation.recordedAt.day), source: .event,
          reference: affiliation.id.description, recordedAt: affiliation.recordedAt), to: subject)
    }
    self.standings.removeAll()
  }
}
