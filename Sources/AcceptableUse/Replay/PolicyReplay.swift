public import Documents

/// A text that an operator supplied to try a policy on, with what a person says of it.
public struct ReplayText: Sendable, Hashable {
  public var text: String
  /// Whether it violates the policy; nil where nobody said.
  public var isViolation: Bool?

  public init(text: String, isViolation: Bool? = nil) {
    self.text = text
    self.isViolation = isViolation
  }

  /// Reads `{"text":…,"label":0|1}`; the label may be missing.
  public init(jsonLine line: String) throws(DocumentError) {
    var reader = try DocumentReader(try Document.parseJSON(Array(line.utf8)))
    let text = try reader.string("text")
    let label = try reader.optionalInteger("label", in: 0...1)
    self.init(text: text, isViolation: label.map { $0 == 1 })
  }
}

/// Two policies over the same texts: what one flags and the other does not. Holds counts and places, never a text.
public struct PolicyReplay: Sendable, Hashable {
  /// How often one policy flags texts, and how right that is where labels say.
  public struct Tally: Sendable, Hashable {
    public var flagged = 0
    public var flaggedViolations = 0
    public var flaggedHarmless = 0

    mutating func count(_ isFlagged: Bool, _ isViolation: Bool?) {
      guard isFlagged else { return }
      self.flagged += 1
      if isViolation == true { self.flaggedViolations += 1 }
      if isViolation == false { self.flaggedHarmless += 1 }
    }
  }

  public private(set) var texts = 0
  public private(set) var violations = 0
  public private(set) var harmless = 0
  public private(set) var current = Tally()
  public private(set) var candidate = Tally()
  /// Places of texts, from 0, that only the candidate flags; the first ``placeLimit`` of them.
  public private(set) var newlyFlagged: [Int] = []
  /// Places of texts that only the current policy flags; likewise.
  public private(set) var noLongerFlagged: [Int] = []
  public private(set) var newlyFlaggedCount = 0
  public private(set) var noLongerFlaggedCount = 0
  /// For each enforced rule of the candidate (`pack/rule`) how it did.
  public private(set) var rules: [String: Tally] = [:]

  public static let placeLimit = 1000

  public init() {}

  /// Adds what both policies say of one text.
  public mutating func add(current: Assessment, candidate: Assessment, isViolation: Bool?) {
    let place = self.texts
    self.texts += 1
    if isViolation == true { self.violations += 1 }
    if isViolation == false { self.harmless += 1 }
    self.current.count(current.flagged, isViolation)
    self.candidate.count(candidate.flagged, isViolation)
    for hit in candidate.rules where hit.mode == .enforce {
      self.rules["\(hit.packID)/\(hit.ruleID)", default: Tally()].count(true, isViolation)
    }
    if candidate.flagged, !current.flagged {
      self.newlyFlaggedCount += 1
      if self.newlyFlagged.count < Self.placeLimit { self.newlyFlagged.append(place) }
    } else if current.flagged, !candidate.flagged {
      self.noLongerFlaggedCount += 1
      if self.noLongerFlagged.count < Self.placeLimit { self.noLongerFlagged.append(place) }
    }
  }

  /// Runs both policies over all texts. O(bytes).
  public init(
    current: AcceptableUsePolicy, candidate: AcceptableUsePolicy, over texts: some Sequence<ReplayText>, direction: TextDirection
  ) {
    var currentScanner = current.scanner(direction)
    var candidateScanner = candidate.scanner(direction)
    for text in texts {
      self.add(
        current: currentScanner.assess(text.text), candidate: candidateScanner.assess(text.text), isViolation: text.isViolation)
    }
  }

  /// Reads what ``json`` writes; other members of the object (who made it, what was objected) are left aside. Places are not read back.
  public init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let counts = 0...Int(Int32.max)
    self.texts = try reader.integer("texts", in: counts)
    self.violations = try reader.integer("violations", in: 0...self.texts)
    self.harmless = try reader.integer("harmless", in: 0...(self.texts - self.violations))
    self.current = try Tally(try reader.reader("current"), of: self.texts)
    self.candidate = try Tally(try reader.reader("candidate"), of: self.texts)
    self.newlyFlaggedCount = try reader.integer("newly_flagged", in: 0...self.texts)
    self.noLongerFlaggedCount = try reader.integer("no_longer_flagged", in: 0...self.texts)
    var entries = try reader.reader("rules")
    for rule in entries.keys { self.rules[rule] = try Tally(try entries.reader(rule), of: self.texts) }
  }

  public var json: JSON {
    [
      "texts": .integer(self.texts), "violations": .integer(self.violations), "harmless": .integer(self.harmless),
      "current": self.current.json, "candidate": self.candidate.json,
      "newly_flagged": .integer(self.newlyFlaggedCount), "no_longer_flagged": .integer(self.noLongerFlaggedCount),
      "newly_flagged_places": .array(self.newlyFlagged.map(JSON.integer)),
      "no_longer_flagged_places": .array(self.noLongerFlagged.map(JSON.integer)),
      "rules": .object(self.rules.sorted { $0.key < $1.key }.map { JSONMember($0.key, $0.value.json) }),
    ]
  }
}

extension PolicyReplay.Tally {
  fileprivate init(_ reader: DocumentReader, of texts: Int) throws(DocumentError) {
    var reader = reader
    self.flagged = try reader.integer("flagged", in: 0...texts)
    self.flaggedViolations = try reader.integer("flagged_violations", in: 0...self.flagged)
    self.flaggedHarmless = try reader.integer("flagged_harmless", in: 0...(self.flagged - self.flaggedViolations))
    try reader.finish()
  }

  public var json: JSON {
    [
      "flagged": .integer(self.flagged), "flagged_violations": .integer(self.flaggedViolations),
      "flagged_harmless": .integer(self.flaggedHarmless),
    ]
  }
}
