public import Documents
public import GovernanceTypes

/// What the rules found in one text. It holds ids, scores and offsets, never a byte of the text.
public struct Assessment: Sendable, Hashable {
  /// True if a rule in mode enforce matched.
  public var flagged: Bool
  /// The highest score of any use, from 0 to 1000.
  public var score: Int
  /// One entry for each use that any matching rule names, ordered by id.
  public var uses: [UseFinding]
  /// The matches, in the order in which they were decided; at most ``hitLimit`` of them.
  public var rules: [RuleHit]
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
  /// `{"flagged":…,"score":0…1,"uses":[…],"rules":[…],"transforms":[…],"scanned_bytes":…}`; scores in thousandths.
  public var json: JSON {
    [
      "flagged": .bool(self.flagged),
      "score": .number(decimalText(milli: self.score)),
      "uses": .array(self.uses.map(\.json)),
      "rules": .array(self.rules.map(\.json)),
      "transforms": .array(self.transforms.names.map(JSON.string)),
      "scanned_bytes": .integer(self.scannedBytes),
    ]
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
func decimalText(milli: Int) -> String {
  let held = min(max(milli, 0), 1000)
  guard held % 1000 != 0 else { return String(held / 1000) }
  var digits = String(1000 + held).dropFirst()
  while digits.last == "0" { digits.removeLast() }
  return "0.\(digits)"
}
