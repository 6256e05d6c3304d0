/// What the classifier says of one text.
public struct ClassifierFinding: Sendable, Hashable {
  /// In thousandths of a logit.
  public var logit: Int
  /// The share of violations among texts with this logit, where both kinds are equally frequent; in millionths.
  public var score: Int
  /// Which use it is, if it is one, in millionths for each head of the weights; empty below the threshold in force and outside an encoder's band.
  public var heads: [Int]
  /// The encoder's own logit in thousandths, where it was asked; logit and score are then those of both tiers together.
  public var encoderLogit: Int?

  /// - Parameter threshold: Below this score, in millionths, nobody asks which use it is.
  init(_ features: FeatureScan, threshold: Int) {
    self.logit = features.logit
    self.score = features.classifier.score(ofLogit: self.logit)
    self.heads = self.score < threshold ? [] : features.headScores
  }
}

/// How a policy uses the classifier.
public struct ClassifierTerms: Sendable, Hashable {
  public var mode: RuleMode
  /// From this score on a text is over the threshold, in millionths.
  public var threshold: Int

  public init(mode: RuleMode, threshold: Int) {
    self.mode = mode
    self.threshold = threshold
  }
}

extension LinearClassifier {
  /// The name under which findings of the classifier stand among those of the rules.
  public static let packID = "linear-classifier"

  /// What matching rules add to a text's logit, in thousandths: a rule is strong evidence, but the words around it may speak against.
  static let ruleWeight = 2

  /// The uses that a finding names: of heads that are sure, else the likeliest; none if it is an attempt to get round the rules.
  func uses(of finding: ClassifierFinding) -> [(use: ProhibitedUseID, share: Int)] {
    guard let best = finding.heads.max(), best > 0 else { return [] }
    return zip(self.heads, finding.heads).compactMap { head, share in
      guard share >= Self.sure || share == best, let use = head.use else { return nil }
      return (use, share)
    }
  }

  private static let sure = 500_000

  /// Millionths: of the finding alone, or raised by the best score, in thousandths, of the rules that matched.
  func union(_ finding: ClassifierFinding, ruleScore: Int) -> Int {
    ruleScore == 0 ? finding.score : self.score(ofLogit: finding.logit + Self.ruleWeight * ruleScore)
  }
}
