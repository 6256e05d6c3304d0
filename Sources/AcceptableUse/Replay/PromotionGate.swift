/// What a replay must show before something that only observed may enforce.
public struct PromotionGate: Sendable, Hashable {
  /// Fewest texts in the replay.
  public var texts = 1000
  /// Fewest texts that a person called harmless.
  public var harmless = 300
  /// Fewest texts that the candidate newly flags and a person called a violation.
  public var newViolations = 20
  /// Most of a thousand harmless texts that the candidate may flag.
  public var flaggedHarmlessPerMille = 10
  /// Of a thousand labelled texts that a rule which would enforce flags, fewest that are violations.
  public var precisionPerMille = 980
  /// Most of a thousand texts, of whatever kind, that may be flagged anew: a rule that refuses much is looked at by people first.
  public var newlyFlaggedPerMille = 50

  public init() {}

  /// Why the evidence is not enough, each reason with its figures; empty when the promotion may go through.
  public func objections(_ replay: PolicyReplay) -> [String] {
    var objections: [String] = []
    if replay.texts < self.texts { objections.append("the replay has \(replay.texts) texts; \(self.texts) are needed") }
    if replay.harmless < self.harmless {
      objections.append("\(replay.harmless) texts are labelled harmless; \(self.harmless) are needed")
    }
    let newViolations = replay.candidate.flaggedViolations - replay.current.flaggedViolations
    if newViolations < self.newViolations {
      objections.append("\(max(0, newViolations)) more violations are flagged; \(self.newViolations) are needed to judge")
    }
    if replay.candidate.flaggedHarmless * 1000 > replay.harmless * self.flaggedHarmlessPerMille {
      objections.append(
        "\(replay.candidate.flaggedHarmless) of \(replay.harmless) harmless texts would be refused; at most \(self.flaggedHarmlessPerMille) of 1000 may be"
      )
    }
    if replay.newlyFlaggedCount * 1000 > replay.texts * self.newlyFlaggedPerMille + replay.violations * 1000 {
      objections.append(
        "\(replay.newlyFlaggedCount) of \(replay.texts) texts are flagged anew; at most \(self.newlyFlaggedPerMille) of 1000 beyond the violations may be"
      )
    }
    for (rule, tally) in replay.rules.sorted(by: { $0.key < $1.key }) {
      let labelled = tally.flaggedViolations + tally.flaggedHarmless
      if labelled > 0, tally.flaggedViolations * 1000 < labelled * self.precisionPerMille {
        objections.append(
          "\(rule): \(tally.flaggedViolations) of \(labelled) labelled texts it flags are violations; \(self.precisionPerMille) of 1000 are needed"
        )
      }
    }
    return objections
  }

  /// The settings that an operator may put in force.
  ///
  /// - Throws: ``AcceptableUseError`` with every objection. Settings that enforce nothing more than before need no evidence.
  public func admit(_ replay: PolicyReplay, promoting settings: PolicySettings) throws(AcceptableUseError) -> PolicySettings {
    guard settings.enforcesSomething else { return settings }
    let objections = self.objections(replay)
    guard objections.isEmpty else {
      throw AcceptableUseError(message: "not promoted: " + objections.joined(separator: "; "))
    }
    return settings
  }
}

extension PolicySettings {
  /// Whether any entry asks for mode enforce.
  var enforcesSomething: Bool {
    self.rules.values.contains(.enforce) || self.uses.values.contains(.enforce) || self.classifier?.mode == .enforce
  }
}
