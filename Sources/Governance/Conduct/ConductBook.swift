internal import AcceptableUse
internal import GovernanceTypes

/// Modes, exemptions, appeals and incidents in memory, and the policies that follow from them.
struct ConductBook: Sendable {
  private(set) var settings: [String: StoredConduct] = [:]
  private(set) var exemptions: [ExemptionID: StoredExemption] = [:]
  private(set) var appeals: [String: StoredAppeal] = [:]
  private(set) var incidents: [String: StoredIncident] = [:]
  /// Uses of which no exemption counts, under the term files in force.
  var unwaivable: Set<ProhibitedUseID> = [] { didSet { self.effective = [:] } }
  /// Customers of whom something holds that does not hold for all.
  private var special: Set<CustomerID> = []
  /// Made when first asked for, forgotten when anything changes.
  private var effective: [CustomerID?: EffectiveConduct] = [:]

  mutating func put(_ conduct: StoredConduct) {
    self.settings[conduct.id] = conduct
    if let customer = conduct.customer { self.special.insert(customer) }
    self.effective = [:]
  }

  mutating func put(_ exemption: StoredExemption) {
    self.exemptions[exemption.id] = exemption
    self.special.insert(exemption.customer)
    self.effective = [:]
  }

  mutating func put(_ appeal: StoredAppeal) {
    self.appeals[appeal.appeal.id] = appeal
    self.effective = [:]
  }

  mutating func put(_ incident: StoredIncident) { self.incidents[incident.report.id] = incident }

  /// The policy as it holds for a customer now. O(1) where it was asked for before.
  mutating func effective(for customer: CustomerID, base: AcceptableUsePolicy, at now: Timestamp) -> EffectiveConduct {
    let place = self.special.contains(customer) ? customer : nil
    if let known = self.effective[place], known.holds(at: now) { return known }
    let fresh = self.made(for: place, base: base, at: now)
    self.effective[place] = fresh
    return fresh
  }

  private func made(for customer: CustomerID?, base: AcceptableUsePolicy, at now: Timestamp) -> EffectiveConduct {
    let own = customer.flatMap { self.settings[$0.description] }
    let general = self.settings[StoredConduct.everybody]
    var policy = self.policy(for: customer, base: base)
    let granted = self.exemptions.values.filter { $0.customer == customer }.compactMap { stored in
      // One that nothing can permit was refused when it was recorded; under other term files it no longer counts.
      (try? stored.exemption(unwaivable: self.unwaivable)).flatMap { exemption in exemption.map { (stored.id, $0) } }
    }
    let inForce = granted.filter { $0.1.isInForce(at: now) }
    let permitted = inForce.map(\.1).permitted(at: now)
    policy = policy.permitting(permitted)
    let next = granted.flatMap { [$0.1.validFrom, $0.1.validUntil] }.filter { now < $0 }.min()
    return EffectiveConduct(
      policy: policy, stream: own?.stream ?? general?.stream ?? StreamTerms(), exemptions: inForce.map(\.0).sorted(),
      permitted: permitted, until: next,
      isShared: customer == nil)
  }

  /// The policy with what was set, without exemptions: for all, then for the customer, then what appeals took back.
  func policy(for customer: CustomerID?, base: AcceptableUsePolicy) -> AcceptableUsePolicy {
    let general = self.settings[StoredConduct.everybody]?.modes ?? PolicySettings()
    var policy = base.applying(general)
    if let own = customer.flatMap({ self.settings[$0.description]?.modes }) { policy = policy.applying(own) }
    let demoted = self.demoted
    guard !demoted.isEmpty else { return policy }
    var withdrawn = PolicySettings()
    for rule in demoted where !rule.hasPrefix(LinearClassifier.packID + "/") { withdrawn.rules[rule] = .shadow }
    if demoted.contains(where: { $0.hasPrefix(LinearClassifier.packID + "/") }), let classifier = base.classifier {
      withdrawn.classifier = ClassifierTerms(mode: .annotate, threshold: classifier.threshold)
    }
    return policy.applying(withdrawn)
  }

  /// Rules that were overturned too often since the operator last named them.
  var demoted: Set<String> {
    var records: [String: AppealRecord] = [:]
    for stored in self.appeals.values {
      guard case .closed(let outcome, _, let time, _) = stored.appeal.state else { continue }
      for rule in stored.rules where !self.isNamed(rule, after: time) { records[rule, default: AppealRecord()].add(outcome) }
    }
    return Set(records.filter(\.value.isDemoted).keys)
  }

  private func isNamed(_ rule: String, after time: Timestamp) -> Bool {
    self.settings.values.contains { $0.recordedAt > time && $0.modes.rules[rule] != nil }
  }
}
