public import Documents

/// The categories of OpenAI's moderation endpoint, and which of the categories that all term files share stand for each.
public enum ModerationCategories {
  /// In the order of OpenAI's answer.
  public static let names = [
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors", "violence", "violence/graphic",
  ]

  private static let bySharedCategory: [String: [String]] = [
    "violent-extremism": ["violence", "illicit/violent"], "child-safety": ["sexual/minors", "sexual"],
    "trafficking": ["illicit/violent"],
    "minors-access": ["illicit"], "sexual-solicitation": ["sexual"], "illegal": ["illicit"],
    "harassment": ["harassment", "hate"],
    "discrimination": ["hate"], "unlicensed-practice": ["illicit"], "privacy": ["illicit"], "ip-infringement": ["illicit"],
    "malware": ["illicit"], "military-nuclear": ["illicit/violent"], "weapons": ["illicit/violent"], "drugs": ["illicit"],
    "critical-operation": ["illicit"], "self-harm": ["self-harm", "self-harm/intent", "self-harm/instructions"],
    "incitement": ["violence", "harassment/threatening"], "fraud-disinformation": ["illicit"], "defamation": ["harassment"],
    "spam": ["illicit"], "impersonation": ["illicit"], "human-claim": ["illicit"], "fake-engagement": ["illicit"],
  ]

  /// Shared categories that the table knows; a term file's category beyond them shows only among our own.
  public static var sharedCategories: Set<String> { Set(self.bySharedCategory.keys) }

  /// OpenAI's categories for a shared one; none where it has no counterpart.
  public static func names(for sharedCategory: String) -> [String] { self.bySharedCategory[sharedCategory] ?? [] }

  /// One entry of `results`: every category with its score, our own names beside them.
  ///
  /// A category counts as found where a rule in mode enforce or annotate, or the classifier over its threshold, found evidence of it;
  /// what only a rule in mode shadow found shows in the scores.
  ///
  /// - Parameter categories: The shared categories of a hit's uses, by the term file of its pack.
  public static func result(_ assessment: Assessment, categories: (RuleHit) -> Set<String>) -> JSON {
    var scores: [String: Int] = [:]
    var own: [String: Int] = [:]
    var found: Set<String> = []
    for hit in assessment.rules {
      for shared in categories(hit) {
        own[shared] = max(own[shared] ?? 0, hit.score)
        for name in self.names(for: shared) {
          scores[name] = max(scores[name] ?? 0, hit.score)
          if hit.mode != .shadow { found.insert(name) }
        }
      }
    }
    return [
      "flagged": .bool(assessment.flagged || !found.isEmpty),
      "categories": .object(self.names.map { JSONMember($0, .bool(found.contains($0))) }),
      "category_scores": .object(self.names.map { JSONMember($0, .number(decimalText(milli: scores[$0] ?? 0))) }),
      "category_applied_input_types": .object(
        self.names.map { JSONMember($0, found.contains($0) ? .array(["text"]) : .array([])) }),
      "aup": [
        "refused": .bool(assessment.flagged), "score": .number(decimalText(micro: assessment.probability)),
        "categories": .object(own.sorted { $0.key < $1.key }.map { JSONMember($0.key, .number(decimalText(milli: $0.value))) }),
        "uses": .array(assessment.uses.map(\.json)),
      ],
    ]
  }
}
