internal import AcceptableUse
internal import Governance
internal import LicenseTerms
internal import Synchronization

/// Reads the term files again while the gateway runs. Files with any error change nothing: those in force stay.
final class TermReload: Sendable {
  private let gate: Gate
  private let configuration: GatewayConfiguration
  private let environment: [String: String]
  private let lastFailure = Mutex<String?>(nil)

  init(gate: Gate, configuration: GatewayConfiguration, environment: [String: String]) {
    self.gate = gate
    self.configuration = configuration
    self.environment = environment
  }

  /// Why the newest reading failed; nil where it did not.
  var failure: String? { self.lastFailure.withLock { $0 } }

  func reload(by actor: Actor) async throws(Refusal) {
    do {
      let packs = try RuleLibrary.packs(self.configuration.rulePacks, environment: self.environment)
      let terms = try TermLibrary.load(self.configuration, packs: packs, environment: self.environment)
      try RuleLibrary.check(
        packs, try RuleLibrary.classifier(self.configuration.classifier, environment: self.environment), against: terms)
      try await self.gate.replaceTerms(terms, by: actor)
      self.lastFailure.withLock { $0 = nil }
    } catch {
      self.lastFailure.withLock { $0 = "\(error)" }
      throw Refusal(.invalidRequest, "The term files stay as they are: \(error)")
    }
  }
}
