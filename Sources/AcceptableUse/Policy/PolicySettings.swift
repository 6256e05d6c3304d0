public import Documents

/// What an operator changed about the modes that the packs ship with, for all customers or for one.
///
/// Ruled from the most to the least specific: the rule, then the strictest of its uses, then what the pack says.
public struct PolicySettings: Sendable, Hashable {
  /// By `pack/rule`.
  public var rules: [String: RuleMode] = [:]
  /// By use. Raises shadow and annotate, lowers enforce; of a rule with several uses the strictest counts.
  public var uses: [ProhibitedUseID: RuleMode] = [:]
  /// Nil leaves what the weights ship with.
  public var classifier: ClassifierTerms?

  public init() {}

  /// What ``init(_:)`` reads, members in order of their names: its digest names these settings.
  public var json: JSON {
    func modes(_ entries: [(String, RuleMode)]) -> JSON {
      .object(entries.sorted { $0.0 < $1.0 }.map { JSONMember($0.0, .string($0.1.rawValue)) })
    }
    var members: [JSONMember] = []
    if !self.rules.isEmpty { members.append(JSONMember("rules", modes(self.rules.map { ($0.key, $0.value) }))) }
    if !self.uses.isEmpty { members.append(JSONMember("uses", modes(self.uses.map { ($0.key.name, $0.value) }))) }
    if let classifier {
      members.append(
        JSONMember(
          "classifier",
          ["mode": .string(classifier.mode.rawValue), "threshold": .integer(classifier.threshold / 1000)]))
    }
    return .object(members)
  }

  func mode(ofRule id: String, pack: String, uses: [ProhibitedUseID], shipped: RuleMode) -> RuleMode? {
    if let mode = self.rules["\(pack)/\(id)"] { return mode }
    let modes = uses.map { self.uses[$0] ?? shipped }
    return modes.max { $0.strictness < $1.strictness }
  }
}

extension RuleMode {
  /// Ordered: shadow, annotate, enforce.
  var strictness: Int {
    switch self {
    case .shadow: 0
    case .annotate: 1
    case .enforce: 2
    }
  }
}

extension PolicySettings {
  /// Reads `{"rules":{"pack/rule":"shadow"},"uses":{"2b":"enforce"},"classifier":{"mode":…,"threshold":0…1 in thousandths}}` strictly.
  public init(_ document: Document) throws(DocumentError) {
    var reader = try DocumentReader(document)
    if let entries = try reader.optionalReader("rules") { self.rules = try Self.modes(entries) }
    if let entries = try reader.optionalReader("uses") {
      self.uses = Dictionary(uniqueKeysWithValues: try Self.modes(entries).map { (ProhibitedUseID($0.key), $0.value) })
    }
    if var entry = try reader.optionalReader("classifier") {
      self.classifier = ClassifierTerms(
        mode: try Self.mode(&entry, "mode"), threshold: try entry.integer("threshold", in: 1...1000) * 1000)
      try entry.finish()
    }
    try reader.finish()
  }

  private static func modes(_ reader: DocumentReader) throws(DocumentError) -> [String: RuleMode] {
    var reader = reader
    var modes: [String: RuleMode] = [:]
    for key in reader.keys { modes[key] = try Self.mode(&reader, key) }
    try reader.finish()
    return modes
  }

  private static func mode(_ reader: inout DocumentReader, _ key: String) throws(DocumentError) -> RuleMode {
    let text = try reader.string(key)
    guard let mode = RuleMode(rawValue: text) else {
      throw reader.failure(key, "is '\(text)'; it must be enforce, shadow or annotate")
    }
    return mode
  }
}
