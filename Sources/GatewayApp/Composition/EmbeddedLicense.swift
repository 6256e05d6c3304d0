internal import Governance
internal import GovernanceTypes
internal import LicenseTerms
internal import LlamaModel
internal import Logging

/// What a model file says of its own license. A claim, never a finding: terms are the configuration's. But a file that says it is under
/// the agreement of one model family does not run under the terms of another.
struct EmbeddedLicense {
  /// `general.license`, and `general.license.name` where the former only says "other".
  let claims: [String]

  init(of model: ModelDescription) {
    self.claims = [model.license, model.licenseName].compactMap { $0?.lowercased() }.filter { !$0.isEmpty && $0 != "other" }
  }

  /// - Throws: ``StartFailure`` where the claim names a term file of a model family that is not among the model's terms.
  func check(
    _ model: GatewayConfiguration.Model, _ configuration: GatewayConfiguration, gate: Gate, environment: [String: String],
    log: Logger
  ) throws {
    let own = model.terms.compactMap { gate.termFile($0) }
    for claim in self.claims where !own.contains(where: { $0.isNamed(claim) }) {
      if claim == model.embeddedLicense?.lowercased() { continue }
      let others = try TermLibrary.readable(configuration, environment: environment, log: log)
      // Licenses without a lineage are used for models of many families: naming one says nothing about the family.
      guard let other = others.first(where: { $0.isNamed(claim) && $0.identifiers.lineage != nil }) else { continue }
      throw StartFailure(
        "model '\(model.id)': the file says that it is under '\(claim)', whose terms are '\(other.id)', and the configuration names"
          + " \(model.terms.map(\.name).joined(separator: ", ")). Add '\(other.id)' to its terms; or, if the file is wrong, say so with"
          + " 'embedded_license: \(claim)'.")
    }
  }
}

extension TermFile {
  /// Whether a tag of a model hub, a scanner or a license list names these terms.
  fileprivate func isNamed(_ tag: String) -> Bool {
    let tags = [self.id.name] + self.identifiers.huggingFace + self.identifiers.scanCode + self.identifiers.spdx
    return (tags + [self.identifiers.spdxReference, self.identifiers.lineage].compactMap { $0 }).contains {
      $0.lowercased() == tag
    }
  }
}
