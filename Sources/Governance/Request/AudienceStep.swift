internal import Audience
internal import GovernanceTypes
internal import LicenseTerms
internal import Synchronization
internal import UsageLedger

extension Gate {
  /// Adds the end user to the month's counts of every scope; a cap that would be passed refuses new users, not old ones.
  ///
  /// A call that names no end user counts as one user per key.
  func countEndUser(_ dossier: inout Dossier) async throws(Refusal) {
    let name = dossier.call.endUser ?? "key:\(dossier.caller.key.id)"
    let customer = dossier.caller.customer.id
    let chain = dossier.caller.chain
    let scopes = Self.audienceScopes(chain: chain, terms: dossier.model.terms)
    let (outcome, counted) = self.state.withLock { state -> (ActiveUsers.Outcome, CountedUser) in
      let month = state.tick(self.environment.now()).month
      let monthKey = self.environment.keyedDigest(self.environment.tagKey, Array("audience \(month)".utf8)).bytes
      let fingerprint = UserFingerprint(
        self.environment.keyedDigest(monthKey, Array(customer.description.utf8) + [0] + Array(name.utf8)))
      let caps = state.audienceCaps(of: chain)
      let outcome = state.audience.count(
        fingerprint, in: scopes, caps: caps, month: month, isAnonymous: dossier.call.endUser == nil)
      guard case .counted(let newIn) = outcome else {
        return (outcome, CountedUser(fingerprint: fingerprint, month: month, newIn: []))
      }
      return (outcome, CountedUser(fingerprint: fingerprint, month: month, newIn: newIn))
    }
    dossier.counted = counted
    guard case .refused(let cap) = outcome else { return }
    throw await self.refuse(
      dossier,
      Refusal(
        .activeUserCapReached,
        "\(cap.scope.name) may have \(cap.atMost) active users in a calendar month and has them; users already counted are still served."
      ), verdict: "deny", moment: .request)
  }

  private static func audienceScopes(chain: [LedgerSubject], terms: [TermFileID]) -> [AudienceScope] {
    [AudienceScope("operator")] + chain.map { AudienceScope($0.description) } + terms.map { AudienceScope("license:\($0)") }
  }
}

extension GateState {
  /// The caps on active users that bind these subjects.
  func audienceCaps(of subjects: [LedgerSubject]) -> [AudienceCap] {
    subjects.flatMap { subject in
      self.ledger.limits(of: subject).compactMap { limit -> AudienceCap? in
        guard case .activeUsers(let most) = limit.measure else { return nil }
        return AudienceCap(scope: AudienceScope(subject.description), atMost: most)
      }
    }
  }
}
