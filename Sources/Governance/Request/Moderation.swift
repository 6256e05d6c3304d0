internal import AcceptableUse
public import Documents
public import GovernanceTypes
internal import LicenseTerms

extension Gate {
  /// Judges texts as prompts of a customer, without a model and without a charge, in OpenAI's categories and in those that all term
  /// files share. Nothing of them is kept.
  public func moderate(_ texts: [String], for customer: CustomerID) -> [JSON] {
    let assessments = self.conduct(of: customer).assess(texts.map { PromptText(text: $0, isSystem: false) })
    return assessments.map { ModerationCategories.result($0, categories: self.categories) }
  }

  private func categories(of hit: RuleHit) -> Set<String> {
    guard let policy = self.acceptableUse.policy(ofPack: hit.packID), let file = self.termFile(policy) else { return [] }
    return Set(file.uses.filter { use in hit.uses.contains { $0.name == use.id } }.map(\.category))
  }
}
