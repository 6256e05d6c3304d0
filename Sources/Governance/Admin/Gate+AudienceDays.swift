internal import Audience
internal import Documents
public import GovernanceTypes
internal import Synchronization

/// The ends of days: what forecasts are made from, and what the log says of each day's counts.
extension Gate {
  /// Notes how the days since the last one noted ended, at the first count of a new day. The log holds the digest of each scope's
  /// counts, so that a month's number cannot be written anew later.
  func closeDays(_ state: inout GateState, at now: Timestamp) {
    let yesterday = CalendarDay(number: now.day.number - 1)
    guard state.history.newestDay.map({ $0 < yesterday }) ?? true else { return }
    let capped = Set(state.audienceCaps(of: state.directory.subjects).map(\.scope))
    let scopes = state.audience.estimates(month: yesterday.month).filter { $0.scope.isForecast || capped.contains($0.scope) }
    state.history.note(0, in: .operator, at: yesterday)
    for (scope, estimate) in scopes { state.history.note(estimate.users, in: scope, at: yesterday) }
    state.forgetMonths(before: now.month.previous)
    state.watching = [:]
    for standing in state.standings.values { state.watch(standing) }
    state.days.begin(now.day)
    guard !scopes.isEmpty else { return }
    let totals = scopes.map { item -> JSON in
      ["scope": .string(item.scope.name), "users": .string(String(item.estimate.users))]
    }
    let digests = scopes.filter { $0.scope.isPublished || capped.contains($0.scope) }.map { item -> JSON in
      let sketch = state.audience.sketch(item.scope, month: yesterday.month)?.bytes ?? []
      return [
        "scope": .string(item.scope.name), "users": .string(String(item.estimate.users)),
        "lower": .string(String(item.estimate.lower)), "upper": .string(String(item.estimate.upper)),
        "sha256": .string(self.environment.digest(sketch).hexadecimal),
      ]
    }
    let object = StoredObject(
      kind: .audienceDay, id: yesterday.description, customer: nil,
      body: [
        "object": "audience_day", "day": .string(yesterday.description), "scopes": .array(totals),
        "users_of_day": .array(
          state.days.totals(of: yesterday).map { ["scope": .string($0.scope.name), "users": .string(String($0.users))] }),
      ], salt: [])
    // Nobody waits for it: a day that was not noted is taken to have ended like the one before.
    _ = self.journal.submit([
      JournalRecord(
        LogEntry(
          .admin, at: now,
          [
            JSONMember("act", "audience.day"), JSONMember("day", .string(yesterday.description)),
            JSONMember("scopes", .array(digests)),
          ]), effects: [.object(object)])
    ])
  }
}

extension Gate {
  /// Records that the key of a month's fingerprints is no more.
  public func recordKeyDestruction(of month: CalendarMonth) async throws(Refusal) {
    let entry = LogEntry(
      .admin, at: self.now(), [JSONMember("act", "audience.key_destroyed"), JSONMember("month", .string(month.description))])
    do { try await self.journal.submit([JournalRecord(entry)]).durable() } catch { throw Refusal(error) }
  }

  /// Whether users of a month are counted.
  public func hasUsers(of month: CalendarMonth) -> Bool { self.state.withLock { !$0.audience.totals(month: month).isEmpty } }
}

extension AudienceScope {
  /// Whether the log has a digest of the scope's counts for each day.
  fileprivate var isPublished: Bool { self == .operator || self.name.hasPrefix("license:") }
  /// Whether the ends of the scope's days are kept for forecasts; keys and projects only where they have a cap.
  fileprivate var isForecast: Bool { self.isPublished || self.name.hasPrefix("cus_") }
}

extension GateState {
  mutating func forgetMonths(before month: CalendarMonth) {
    self.audience.forget(before: month)
    self.anonymous = self.anonymous.filter { $0.key.month >= month }
  }

  mutating func take(audienceDay document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    _ = try reader.string("object")
    guard let day = CalendarDay(try reader.string("day")) else { throw reader.failure("day", "a day belongs here") }
    let isRecent = day.number > self.lastTime.day.number - AudienceHistory.keptDays
    for (scope, users) in try Self.totals("scopes", &reader) where isRecent { self.history.note(users, in: scope, at: day) }
    for (scope, users) in try Self.totals("users_of_day", &reader) { self.days.restore(users, in: scope, of: day) }
    try reader.finish()
  }

  private static func totals(
    _ key: String, _ reader: inout DocumentReader
  ) throws(DocumentError) -> [(scope: AudienceScope, users: Int)] {
    try reader.list(key).map { (path, element) throws(DocumentError) in
      var scope = try DocumentReader(element, path: path)
      let name = try scope.string("scope")
      guard let users = Int(try scope.string("users")), users >= 0 else {
        throw scope.failure("users", "a whole number belongs here")
      }
      try scope.finish()
      return (AudienceScope(name), users)
    }
  }
}
