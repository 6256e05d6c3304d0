public import Documents
internal import GovernanceTypes
internal import LicenseTerms
internal import Synchronization

/// Something on record, or due, that ends on an instant.
struct Expiry: Sendable {
  enum Kind: String, Sendable, CaseIterable { case attestation, grant, review, document, reaffirmation }

  var kind: Kind
  var at: Timestamp
  var subject: Subject
  /// The fact, the exception, or the role of the document.
  var name: String
  var terms: TermFileID?
  var reference: String

  func json(at now: Timestamp) -> JSON {
    [
      "kind": .string(self.kind.rawValue), "subject": .string(self.subject.description), "fact": .string(self.name),
      "terms": JSON(self.terms?.name), "expires": .string(self.at.description), "reference": .string(self.reference),
      "state": .string(self.state(at: now)), "remedy": .string(self.remedy),
    ]
  }

  /// What has to be read or affirmed again does not end with its day: it is due.
  private func state(at now: Timestamp) -> String {
    switch self.kind {
    case .review, .reaffirmation: self.at <= now ? "due" : "coming"
    case .attestation, .grant, .document: self.at <= now ? "expired" : "expiring"
    }
  }

  /// What somebody has to do, and whether anything closes meanwhile.
  private var remedy: String {
    switch self.kind {
    case .attestation:
      "State '\(self.name)' again before it ends (weighbridge license attest); requests that rest on it are refused from then on."
    case .grant:
      "Have the licensor renew '\(self.name)', then record and confirm the new document (weighbridge license grant record)."
    case .review:
      "Read the text at its address again and record what was found (weighbridge license reviewed); nothing closes meanwhile."
    case .document:
      "The accepted texts have changed: read them and accept '\(self.name)' anew (weighbridge license attest)."
    case .reaffirmation:
      "Ask whether '\(self.name)' is still true and state it again (weighbridge license attest); it holds meanwhile."
    }
  }
}

extension Gate {
  /// Records that end within a span from now, the soonest first: what has to be stated, granted or read again before a gate closes.
  ///
  /// A record that a later one of the same fact outlives is not listed. O(records), outside the gate's lock.
  public func expiries(within span: Duration) -> [JSON] {
    let (list, now) = self.expiring(within: span)
    return list.map { $0.json(at: now) }
  }

  /// How many records of each kind end within a span, and how many have ended with nothing after them.
  public func expiryCounts(within span: Duration) -> [(kind: String, state: String, count: Int)] {
    let (list, now) = self.expiring(within: span)
    return Expiry.Kind.allCases.flatMap { kind in
      let ended = list.count { $0.kind == kind && $0.at <= now }
      let ending = list.count { $0.kind == kind } - ended
      return [(kind.rawValue, "expired", ended), (kind.rawValue, "expiring", ending)]
    }
  }

  private func expiring(within span: Duration) -> ([Expiry], Timestamp) {
    // A copy is taken under the lock, which costs nothing, and read after it.
    let (state, now) = self.state.withLock { state in
      let now = state.tick(self.environment.now())
      return (state, now)
    }
    let end = now.advanced(by: span)
    let all = state.endingFacts(at: now) + state.endingGrants + state.dueReviews + state.changedDocuments(at: now)
    let list = all.filter { $0.at <= end }
      .sorted { ($0.at, $0.subject.description, $0.name) < ($1.at, $1.subject.description, $1.name) }
    return (list, now)
  }
}

extension GateState {
  /// The last record of each fact, where none is without an end.
  fileprivate func endingFacts(at now: Timestamp) -> [Expiry] {
    self.facts.all.flatMap { subject, facts in
      Dictionary(grouping: facts.filter { $0.source != .event }, by: \.key).values.flatMap { records -> [Expiry] in
        guard let latest = records.max(by: { $0.recordedAt < $1.recordedAt }) else { return [] }
        var list: [Expiry] = []
        if let days = self.declaration(of: latest.key, at: now)?.1.reaffirmAfterDays {
          list.append(
            Expiry(
              kind: .reaffirmation, at: latest.recordedAt.advanced(by: .seconds(days * 86_400)), subject: subject,
              name: latest.key, terms: nil, reference: latest.reference))
        }
        guard !records.contains(where: { $0.expires == nil }),
          let last = records.max(by: { ($0.expires ?? now) < ($1.expires ?? now) }), let expires = last.expires
        else { return list }
        let ending = Expiry(
          kind: .attestation, at: expires, subject: subject, name: last.key, terms: nil, reference: last.reference)
        return list + [ending]
      }
    }
  }

  /// Confirmed grants that end by their own date, as long as no other of the same exception outlives them.
  fileprivate var endingGrants: [Expiry] {
    let inForce = self.grants.values.filter { $0.eyes.confirmedBy != nil && $0.eyes.revokedAt == nil }
    return inForce.compactMap { grant in
      guard let end = grant.validTo else { return nil }
      let outlived = inForce.contains { other in
        other.subject == grant.subject && other.terms == grant.terms && other.exception == grant.exception
          && (other.validTo.map { $0 > end } ?? true)
      }
      guard !outlived else { return nil }
      return Expiry(
        kind: .grant, at: end, subject: grant.subject, name: grant.exception, terms: grant.terms,
        reference: grant.id.description)
    }
  }

  /// Documents that may change in place, by the day on which they are to be read again; only those of models that are served.
  fileprivate var dueReviews: [Expiry] {
    let served = Set(self.models.values.flatMap(\.terms))
    return served.compactMap { self.terms[$0] }.flatMap { file in
      file.documents.compactMap { document -> Expiry? in
        guard let days = document.reviewEveryDays, let readOn = file.reading?.readOn.start else { return nil }
        let last = self.facts.sheet(of: .operator).records(of: "document.reviewed.\(file.id).\(document.role)").first
        let since = max(last?.recordedAt ?? readOn, readOn)
        return Expiry(
          kind: .review, at: since.advanced(by: .seconds(days * 86_400)), subject: .operator, name: document.role,
          terms: file.id, reference: last?.reference ?? document.url)
      }
    }
  }

  /// Acceptances of texts that are no longer those of the term file: they ended when it changed.
  fileprivate func changedDocuments(at now: Timestamp) -> [Expiry] {
    self.facts.all.flatMap { subject, facts in
      Dictionary(grouping: facts.filter { $0.acceptedDigest != nil }, by: \.key).compactMap { key, records -> Expiry? in
        guard let (file, _) = self.declaration(of: key, at: now), let last = records.max(by: { $0.recordedAt < $1.recordedAt }),
          !records.contains(where: { $0.acceptedDigest == file.documentsDigest })
        else { return nil }
        return Expiry(kind: .document, at: now, subject: subject, name: key, terms: file.id, reference: last.reference)
      }
    }
  }
}
