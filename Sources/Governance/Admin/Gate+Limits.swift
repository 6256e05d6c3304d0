public import Documents
public import GovernanceTypes
internal import Synchronization
public import UsageLedger

extension Gate {
  /// Sets a limit on a customer, project or key. It applies from the next request on.
  public func createLimit(_ body: Document, by actor: Actor) async throws(Refusal) -> Limit {
    let now = self.now()
    let limit = try self.reading { () throws(DocumentError) in
      var reader = try DocumentReader(body)
      let name = try reader.string("subject")
      guard let subject = LedgerSubject(name) else {
        throw reader.failure("subject", "the id of a customer, a project or a key belongs here")
      }
      let limit = try Limit(id: self.makeID(at: now), subject: subject, &reader, zone: self.environment.zone)
      guard !limit.measure.isZero else {
        throw reader.failure("amount", "must be more than zero; to let nothing through, suspend the key or the customer")
      }
      return limit
    }
    guard self.state.withLock({ $0.directory.contains(limit.subject) }) else {
      throw Refusal(.notFound, "There is no \(limit.subject).", parameter: "subject")
    }
    try await self.commit([self.object(for: limit, removed: false)], by: actor)
    return limit
  }

  public func removeLimit(_ id: LimitID, by actor: Actor) async throws(Refusal) {
    guard let limit = self.limits(of: nil).first(where: { $0.id == id }) else {
      throw Refusal(.notFound, "There is no limit \(id).")
    }
    try await self.commit([self.object(for: limit, removed: true)], by: actor)
  }

  /// The limits on a subject, or all.
  public func limits(of subject: LedgerSubject?) -> [Limit] {
    self.state.withLock { state in
      if let subject { return state.ledger.limits(of: subject) }
      return state.directory.subjects.flatMap { state.ledger.limits(of: $0) }
    }
  }

  private func object(for limit: Limit, removed: Bool) -> (StoredObject, LogEntry.EntryType, [JSONMember]) {
    guard case .object(var members) = limit.json else {
      return (self.stored(.limit, id: "", customer: nil, body: .null), .limit, [])
    }
    members.append(JSONMember("removed", .bool(removed)))
    let body = JSON.object(members)
    return (
      self.stored(.limit, id: limit.id.description, customer: nil, body: body), .limit,
      [JSONMember("subject", .string(limit.subject.description)), JSONMember("limit", body)]
    )
  }
}

extension Directory {
  func contains(_ subject: LedgerSubject) -> Bool {
    switch subject {
    case .customer(let id): self.customers[id] != nil
    case .project(let id): self.projects[id] != nil
    case .key(let id): self.keys[id] != nil
    }
  }

  var subjects: [LedgerSubject] {
    self.customers.keys.sorted().map { .customer($0) } + self.projects.keys.sorted().map { .project($0) }
      + self.keys.keys.sorted().map { .key($0) }
  }
}

extension Limit {
  public var json: JSON {
    .object(
      [
        JSONMember("id", .string(self.id.description)), JSONMember("object", "limit"),
        JSONMember("subject", .string(self.subject.description)),
      ] + self.measure.members
        + (self.zone == .utc ? [] : [JSONMember("time_zone", .string(self.zone.name))]))
  }
}

extension Limit.Measure {
  var members: [JSONMember] {
    func count(_ kind: String, _ most: Int, _ window: Window? = nil) -> [JSONMember] {
      [JSONMember("kind", .string(kind)), JSONMember("amount", .string(String(most)))]
        + (window.map { [JSONMember("window", .string($0.rawValue))] } ?? [])
    }
    return switch self {
    case .spend(let most, let currency, let window):
      [
        JSONMember("kind", "spend"), JSONMember("amount", .string(most.description)),
        JSONMember("currency", .string(currency.description)), JSONMember("window", .string(window.rawValue)),
      ]
    case .tokens(let most, let window): count("tokens", most.value, window)
    case .requestsPerMinute(let most): count("requests_per_minute", most)
    case .tokensPerMinute(let most): count("tokens_per_minute", most)
    case .concurrentRequests(let most): count("concurrent_requests", most)
    case .activeUsers(let most): count("active_users", most)
    }
  }

  fileprivate var isZero: Bool {
    switch self {
    case .spend(let most, _, _): most == .zero
    case .tokens(let most, _): most == .zero
    case .requestsPerMinute(let most), .tokensPerMinute(let most), .concurrentRequests(let most), .activeUsers(let most):
      most == 0
    }
  }

  /// Reads `kind`, `amount`, `currency`, `window`.
  init(_ reader: inout DocumentReader) throws(DocumentError) {
    let kind = try reader.string("kind")
    switch kind {
    case "spend":
      self = .spend(try reader.money("amount", allowsZero: true), try reader.currency("currency"), try reader.choice("window"))
    case "tokens": self = .tokens(TokenCount(try reader.wholeAmount("amount")), try reader.choice("window"))
    case "requests_per_minute": self = .requestsPerMinute(try reader.wholeAmount("amount"))
    case "tokens_per_minute": self = .tokensPerMinute(try reader.wholeAmount("amount"))
    case "concurrent_requests": self = .concurrentRequests(try reader.wholeAmount("amount"))
    case "active_users": self = .activeUsers(try reader.wholeAmount("amount"))
    default:
      throw reader.failure(
        "kind",
        "'\(kind)' is not one of: spend, tokens, requests_per_minute, tokens_per_minute, concurrent_requests, active_users")
    }
  }
}

extension Limit {
  /// Reads the measure and the time zone, and closes the reader.
  init(
    id: LimitID, subject: LedgerSubject, _ reader: inout DocumentReader, zone: (String) -> ZoneRules?
  ) throws(DocumentError) {
    let measure = try Limit.Measure(&reader)
    let name = try reader.optionalString("time_zone")
    try reader.finish()
    guard let name else {
      self.init(id: id, subject: subject, measure: measure)
      return
    }
    switch measure {
    case .spend, .tokens: break
    default: throw reader.failure("time_zone", "belongs to spend and tokens limits: the others have no calendar window")
    }
    guard let rules = zone(name) else {
      throw reader.failure("time_zone", "'\(name)' is not in the system's zone data; write it as in 'Europe/Berlin'")
    }
    self.init(id: id, subject: subject, measure: measure, zone: rules)
  }
}

extension DocumentReader {
  /// A whole number from 0 to 10^15, as a JSON number or a string of digits.
  fileprivate mutating func wholeAmount(_ key: String) throws(DocumentError) -> Int {
    let value = try self.required(key)
    let digits: String
    switch value.content {
    case .number(let text), .string(let text): digits = text
    default: throw self.failure(key, "a whole number belongs here, not \(value.kind)")
    }
    guard digits.utf8.count <= 16, let number = Int(digits), (0...1_000_000_000_000_000).contains(number) else {
      throw self.failure(key, "a whole number up to 10^15 belongs here")
    }
    return number
  }
}

extension GateState {
  mutating func take(limit document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let id: LimitID = try reader.identifier("id")
    _ = try reader.string("object")
    let removed = try reader.optionalBool("removed") ?? false
    guard let subject = LedgerSubject(try reader.string("subject")) else { throw reader.failure("subject", "is no subject's id") }
    let limit = try Limit(id: id, subject: subject, &reader, zone: self.zone)
    if removed { self.ledger.removeLimit(id) } else { self.ledger.set(limit) }
  }
}
