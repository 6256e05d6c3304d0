internal import Audience
internal import Documents
internal import GovernanceTypes
internal import LicenseTerms
internal import Synchronization
internal import UsageLedger

extension Gate {
  /// Adds the end user to the month's counts of every scope; a cap that would be passed refuses new users, not old ones.
  ///
  /// A call that names no end user counts as one user per key. A count that comes to more than a party has attested refutes the
  /// attestation: the license is asked again at once.
  func countEndUser(_ dossier: inout Dossier) async throws(Refusal) {
    let chain = dossier.caller.chain
    let scopes = Self.audienceScopes(chain: chain, terms: dossier.model.terms)
    let month = self.now().month
    let fingerprint = try self.fingerprint(of: dossier, month: month)
    let watches = dossier.standing?.watches ?? []
    let isAnonymous = dossier.call.endUser == nil
    let model = dossier.model.id
    let count = self.state.withLock { state -> AudienceCount in
      let now = state.tick(self.environment.now())
      self.closeDays(&state, at: now)
      let caps = state.audienceCaps(of: chain)
      let before = caps.map { state.audience.state(of: $0, month: month) }
      var count = AudienceCount(counted: CountedUser(fingerprint: fingerprint, month: month, newIn: []))
      switch state.audience.count(fingerprint, in: scopes, caps: caps, month: month, isAnonymous: isAnonymous) {
      case .refused(let cap): count.reached = cap
      case .counted(let newIn):
        count.counted.newIn = newIn
        let newOfDay = state.countOfDay(fingerprint, in: scopes, isAnonymous: isAnonymous, at: now)
        if isAnonymous { count.counted.anonymous = state.countAnonymous(fingerprint, model, in: scopes, month: month) }
        guard !newIn.isEmpty || newOfDay else { return count }
        for (cap, earlier) in zip(caps, before) {
          count.nearing += state.nearing(cap, month: month, since: earlier).map { [$0] } ?? []
        }
        let refuted = state.dropRefuted(in: newOfDay ? scopes : newIn)
        count.refutes = watches.contains { refuted.contains($0) }
      }
      return count
    }
    dossier.counted = count.counted
    for alert in count.nearing { self.tell(alert, at: self.now()) }
    if let cap = count.reached {
      throw await self.refuse(
        dossier,
        Refusal(
          .activeUserCapReached,
          "\(cap.scope.name) may have \(cap.atMost) active users in a calendar month and has them; users already counted are still served."
        ), verdict: "deny", moment: .request)
    }
    if count.refutes { try await self.askLicense(&dossier) }
  }

  private func fingerprint(of dossier: Dossier, month: CalendarMonth) throws(Refusal) -> UserFingerprint {
    let name = dossier.call.endUser ?? "key:\(dossier.caller.key.id)"
    let key: [UInt8]
    do { key = try self.environment.audienceKey(month) } catch {
      throw Refusal(
        .storeUnavailable, "The month's key for counting users cannot be had, so nothing is served.", context: "\(error)")
    }
    return UserFingerprint(
      self.environment.keyedDigest(key, Array(dossier.caller.customer.id.description.utf8) + [0] + Array(name.utf8)))
  }

  /// Takes back a count that could not be made durable.
  func uncount(_ counted: CountedUser?) {
    guard let counted else { return }
    self.state.withLock { $0.uncount(counted) }
  }

  private static func audienceScopes(chain: [LedgerSubject], terms: [TermFileID]) -> [AudienceScope] {
    [.operator] + chain.map { AudienceScope($0.description) } + terms.map { AudienceScope("license:\($0)") }
  }
}

/// What counting one end user came to.
private struct AudienceCount: Sendable {
  var counted: CountedUser
  var reached: AudienceCap?
  var nearing: [Alert] = []
  var refutes = false
}

extension AudienceScope {
  static let `operator` = AudienceScope("operator")

  /// Of the operator or a customer, of whom term files ask.
  fileprivate var isOfParty: Bool { self == .operator || self.name.hasPrefix("cus_") }
}

extension GateState {
  /// Counts a user of the day where terms ask for that; a call that names nobody says nothing certain. Returns whether the day has one
  /// more. One whose request fails later stays: the next count of the same user is the same.
  fileprivate mutating func countOfDay(
    _ user: UserFingerprint, in scopes: [AudienceScope], isAnonymous: Bool, at now: Timestamp
  ) -> Bool {
    guard self.asksForDays, !isAnonymous else { return false }
    return self.days.count(user, in: scopes.filter(\.isOfParty), on: now.day)
  }

  /// The caps on active users that bind these subjects.
  func audienceCaps(of subjects: [LedgerSubject]) -> [AudienceCap] {
    subjects.flatMap { subject in
      self.ledger.limits(of: subject).compactMap { limit -> AudienceCap? in
        guard case .activeUsers(let most) = limit.measure else { return nil }
        return AudienceCap(scope: AudienceScope(subject.description), atMost: most)
      }
    }
  }

  /// The alert of a cap whose count has passed one of ``CapState/alertPercents``, or come to the cap, with the last user.
  fileprivate func nearing(_ cap: AudienceCap, month: CalendarMonth, since before: CapState) -> Alert? {
    let state = self.audience.state(of: cap, month: month)
    guard state != before, state.percent > before.percent else { return nil }
    return Alert(
      .capNearing,
      [
        JSONMember("scope", .string(cap.scope.name)), JSONMember("cap", .string(String(cap.atMost))),
        JSONMember("users", .string(String(self.audience.total(cap.scope, month: month)))),
        JSONMember("percent", .integer(state.percent)), JSONMember("month", .string(month.description)),
      ])
  }
}

extension CapState {
  /// The share of the cap that has been come to, of those that are told.
  var percent: Int {
    switch self {
    case .below: 0
    case .nearing(let percent): percent
    case .possiblyReached, .reached: 100
    }
  }
}
