public import Documents
public import GovernanceTypes

/// What the rules found in one text. It holds ids, scores and offsets, never a byte of the text.
public struct Assessment: Sendable, Hashable {
  /// True if a rule in mode enforce matched.
  public var flagged: Bool
  /// How likely a violation is by all that was found, in millionths; without a classifier the highest score of any use.
  public var probability: Int
  /// The same in thousandths.
  public var score: Int { self.probability / 1000 }
  /// One entry for each use that any matching rule, or the classifier above its threshold, names; ordered by id.
  public var uses: [UseFinding]
  /// The matches, in the order in which they were decided; at most ``hitLimit`` of them.
  public var rules: [RuleHit]
  /// What the classifier says, over its threshold or not; nil where the policy has none.
  public var classifier: ClassifierFinding?
  public var transforms: TextTransforms
  /// How many bytes of the text's UTF-8 were read.
  public var scannedBytes: Int

  /// A rule is listed once per text (with its first match), so this bounds a record whatever the packs are.
  public static let hitLimit = 64

  /// The forbidden uses of which enforced rules found evidence, ordered by id: what a refusal cites.
  public var flaggedUses: [ProhibitedUseID] {
    Set(self.rules.lazy.filter { $0.mode == .enforce }.flatMap(\.uses)).sorted()
  }
}

/// The evidence for one use.
public struct UseFinding: Sendable, Hashable {
  public var id: ProhibitedUseID
  /// From 0 to 1000; several rules add up as independent evidence does: 1 - (1-a)(1-b).
  public var score: Int
  /// The gravest of the rules that matched.
  public var severity: FindingSeverity
}

/// The first match of one rule in a text.
public struct RuleHit: Sendable, Hashable {
  public var packID: String
  public var packDigest: Digest
  public var ruleID: String
  public var uses: [ProhibitedUseID]
  public var mode: RuleMode
  public var severity: FindingSeverity
  /// From 0 to 1000.
  public var score: Int
  /// Where the match lies in the original text, in bytes of its UTF-8. A match inside an encoded run spans the run.
  public var spanOffset: Int
  public var spanLength: Int
}

extension Assessment {
  /// `{"flagged":…,"score":0…1,"uses":[…],"rules":[…],"transforms":[…],"scanned_bytes":…,"classifier":{"score":…}}`,
  /// and of the classifier `encoder_logit_milli` where an encoder read the text too.
  public var json: JSON {
    var members = [
      JSONMember("flagged", .bool(self.flagged)), JSONMember("score", .number(decimalText(micro: self.probability))),
      JSONMember("uses", .array(self.uses.map(\.json))), JSONMember("rules", .array(self.rules.map(\.json))),
      JSONMember("transforms", .array(self.transforms.names.map(JSON.string))),
      JSONMember("scanned_bytes", .integer(self.scannedBytes)),
    ]
    if let classifier = self.classifier {
      var found = [JSONMember("score", .number(decimalText(micro: classifier.score)))]
      if let logit = classifier.encoderLogit { found.append(JSONMember("encoder_logit_milli", .integer(logit))) }
      members.append(JSONMember("classifier", .object(found)))
    }
    return .object(members)
  }
}

extension UseFinding {
  public var json: JSON {
    [
      "id": .string(self.id.name), "score": .number(decimalText(milli: self.score)), "severity": .string(self.severity.name),
    ]
  }
}

extension RuleHit {
  public var json: JSON {
    [
      "pack": .string(self.packID), "pack_digest": .string(self.packDigest.hexadecimal), "id": .string(self.ruleID),
      "uses": .array(self.uses.map { .string($0.name) }), "mode": .string(self.mode.rawValue),
      "severity": .string(self.severity.name), "score": .number(decimalText(milli: self.score)),
      "offset": .integer(self.spanOffset), "length": .integer(self.spanLength),
    ]
  }
}

/// Thousandths as a decimal: 0, 0.05, 0.975, 1.
func decimalText(milli: Int) -> String { decimalText(micro: min(max(milli, 0), 1000) * 1000) }

/// Millionths as a decimal.
func decimalText(micro: Int) -> String {
  let held = min(max(micro, 0), 1_000_000)
  guard held % 1_000_000 != 0 else { return String(held / 1_000_000) }
  var digits = String(1_000_000 + held).dropFirst()
  while digits.last == "0" { digits.removeLast() }
  return "0.\(digits)"
}
