internal import AcceptableUse
internal import GovernanceTypes
internal import LicenseTerms

/// What the rules find in a text, by the categories that all term files share.
public struct Judgement: Sendable, Equatable {
  public var flagged: Bool
  /// In thousandths; the highest of each category. Categories that nothing was found of are absent.
  public var scores: [String: Int]
  /// Categories for which the finding is enforced.
  public var flaggedCategories: Set<String>
}

extension Gate {
  /// Judges texts without a model and without a charge. Nothing of them is kept.
  public func judge(_ texts: [String]) -> [Judgement] {
    texts.map { text in
      let assessment = self.acceptableUse.assess(text, direction: .prompt)
      var judgement = Judgement(flagged: assessment.flagged, scores: [:], flaggedCategories: [])
      for hit in assessment.rules {
        for category in self.categories(of: hit) {
          judgement.scores[category] = max(judgement.scores[category] ?? 0, hit.score)
          if hit.mode == .enforce { judgement.flaggedCategories.insert(category) }
        }
      }
      return judgement
    }
  }

  private func categories(of hit: RuleHit) -> Set<String> {
    guard let policy = self.acceptableUse.packs.first(where: { $0.id == hit.packID })?.policy, let file = self.termFile(policy)
    else { return [] }
    return Set(file.uses.filter { use in hit.uses.contains { $0.name == use.id } }.map(\.category))
  }
}
