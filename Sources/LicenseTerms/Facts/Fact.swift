public import GovernanceTypes

/// One record of one fact: what was stated or measured, by whom, and for how long it holds.
public struct Fact: Sendable, Hashable {
  /// The external key (``TermFile/externalKey(for:at:)``).
  public var key: String
  public var value: FactValue
  public var source: FactSource
  /// What proves it: an attestation id, a rule id, a configuration key.
  public var reference: String
  public var recordedAt: Timestamp
  /// The record holds before this instant.
  public var expires: Timestamp?
  /// For a fact that expires on document change: ``TermFile/documentsDigest`` as it was when the fact was recorded.
  public var acceptedDigest: Digest?

  public init(
    key: String, value: FactValue, source: FactSource, reference: String, recordedAt: Timestamp, expires: Timestamp? = nil,
    acceptedDigest: Digest? = nil
  ) {
    self.key = key
    self.value = value
    self.source = source
    self.reference = reference
    self.recordedAt = recordedAt
    self.expires = expires
    self.acceptedDigest = acceptedDigest
  }
}

extension Fact {
  /// A total order: of two records of one instant the one with the greater reference is the younger.
  fileprivate func isOlder(than other: Fact) -> Bool {
    if self.recordedAt != other.recordedAt { return self.recordedAt < other.recordedAt }
    if self.reference != other.reference { return self.reference < other.reference }
    if self.source != other.source { return self.source.rawValue < other.source.rawValue }
    if self.expires != other.expires { return (self.expires?.nanoseconds ?? .max) < (other.expires?.nanoseconds ?? .max) }
    return self.value.description < other.value.description
  }
}

/// All records about one subject, by external key.
///
/// Several records of one key: the most recent one that holds decides; measured lower bounds narrow what is stated. An event
/// that ends records (`affiliates.changed`) is itself a record with that key and source ``FactSource/event``.
public struct FactSheet: Sendable {
  /// Records by key, most recent first.
  private let records: [String: [Fact]]
  /// Records that are there for one term file alone.
  private let ofTerms: [TermFileID: [Fact]]

  public static let empty = FactSheet([])

  /// O(n log n).
  public init(_ facts: some Sequence<Fact>) { self.init(facts, ofTerms: [:]) }

  private init(_ facts: some Sequence<Fact>, ofTerms: [TermFileID: [Fact]]) {
    let grouped = Dictionary(grouping: facts, by: \.key)
    self.records = grouped.mapValues { $0.count == 1 ? $0 : $0.sorted { $1.isOlder(than: $0) } }
    self.ofTerms = ofTerms
  }

  /// The records of a key, most recent first.
  public func records(of key: String) -> [Fact] { self.records[key] ?? [] }

  public var facts: [Fact] { self.records.keys.sorted().flatMap { self.records(of: $0) } }

  /// The sheet with further records.
  public func adding(_ facts: some Sequence<Fact>) -> FactSheet { FactSheet(self.facts + Array(facts), ofTerms: self.ofTerms) }

  /// The sheet with records that only the term files named read: a count of a group, which is another one under each license that
  /// draws the group otherwise.
  public func adding(ofTerms facts: [TermFileID: [Fact]]) -> FactSheet {
    FactSheet(self.facts, ofTerms: self.ofTerms.merging(facts) { $0 + $1 })
  }

  /// What a term file reads.
  func sheet(for terms: TermFileID) -> FactSheet {
    guard let own = self.ofTerms[terms], !own.isEmpty else { return self }
    return FactSheet(self.facts + own)
  }
}
