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
  /// - Parameter category: The shared category of a use, by the term file; nil for a use it does not have.
  /// - Parameter threshold: From which score, in thousandths, a category counts as found although nothing was enforced.
  public static func result(
    _ assessment: Assessment, threshold: Int, category: (ProhibitedUseID) -> String?
  ) -> JSON {
    var scores: [String: Int] = [:]
    var own: [JSONMember] = []
    for use in assessment.uses {
      guard let shared = category(use.id) else { continue }
      own.append(JSONMember(shared, .number(decimalText(milli: use.score))))
      for name in self.names(for: shared) { scores[name] = max(scores[name] ?? 0, use.score) }
    }
    let isFound = { (name: String) in (scores[name] ?? 0) >= threshold }
    return [
      "flagged": .bool(assessment.flagged || self.names.contains(where: isFound)),
      "categories": .object(self.names.map { JSONMember($0, .bool(isFound($0))) }),
      "category_scores": .object(self.names.map { JSONMember($0, .number(decimalText(milli: scores[$0] ?? 0))) }),
      "category_applied_input_types": .object(
        self.names.map { JSONMember($0, isFound($0) ? .array(["text"]) : .array([])) }),
      "aup": [
        "score": .number(decimalText(micro: assessment.probability)), "categories": .object(own),
        "uses": .array(assessment.uses.map(\.json)),
      ],
    ]
  }
}
