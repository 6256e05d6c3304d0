internal import Audience
internal import Documents
internal import GovernanceTypes
internal import LicenseTerms

/// A number that a standing rests on and that counting may refute: looked at with each user who is new.
struct AudienceWatch: Sendable, Hashable {
  /// The scopes that the number is about: a party, with its affiliates where the fact includes them.
  let scopes: [AudienceScope]
  /// The running month or day.
  let span: CountedSpan
  /// The least that anyone has stated as the most.
  let limit: Int
}

extension GateState {
  /// Whether even the lower bound of what was counted is above the number. The sum of the scopes is looked at first: a union has no
  /// more than that, and costs more to make.
  func isRefuted(_ watch: AudienceWatch) -> Bool {
    switch watch.span {
    case .month(let month, _):
      let sum = watch.scopes.reduce(0) { $0 + self.audience.named($1, month: month) }
      return sum > watch.limit && self.namedUsers(of: watch.scopes, month: month) > watch.limit
    case .day(let day, _): return self.days.users(of: watch.scopes, on: day) > watch.limit
    case .peak: return false
    }
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
    self.plans = self.plans.filter { refuted.isDisjoint(with: $0.value.watches) }
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

  /// The scopes of a subject and of those that a term file counts with it.
  private func scopes(
    of subject: Subject, _ declaration: FactDeclaration, _ file: TermFile, at now: Timestamp
  ) -> [AudienceScope] {
    let groupings = file.groupings(of: declaration, parameters: self.parameters[file.id] ?? [:])
    return self.group(of: subject, by: groupings, on: now.day).map { AudienceScope($0.description) }
  }

  /// What was counted, as facts that the terms read, and the numbers that counting on may refute.
  func measured(_ subject: Subject, terms: [TermFile], at now: Timestamp) -> Counted {
    var counted = Counted()
    var watches: Set<AudienceWatch> = []
    for file in terms {
      let parameters = self.parameters[file.id] ?? [:]
      for declaration in file.facts {
        guard let measure = file.measure(of: declaration, parameters: parameters) else { continue }
        let key = file.externalKey(for: declaration, at: now, parameters: parameters)
        guard let span = CountedSpan(measure, key, declaration.period, at: now) else { continue }
        let scopes = self.scopes(of: subject, declaration, file, at: now)
        let sheet = self.facts.sheet(of: subject)
        let users = self.users(of: scopes, in: span, since: sheet.statedAt(key, by: now), at: now)
        counted.note(until: span.end)
        if users > 0 {
          counted.facts[file.id, default: []].append(
            Fact(
              key: key, value: .interval(lower: Int128(users), upper: nil), source: .measured, reference: span.reference,
              recordedAt: now))
        }
        if span.isRunning, let limit = sheet.leastUpper(of: key, above: users, at: now) {
          watches.insert(AudienceWatch(scopes: scopes, span: span, limit: limit))
        }
      }
    }
    counted.watches = watches.sorted { ($0.limit, $0.scopes[0].name) < ($1.limit, $1.scopes[0].name) }
    return counted
  }

  /// The least number of users in a span. A number that names no period is refuted by an earlier one as well, for as long as the
  /// statement is older than that: it does not become true with the next month.
  private func users(of scopes: [AudienceScope], in span: CountedSpan, since stated: Timestamp?, at now: Timestamp) -> Int {
    switch span {
    case .month(let month, let isOpen):
      let users = self.namedUsers(of: scopes, month: month)
      guard isOpen, let stated, stated < month.firstDay.start else { return users }
      return max(users, self.namedUsers(of: scopes, month: month.previous))
    case .day(let day, let isOpen):
      let users = self.days.users(of: scopes, on: day)
      guard isOpen, let stated, stated < day.start else { return users }
      return max(users, self.days.peak(of: scopes, from: stated.day))
    case .peak(let month): return self.days.peak(of: scopes, in: month)
    }
  }
}

/// What counting said of one subject.
struct Counted {
  /// For each term file by itself: two of them may count different companies together.
  var facts: [TermFileID: [Fact]] = [:]
  var watches: [AudienceWatch] = []
  /// When the first of the counts is of an earlier period; nil where none was asked for.
  private(set) var until: Timestamp?

  mutating func note(until instant: Timestamp?) {
    guard let instant else { return }
    self.until = min(self.until ?? instant, instant)
  }
}

/// The time that a count is of.
enum CountedSpan: Sendable, Hashable {
  /// `isOpen` where the fact names no month and the running one is taken.
  case month(CalendarMonth, isOpen: Bool)
  case day(CalendarDay, isOpen: Bool)
  /// The busiest day of a month that is over.
  case peak(CalendarMonth)

  init?(_ measure: Measure, _ key: String, _ period: PeriodUnit?, at now: Timestamp) {
    switch (measure, period) {
    case (.usersOfMonths, nil): self = .month(now.month, isOpen: true)
    case (.usersOfDays, nil): self = .day(now.day, isOpen: true)
    case (.usersOfMonths, .calendarMonth), (.usersOfDays, .calendarMonth):
      guard let month = CalendarMonth(String(key.suffix(7))) else { return nil }
      self = measure == .usersOfMonths ? .month(month, isOpen: false) : .peak(month)
    case (.usersOfDays, .day):
      guard let day = CalendarDay(String(key.suffix(10))) else { return nil }
      self = .day(day, isOpen: false)
    default: return nil
    }
  }

  /// Whether users still come to it.
  var isRunning: Bool {
    switch self {
    case .month(_, let isOpen), .day(_, let isOpen): isOpen
    case .peak: false
    }
  }

  /// When another span takes its place, where the fact names none itself.
  var end: Timestamp? {
    switch self {
    case .month(let month, isOpen: true): month.next.firstDay.start
    case .day(let day, isOpen: true): day.next.start
    default: nil
    }
  }

  var reference: String {
    switch self {
    case .month(let month, _): "audience.\(month)"
    case .day(let day, _): "audience.\(day)"
    case .peak(let month): "audience.\(month).busiest_day"
    }
  }
}

extension ActiveUsers {
  /// The lower bound of a scope's users without those who are only known as a key.
  fileprivate func named(_ scope: AudienceScope, month: CalendarMonth) -> Int {
    max(0, self.estimate(scope, month: month).lower - self.anonymous(scope, month: month).keys.upper)
  }
}

extension FactSheet {
  /// When the statement was made that decides now; nil where there is none.
  fileprivate func statedAt(_ key: String, by now: Timestamp) -> Timestamp? {
    self.records(of: key).first { $0.source != .measured && $0.recordedAt <= now }?.recordedAt
  }

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
