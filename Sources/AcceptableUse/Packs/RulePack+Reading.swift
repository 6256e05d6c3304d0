public import Documents
public import GovernanceTypes

extension RulePack {
  /// The format this reader knows.
  public static let schema = "weighbridge/rule-pack/v1"

  /// Reads a pack strictly: an unknown key, an empty or unknown list, a phrase without letters, a rule without examples of
  /// both kinds is an error with its line. O(phrases) time and memory, within fixed limits.
  public init(_ document: Document, digest: DigestFunction) throws(DocumentError) {
    var reader = try DocumentReader(document)
    let schema = try reader.string("schema")
    guard schema == Self.schema else { throw reader.failure("schema", "is '\(schema)'; this version reads '\(Self.schema)'") }
    self.id = try reader.name("id")
    self.version = try reader.name("version")
    self.policy = TermFileID(try reader.name("policy"))
    var phrases = PhraseReader()
    if let lists = try reader.optionalReader("lists") { try phrases.define(lists) }
    self.rules = try Self.readRules(&reader, phrases: &phrases)
    try phrases.requireAllUsed()
    self.spellings = phrases.spellings
    try reader.finish()
    self.digest = digest(JSON(document).canonicalBytes)
  }

  private static func readRules(_ reader: inout DocumentReader, phrases: inout PhraseReader) throws(DocumentError) -> [Rule] {
    let elements = try reader.list("rules")
    guard !elements.isEmpty else { throw reader.failure("rules", "a pack needs at least one rule") }
    guard elements.count <= RulePackLimits.rules else {
      throw reader.failure("rules", "has \(elements.count) rules; at most \(RulePackLimits.rules) are read")
    }
    var rules: [Rule] = []
    var seen: Set<String> = []
    for (path, element) in elements {
      var entry = try DocumentReader(element, path: path)
      let rule = try Rule(&entry, phrases: &phrases)
      guard seen.insert(rule.id).inserted else { throw entry.failure("id", "'\(rule.id)' is the id of an earlier rule") }
      rules.append(rule)
    }
    return rules
  }
}

extension RulePack.Rule {
  init(_ reader: inout DocumentReader, phrases: inout PhraseReader) throws(DocumentError) {
    self.id = try reader.name("id")
    self.uses = try reader.uses()
    self.severity = try reader.word("severity", among: FindingSeverity.allCases, named: \.name)
    self.mode = try reader.word("mode", among: RuleMode.allCases, named: \.rawValue)
    self.directions = try reader.directions()
    self.score = try reader.integer("score", in: 1...1000)
    self.phrases = try phrases.read(&reader, "phrases")
    self.windows = try RulePack.Window.readAll(&reader, phrases: &phrases)
    self.allowed = try phrases.read(&reader, "unless")
    self.allowedWithin = try reader.optionalInteger("unless_within", in: 1...RulePackLimits.windowWords) ?? 12
    var examples = try reader.reader("examples")
    self.examples = RulePack.Examples(match: try examples.examples("match"), clear: try examples.examples("clear"))
    try examples.finish()
    guard !self.phrases.isEmpty || !self.windows.isEmpty else { throw reader.failure("phrases", "a rule needs phrases or near") }
    try reader.finish()
  }
}

extension RulePack.Window {
  static func readAll(_ reader: inout DocumentReader, phrases: inout PhraseReader) throws(DocumentError) -> [Self] {
    try reader.list("near").map { (path, element) throws(DocumentError) in
      var entry = try DocumentReader(element, path: path)
      let window = try Self(&entry, phrases: &phrases)
      try entry.finish()
      return window
    }
  }

  private init(_ reader: inout DocumentReader, phrases: inout PhraseReader) throws(DocumentError) {
    var parts: [PhraseSet] = []
    for (path, element) in try reader.list("all") {
      guard case .list(let alternatives) = element.content, !alternatives.isEmpty else {
        throw DocumentError(field: path, position: element.position, message: "a list of phrases belongs here")
      }
      parts.append(try phrases.read(alternatives, path: path))
    }
    guard (2...RulePackLimits.parts).contains(parts.count) else {
      throw reader.failure("all", "has \(parts.count) parts; it must have 2 to \(RulePackLimits.parts)")
    }
    self.parts = parts
    self.words = try reader.integer("within", in: 1...RulePackLimits.windowWords)
    self.isOrdered = try reader.optionalBool("ordered") ?? false
  }
}

extension DocumentReader {
  /// A short name: letters, digits, point, hyphen, underscore.
  fileprivate mutating func name(_ key: String) throws(DocumentError) -> String {
    let text = try self.string(key)
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard isPlain, (1...RulePackLimits.nameBytes).contains(text.utf8.count) else {
      throw self.failure(key, "must be 1 to \(RulePackLimits.nameBytes) letters, digits, points, hyphens or underscores")
    }
    return text
  }

  fileprivate mutating func word<Value>(
    _ key: String, among values: [Value], named name: (Value) -> String
  ) throws(DocumentError) -> Value {
    let text = try self.string(key)
    for value in values where name(value) == text { return value }
    throw self.failure(key, "is '\(text)'; it must be one of \(values.map(name).joined(separator: ", "))")
  }

  fileprivate mutating func uses() throws(DocumentError) -> [ProhibitedUseID] {
    let names = try self.strings("uses")
    guard (1...RulePackLimits.usesPerRule).contains(names.count), Set(names).count == names.count else {
      throw self.failure("uses", "must name 1 to \(RulePackLimits.usesPerRule) different uses")
    }
    guard names.allSatisfy({ (1...RulePackLimits.nameBytes).contains($0.utf8.count) }) else {
      throw self.failure("uses", "a use id must have 1 to \(RulePackLimits.nameBytes) bytes")
    }
    return names.map(ProhibitedUseID.init)
  }

  fileprivate mutating func directions() throws(DocumentError) -> Set<TextDirection> {
    var directions: Set<TextDirection> = []
    for name in try self.strings("direction") {
      guard let direction = TextDirection(rawValue: name) else {
        throw self.failure("direction", "'\(name)' is none of: prompt, response, system")
      }
      directions.insert(direction)
    }
    guard !directions.isEmpty else { throw self.failure("direction", "must name at least one of: prompt, response, system") }
    return directions
  }

  fileprivate mutating func examples(_ key: String) throws(DocumentError) -> [String] {
    let texts = try self.strings(key)
    guard !texts.isEmpty else { throw self.failure(key, "a rule needs at least one example here") }
    return texts
  }
}
