internal import Audience
internal import Documents
internal import GovernanceTypes
internal import LicenseTerms

/// A number that a standing rests on and that counting may refute: looked at with each user who is new.
struct AudienceWatch: Sendable, Hashable {
  /// The scopes that the number is about: a party, with its affiliates where the fact includes them.
  let scopes: [AudienceScope]
  let month: CalendarMonth
  /// The least that anyone has stated as the most.
  let limit: Int
}

extension GateState {
  /// Whether even the lower bound of what was counted is above the number. The sum of the scopes is looked at first: a union has no
  /// more than that, and costs more to make.
  func isRefuted(_ watch: AudienceWatch) -> Bool {
    let sum = watch.scopes.reduce(0) { $0 + self.audience.named($1, month: watch.month) }
    guard sum > watch.limit else { return false }
    return self.namedUsers(of: watch.scopes, month: watch.month) > watch.limit
  }

  /// Looks at the numbers about these scopes. Standings that rest on one which is refuted are forgotten, whosever they are: of an
  /// affiliate, or of everyone where it is the operator's. O(numbers), and O(standings) where one is refuted.
  mutating func dropRefuted(in scopes: [AudienceScope]) -> Set<AudienceWatch> {
    var refuted: Set<AudienceWatch> = []
    for scope in scopes {
      guard let watches = self.watching[scope] else { continue }
      refuted.formUnion(watches.filter { self.isRefuted($0) })
    }
    guard !refuted.isEmpty else { return refuted }
    self.standings = self.standings.filter { refuted.isDisjoint(with: $0.value.watches) }
    for scope in Set(refuted.flatMap(\.scopes)) { self.watching[scope]?.subtract(refuted) }
    return refuted
  }

  mutating func watch(_ standing: RecordedStanding) {
    for watch in standing.watches { for scope in watch.scopes { self.watching[scope, default: []].insert(watch) } }
  }

  /// The users who were certainly there: each counted once over all scopes, and none of those who are only known as a key.
  func namedUsers(of scopes: [AudienceScope], month: CalendarMonth) -> Int {
    guard scopes.count > 1 else { return scopes.first.map { self.audience.named($0, month: month) } ?? 0 }
    let union = self.audience.union(of: scopes, month: month)?.estimate.lower ?? 0
    return max(0, union - scopes.reduce(0) { $0 + self.audience.anonymous($1, month: month).keys.upper })
  }

  /// The scopes of a subject, and of its affiliates on a day.
  func scopes(of subject: Subject, withAffiliates: Bool, on day: CalendarDay) -> [AudienceScope] {
    (withAffiliates ? self.group(of: subject, on: day) : [subject]).map { AudienceScope($0.description) }
  }

  /// What was counted, as facts that the terms read, and the numbers that counting on may refute.
  ///
  /// Only counts are measured, by the calendar month: of the month that a fact is about, or of the running one where it names none.
  func measured(
    _ subject: Subject, terms: [TermFile], parameters: [TermFileID: [String: ParameterValue]], at now: Timestamp
  )
    -> (facts: [Fact], watches: [AudienceWatch])
  {
    var facts: [String: Fact] = [:]
    var watches: Set<AudienceWatch> = []
    for file in terms {
      for declaration in file.facts where declaration.isMeasuredByMonth {
        let key = file.externalKey(for: declaration, at: now, parameters: parameters[file.id] ?? [:])
        guard let month = declaration.month(of: key, at: now) else { continue }
        let scopes = self.scopes(of: subject, withAffiliates: declaration.subject == .partyAndAffiliates, on: now.day)
        let users = self.namedUsers(of: scopes, month: month)
        if users > 0 {
          facts[key] = Fact(
            key: key, value: .interval(lower: Int128(users), upper: nil), source: .measured, reference: "audience.\(month)",
            recordedAt: now)
        }
        if month == now.month, let limit = self.facts.sheet(of: subject).leastUpper(of: key, above: users, at: now) {
          watches.insert(AudienceWatch(scopes: scopes, month: month, limit: limit))
        }
      }
    }
    return (facts.values.sorted { $0.key < $1.key }, watches.sorted { $0.limit < $1.limit })
  }
}

extension ActiveUsers {
  /// The lower bound of a scope's users without those who are only known as a key.
  fileprivate func named(_ scope: AudienceScope, month: CalendarMonth) -> Int {
    max(0, self.estimate(scope, month: month).lower - self.anonymous(scope, month: month).keys.upper)
  }
}

extension FactDeclaration {
  fileprivate var isMeasuredByMonth: Bool {
    self.type == .count && self.subject.isParty && self.accepts(.measured)
      && (self.period == nil || self.period == .calendarMonth)
  }

  /// The month that a key is about; the running one where the fact names none.
  fileprivate func month(of key: String, at now: Timestamp) -> CalendarMonth? {
    self.period == nil ? now.month : CalendarMonth(String(key.suffix(7)))
  }
}

extension FactSheet {
  /// The least upper bound on record that a count has not passed yet.
  fileprivate func leastUpper(of key: String, above users: Int, at now: Timestamp) -> Int? {
    self.records(of: key).compactMap { record -> Int? in
      guard record.recordedAt <= now, record.expires.map({ now < $0 }) ?? true,
        case .interval(_, let upper?) = record.value, let bound = Int(exactly: upper), bound >= users
      else { return nil }
      return bound
    }.min()
  }
}
