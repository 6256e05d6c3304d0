public import GovernanceTypes

/// Uses that someone may make although the policy forbids them, on evidence and for a time: a licensed medical provider, a laboratory.
///
/// A finding of an exempt use is still made and recorded, in mode annotate. Who it belongs to is the caller's matter.
public struct Exemption: Sendable, Hashable {
  public var id: String
  public var uses: Set<ProhibitedUseID>
  /// SHA-256 of the document that shows the right.
  public var evidence: Digest
  /// Names of those who approved it; two different ones at least.
  public var approvers: [String]
  public var validFrom: Timestamp
  public var validUntil: Timestamp

  /// Longest time for which one may be granted, in days: a right is looked at again at least so often.
  public static let longestDays: Int64 = 400

  /// - Parameter unwaivable: Uses that no evidence permits.
  /// - Throws: ``AcceptableUseError`` that names what is wrong and what would be right.
  public init(
    id: String, uses: Set<ProhibitedUseID>, evidence: Digest, approvers: [String], validFrom: Timestamp, validUntil: Timestamp,
    unwaivable: Set<ProhibitedUseID>
  ) throws(AcceptableUseError) {
    guard !uses.isEmpty else { throw AcceptableUseError(message: "exemption '\(id)': names no use; name at least one") }
    if let use = uses.intersection(unwaivable).min() {
      throw AcceptableUseError(message: "exemption '\(id)': nothing permits the use '\(use)'; leave it out")
    }
    guard Set(approvers.filter { !$0.isEmpty }).count >= 2 else {
      throw AcceptableUseError(message: "exemption '\(id)': needs two different approvers")
    }
    guard validFrom < validUntil else { throw AcceptableUseError(message: "exemption '\(id)': ends before it begins") }
    let (days, _) = (validUntil.seconds - validFrom.seconds).quotientAndRemainder(dividingBy: 86_400)
    guard days <= Self.longestDays else {
      throw AcceptableUseError(
        message: "exemption '\(id)': lasts \(days) days; at most \(Self.longestDays) may be granted at once")
    }
    self.id = id
    self.uses = uses
    self.evidence = evidence
    self.approvers = approvers
    self.validFrom = validFrom
    self.validUntil = validUntil
  }

  /// In force from its first instant to just before its last; afterwards the policy holds again without anybody doing anything.
  public func isInForce(at now: Timestamp) -> Bool { self.validFrom <= now && now < self.validUntil }
}

extension Sequence<Exemption> {
  /// The uses that are permitted at `now`.
  public func permitted(at now: Timestamp) -> Set<ProhibitedUseID> {
    self.reduce(into: []) { uses, exemption in if exemption.isInForce(at: now) { uses.formUnion(exemption.uses) } }
  }
}
