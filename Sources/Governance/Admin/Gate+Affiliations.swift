public import Documents
public import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

/// That one party controls a share of another, from a day on and perhaps to another, as stored.
struct StoredAffiliation: Sendable {
  var id: AffiliationID
  var controller: Subject
  var controlled: Subject
  /// Of the votes, from 0 to 1.
  var control: ControlShare
  var validFrom: CalendarDay
  /// Not included.
  var validTo: CalendarDay?
  var recordedAt: Timestamp

  var edge: AffiliateEdge {
    AffiliateEdge(
      parent: self.controller.description, child: self.controlled.description, share: self.control, from: self.validFrom,
      until: self.validTo, reference: self.id.description)
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
    guard let share = ControlShare(try reader.string("control")) else {
      throw reader.failure("control", "a share from \"0\" to \"1\" with at most six decimals belongs here, such as \"0.51\"")
    }
    self.control = share
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
  /// A party and all that are affiliated with it by any of the rules; the party first.
  func group(of subject: Subject, by groupings: [AffiliateGrouping], on day: CalendarDay) -> [Subject] {
    let names = self.affiliates.group(of: subject.description, by: groupings, on: day)
    return [subject] + names.dropFirst().map { Subject(partyName: $0) }
  }

  /// The rules by which the terms of a model draw the group of a party.
  func groupings(of model: ModelID) -> [AffiliateGrouping] {
    let files = self.models[model]?.terms.compactMap { self.terms[$0] } ?? []
    return Array(Set(files.flatMap { $0.groupings(parameters: self.parameters[$0.id] ?? [:]) }))
  }

  /// What affiliates have stated of a number that is larger than the party's own statement allows: the group, as the term file draws
  /// it, has at least as much. For that term file alone.
  func groupFacts(of subject: Subject, terms: [TermFile], at now: Timestamp) -> [TermFileID: [Fact]] {
    guard !self.affiliates.edges.isEmpty else { return [:] }
    var facts: [TermFileID: [Fact]] = [:]
    for file in terms {
      for declaration in file.facts where declaration.subject == .partyAndAffiliates {
        let parameters = self.parameters[file.id] ?? [:]
        func rolledUp(_ graph: AffiliateGraph) -> GroupQuantity? {
          graph.rollUp(declaration, of: subject.description, terms: file, parameters: parameters, at: now) {
            self.facts.sheet(of: Subject(partyName: $0))
          }
        }
        guard let group = rolledUp(self.affiliates), let lower = group.lower, let own = rolledUp(.empty)?.upper, lower > own
        else { continue }
        facts[file.id, default: []].append(
          Fact(
            key: file.externalKey(for: declaration, at: now, parameters: parameters), value: .interval(lower: lower, upper: nil),
            source: .attestation, reference: group.references.joined(separator: " "), recordedAt: now))
      }
    }
    return facts
  }

  /// Takes an edge in and dates the change of every group that it changes, under any rule in force, by an event: statements that such
  /// a change ends are then stated anew. A share that makes nobody an affiliate ends nothing.
  mutating func take(affiliation document: Document) throws(DocumentError) {
    let affiliation = try StoredAffiliation(stored: document)
    let before = self.affiliates
    let edges = self.affiliations[affiliation.id].map { [$0.edge] } ?? []
    self.affiliations[affiliation.id] = affiliation
    self.affiliates = AffiliateGraph(self.affiliations.values.sorted { $0.id < $1.id }.map(\.edge))
    var touched: Set<String> = []
    let days = Set((edges + [affiliation.edge]).flatMap { [$0.from, $0.until] }.compactMap { $0 })
    for day in days { touched.formUnion(self.changed(from: before, around: affiliation, on: day)) }
    for name in touched.sorted() {
      self.facts.add(
        Fact(
          key: "affiliates.changed", value: .day(affiliation.recordedAt.day), source: .event,
          reference: affiliation.id.description, recordedAt: affiliation.recordedAt), to: Subject(partyName: name))
    }
    self.forgetAllStandings()
  }

  /// Those near an edge whose group on a day, by any rule in force, is another than in the graph before.
  private func changed(from before: AffiliateGraph, around edge: StoredAffiliation, on day: CalendarDay) -> Set<String> {
    var changed: Set<String> = []
    for rule in Set(self.groupings.map(\.control)) {
      let groupings = [AffiliateGrouping(control: rule)]
      let ends = [edge.controller.description, edge.controlled.description]
      let near = Set([before, self.affiliates].flatMap { graph in ends.flatMap { graph.group(of: $0, by: groupings, on: day) } })
      for name in near
      where before.group(of: name, by: groupings, on: day) != self.affiliates.group(of: name, by: groupings, on: day) {
        changed.insert(name)
      }
    }
    return changed
  }
}

extension Subject {
  /// The subject that an affiliate graph names.
  fileprivate init(partyName: String) { self = partyName == "operator" ? .operator : .party(partyName) }
}
