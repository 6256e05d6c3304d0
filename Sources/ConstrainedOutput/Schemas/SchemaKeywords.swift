internal import Documents

/// The keywords of one schema, read by name; what nobody read is refused by its place.
struct SchemaKeywords {
  private static let annotations: Set<String> = [
    "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default", "examples", "deprecated", "readOnly",
    "writeOnly",
  ]

  private let members: [Document.Member]
  private let path: String
  private var read: Set<String> = []

  init(_ document: Document, _ path: String) throws(GrammarError) {
    guard case .map(let members) = document.content else {
      throw GrammarError(path: path, message: "A schema is a map or a boolean, not \(document.kind).")
    }
    (self.members, self.path) = (members, path)
  }

  static func escaped(_ key: String) -> String { key.replacing("~", with: "~0").replacing("/", with: "~1") }

  /// - Throws: for a keyword that is not supported, or that is not where it stands.
  func finish(beside other: String? = nil) throws(GrammarError) {
    for member in self.members where !self.read.contains(member.key) && !Self.annotations.contains(member.key) {
      throw GrammarError(
        path: "\(self.path)/\(Self.escaped(member.key))",
        message: other.map { "The keyword is not supported beside \($0)." } ?? "The keyword is not supported.")
    }
  }

  private mutating func take(_ key: String) -> Document? {
    self.read.insert(key)
    return self.value(key)
  }

  private func value(_ key: String) -> Document? { self.members.first { $0.key == key }?.value }

  private func malformed(_ key: String, _ wanted: String) -> GrammarError {
    GrammarError(path: "\(self.path)/\(key)", message: "\(wanted) belongs here.")
  }

  mutating func text(_ key: String) throws(GrammarError) -> String? {
    guard let value = self.take(key) else { return nil }
    guard case .string(let text) = value.content else { throw self.malformed(key, "A string") }
    return text
  }

  mutating func list(_ key: String) throws(GrammarError) -> [Document]? {
    guard let value = self.take(key) else { return nil }
    guard case .list(let elements) = value.content else { throw self.malformed(key, "A list") }
    return elements
  }

  mutating func map(_ key: String) throws(GrammarError) -> [Document.Member]? {
    guard let value = self.take(key) else { return nil }
    guard case .map(let members) = value.content else { throw self.malformed(key, "A map") }
    return members
  }

  mutating func schema(_ key: String) throws(GrammarError) -> Document? { try self.schemaOrFlag(key) }

  mutating func schemaOrFlag(_ key: String) throws(GrammarError) -> Document? {
    guard let value = self.take(key) else { return nil }
    switch value.content {
    case .map, .bool: return value
    default: throw self.malformed(key, "A schema or a boolean")
    }
  }

  mutating func orderedNames(_ key: String) throws(GrammarError) -> [String] {
    try (self.list(key) ?? []).map { element throws(GrammarError) in
      guard case .string(let name) = element.content else { throw self.malformed(key, "A list of strings") }
      return name
    }
  }

  /// By bytes, as strings of different code points can be equal as characters.
  mutating func names(_ key: String) throws(GrammarError) -> Set<[UInt8]> {
    Set(try self.orderedNames(key).map { Array($0.utf8) })
  }

  /// The types of `type`; nil where it is absent.
  mutating func types() throws(GrammarError) -> [SchemaType]? {
    guard let value = self.take("type") else { return nil }
    let names: [Document]
    if case .list(let elements) = value.content { names = elements } else { names = [value] }
    let types = try names.map { name throws(GrammarError) -> SchemaType in
      guard case .string(let text) = name.content, let type = SchemaType(rawValue: text) else {
        throw self.malformed("type", "One or several of \(SchemaType.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return type
    }
    guard !types.isEmpty else { throw self.malformed("type", "At least one type") }
    return types
  }

  /// The values of `const` or `enum`; nil where both are absent.
  mutating func literals() throws(GrammarError) -> [Document]? {
    let constant = self.take("const")
    let listed = try self.list("enum")
    guard constant == nil || listed == nil else {
      throw GrammarError(path: "\(self.path)/enum", message: "The keyword is not supported beside const.")
    }
    return constant.map { [$0] } ?? listed
  }

  /// The types of which some keyword speaks; `number` stands for both kinds of numbers.
  mutating func spokenTypes() -> [SchemaType] {
    [SchemaType.object, .array, .string, .number].filter { type in
      let present = type.keywords.filter { self.value($0) != nil }
      self.read.formUnion(present)
      return !present.isEmpty
    }
  }

  /// Two bounds of a length, the lower one 0 where it is absent.
  mutating func bounds(_ least: String, _ most: String) throws(GrammarError) -> (least: Int, most: Int?) {
    let low = try self.length(least) ?? 0
    let high = try self.length(most)
    if let high, high < low { throw GrammarError(path: "\(self.path)/\(most)", message: "It is below \(least); nothing fits.") }
    return (low, high)
  }

  private mutating func length(_ key: String) throws(GrammarError) -> Int? {
    guard let value = self.take(key) else { return nil }
    guard case .number(let digits) = value.content, let length = Int(digits), (0...1 << 30).contains(length) else {
      throw self.malformed(key, "A whole number from 0 to \(1 << 30)")
    }
    return length
  }

  enum Order { case less, greater }

  /// The tighter of an inclusive and an exclusive bound; nil where both are absent.
  func bound(_ inclusive: String, _ exclusive: String, tighter: Order) throws(GrammarError) -> DecimalRange.Bound? {
    let closed = try self.decimal(inclusive).map { DecimalRange.Bound(value: $0, isInclusive: true) }
    let open = try self.decimal(exclusive).map { DecimalRange.Bound(value: $0, isInclusive: false) }
    guard let closed, let open else { return closed ?? open }
    // Among equals the exclusive bound is the tighter one.
    let isTighter = tighter == .greater ? open.value < closed.value : closed.value < open.value
    return isTighter ? closed : open
  }

  private func decimal(_ key: String) throws(GrammarError) -> Decimal? {
    guard let value = self.value(key) else { return nil }
    guard case .number(let digits) = value.content, let decimal = Decimal(digits) else {
      throw self.malformed(key, "A number of at most \(JSONForms.digits) digits")
    }
    return decimal
  }
}

extension Decimal {
  static func < (a: Decimal, b: Decimal) -> Bool {
    guard a.isNegative == b.isNegative else { return a.isNegative }
    let (small, large) = a.isNegative ? (b, a) : (a, b)
    if small.whole.count != large.whole.count { return small.whole.count < large.whole.count }
    return (small.whole + small.fraction).lexicographicallyPrecedes(large.whole + large.fraction)
  }
}
