internal import Audience
public import Documents
internal import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

extension Gate {
  /// The active users of this month by scope, with the bounds between which the number lies; where calls named no end user, `least`
  /// counts each key as one user and `most` each call as one. Caps on the scope come with how far it is from each and the day on
  /// which it will be there at the pace of the last weeks; null where not within a year or where there are no days to go by.
  public func audience() -> [JSON] {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      let caps = Dictionary(grouping: state.scopeCaps(at: now, self.policy.parameters), by: \.cap.scope)
      return state.audience.estimates(month: now.month).map { scope, estimate in
        let range = state.audience.range(scope, month: now.month)
        return [
          "scope": .string(scope.name), "month": .string(now.month.description), "active_users": .integer(estimate.users),
          "lower": .integer(estimate.lower), "upper": .integer(estimate.upper), "is_exact": .bool(estimate.isExact),
          "least": .integer(range.least), "most": .integer(range.most),
          "caps": .array((caps[scope] ?? []).map { state.json(of: $0, estimate, on: now.day) }),
        ]
      }
    }
  }

  /// How far the fullest scopes are from their caps, by what the cap is from: a limit of a contract, or what was attested. The ratio
  /// in thousandths, of the upper bound of the count.
  public func capRatios() -> [(source: String, thousandths: Int)] {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      let all = state.scopeCaps(at: now, self.policy.parameters)
      return Dictionary(grouping: all, by: \.source).map { source, caps in
        let ratios = caps.map { item -> Int in
          let users = state.audience.estimate(item.cap.scope, month: now.month).upper
          guard item.cap.atMost > 0 else { return users > 0 ? 1000 : 0 }
          let (product, overflow) = users.multipliedReportingOverflow(by: 1000)
          return overflow ? .max : product / item.cap.atMost
        }
        return (source, ratios.max() ?? 0)
      }.sorted { $0.source < $1.source }
    }
  }
}

/// A number that a scope's count is held against.
struct ScopeCap: Sendable {
  let cap: AudienceCap
  /// `limit` or `attested`.
  let source: String
}

extension GateState {
  /// The caps of contracts, and the bounds that parties have attested of numbers that are counted here.
  fileprivate func scopeCaps(at now: Timestamp, _ parameters: [TermFileID: [String: ParameterValue]]) -> [ScopeCap] {
    let limits = self.audienceCaps(of: self.directory.subjects).map { ScopeCap(cap: $0, source: "limit") }
    let watches = Set(self.standings.values.flatMap(\.watches)).filter { watch in
      watch.span == .month(now.month, isOpen: true) && watch.scopes.count == 1
    }
    let attested = watches.compactMap { watch in
      watch.scopes.first.map { ScopeCap(cap: AudienceCap(scope: $0, atMost: watch.limit), source: "attested") }
    }
    return limits + attested.sorted { $0.cap.scope.name < $1.cap.scope.name }
  }

  fileprivate func json(of item: ScopeCap, _ estimate: AudienceEstimate, on day: CalendarDay) -> JSON {
    let reached = self.history.day(reaching: item.cap, from: estimate.users, at: day)
    return [
      "source": .string(item.source), "at_most": .integer(item.cap.atMost),
      "percent": .integer(CapState(of: estimate, against: item.cap).percent),
      "new_users_per_day": .array(self.history.newUsersPerDay(in: item.cap.scope, before: day).suffix(7).map(JSON.integer)),
      "reached_on": JSON(reached?.description),
    ]
  }
}
