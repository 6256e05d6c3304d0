internal import GovernanceTypes

// The encoder behind the linear tier.
extension AcceptableUsePolicy {
  private static let disguises: TextTransforms = [
    .invisible, .tags, .homoglyphs, .leetspeak, .spacedLetters, .base64, .percentEncoding,
  ]

  /// Whether the encoder is to read the text of this assessment: the linear tier is in doubt, no rule has decided, and the text says
  /// plainly what it says. Of a disguised one the encoder would not see the words that the linear tier weighed.
  public func isAmbiguous(_ assessment: Assessment) -> Bool {
    guard let encoder, let finding = assessment.classifier, finding.encoderLogit == nil else { return false }
    return !assessment.flagged && assessment.transforms.isDisjoint(with: Self.disguises) && encoder.band.contains(finding.logit)
  }

  /// The same assessment with what the encoder said of the text: both tiers' logits together against the same threshold.
  public func adding(_ reading: EncoderReading, to assessment: Assessment, direction: TextDirection) -> Assessment {
    guard let encoder, let classifier, var finding = assessment.classifier else { return assessment }
    let rules = self.rules(direction)
    finding.encoderLogit = reading.logit
    finding.logit = encoder.combined(linear: finding.logit, encoder: reading.logit)
    finding.score = classifier.score(ofLogit: finding.logit)
    finding.heads = finding.score < rules.classifier.threshold ? [] : reading.heads
    var copy = assessment
    copy.replace(finding, of: classifier, rules)
    return copy
  }

  /// What follows where the encoder gave no reading of a text that it should have read.
  ///
  /// It would have refused only where the classifier is enforced; then the uses in doubt are those that the linear tier names.
  public func verdict(
    onEncoder failure: DetectorFailure, for assessment: Assessment, critical: Set<ProhibitedUseID>, direction: TextDirection
  ) -> DetectorFailureVerdict {
    guard let classifier, let finding = assessment.classifier, self.rules(direction).classifier.mode == .enforce else {
      return DetectorFailureVerdict(action: .record, failure: failure, unchecked: [])
    }
    let doubts = Set(classifier.uses(of: finding).map(\.use))
    return self.verdict(on: failure, covered: doubts, critical: critical, direction: direction)
  }
}
