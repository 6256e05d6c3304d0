public import Documents
internal import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

extension Gate {
  /// Records that end within a span from now, the soonest first: what has to be stated again before a gate closes.
  ///
  /// A record that a later one of the same fact outlives is not listed.
  public func expiries(within span: Duration) -> [JSON] {
    self.state.withLock { state in
      let now = state.tick(self.environment.now())
      let end = now.advanced(by: span)
      let ending = state.facts.all.flatMap { subject, facts in
        Dictionary(grouping: facts, by: \.key).values.compactMap { records -> (Timestamp, JSON)? in
          guard !records.contains(where: { $0.expires == nil }),
            let last = records.max(by: { ($0.expires ?? now) < ($1.expires ?? now) }), let expires = last.expires, expires <= end
          else { return nil }
          return (
            expires,
            [
              "subject": .string(subject.description), "fact": .string(last.key), "expires": .string(expires.description),
              "reference": .string(last.reference), "state": .string(expires <= now ? "expired" : "expiring"),
            ]
          )
        }
      }
      return ending.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }
}
