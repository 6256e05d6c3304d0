internal import Documents

/// A JSON Schema (draft 2020-12) as an expression whose texts are values that the schema accepts.
///
/// Supported: `type` (one or several), `properties`, `required`, `additionalProperties`, `items`, `minItems`, `maxItems`, `minLength`,
/// `maxLength`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `enum`, `const`, `anyOf`, `allOf` of one schema, and `$ref`
/// to a place in the same schema, recursive ones too. Annotations (`title`, `description`, `default` …) say nothing and are passed over.
/// Anything else is refused by its place.
///
/// What is written is a part of what the schema allows: members come in the order of `properties`; others come only where
/// `additionalProperties` gives a schema for them, or where there are no `properties`, and their names are of 1 to 64 plain ASCII
/// characters; numbers are written as ``JSONForms`` says; a schema without `type` gets the types that its other keywords speak of.
struct SchemaReader {
  static let limits = JSONLimits(bytes: 256 << 10, depth: 64, nodes: 1 << 14)

  private let root: Document
  let forms: JSONForms
  var book: RuleBook
  /// By where it stands in the text: the rule of the schema there.
  private var known: [TextPosition: Int] = [:]
  /// The schemas that are being read and have not yet written anything: a reference to one of these would never end.
  private var open: [TextPosition] = []

  static func expression(
    _ text: String, _ forms: JSONForms, _ book: inout RuleBook
  ) throws(GrammarError) -> Expression {
    let root: Document
    do {
      root = try Document.parseJSON(Array(text.utf8), limits: Self.limits)
    } catch {
      throw GrammarError(path: "#", message: "The schema is no JSON that is read here: \(error)")
    }
    var reader = SchemaReader(root: root, forms: forms, book: book)
    let expression = try reader.schema(root, "#")
    book = reader.book
    return expression
  }

  private init(root: Document, forms: JSONForms, book: RuleBook) {
    (self.root, self.forms, self.book) = (root, forms, book)
  }

  /// A schema whose value begins where the one around it begins.
  private mutating func schema(_ document: Document, _ path: String) throws(GrammarError) -> Expression {
    guard !self.open.contains(document.position) else {
      throw GrammarError(path: path, message: "The schema refers to itself without a value between.")
    }
    if let rule = self.known[document.position] { return .rule(rule) }
    let rule = try self.book.declare()
    self.known[document.position] = rule
    self.open.append(document.position)
    let expression = try self.content(document, path)
    self.open.removeLast()
    self.book.define(rule, expression)
    return .rule(rule)
  }

  /// A schema whose value stands inside another's.
  mutating func inner(_ document: Document, _ path: String) throws(GrammarError) -> Expression {
    let outer = self.open
    self.open = []
    let expression = try self.schema(document, path)
    self.open = outer
    return expression
  }

  private mutating func content(_ document: Document, _ path: String) throws(GrammarError) -> Expression {
    if case .bool(let accepts) = document.content {
      guard accepts else { throw GrammarError(path: path, message: "No value fits the schema false.") }
      return self.forms.value
    }
    var keywords = try SchemaKeywords(document, path)
    if let reference = try keywords.text("$ref") {
      try keywords.finish(beside: "$ref")
      let (target, place) = try self.resolve(reference, path + "/$ref")
      return try self.schema(target, place)
    }
    for key in ["anyOf", "allOf"] {
      guard let choices = try keywords.list(key) else { continue }
      try keywords.finish(beside: key)
      guard !choices.isEmpty, key == "anyOf" || choices.count == 1 else {
        throw GrammarError(
          path: "\(path)/\(key)", message: "Only a list of \(key == "anyOf" ? "at least " : "")one schema is supported.")
      }
      var expressions: [Expression] = []
      for (index, choice) in choices.enumerated() {
        expressions.append(try self.schema(choice, "\(path)/\(key)/\(index)"))
      }
      return .choice(expressions)
    }
    let types = try keywords.types()
    if let literals = try keywords.literals() {
      try keywords.finish(beside: "enum or const")
      return try self.choice(literals, types, path)
    }
    return try self.typed(types, &keywords, path)
  }

  /// The values listed, those of other types left out.
  private func choice(_ literals: [Document], _ types: [SchemaType]?, _ path: String) throws(GrammarError) -> Expression {
    let fitting = literals.filter { literal in types.map { $0.contains { $0.accepts(literal) } } ?? true }
    guard !fitting.isEmpty else { throw GrammarError(path: path, message: "No listed value has the schema's type.") }
    return .choice(fitting.map { .literal(JSON($0).bytes) })
  }

  private mutating func typed(
    _ types: [SchemaType]?, _ keywords: inout SchemaKeywords, _ path: String
  ) throws(GrammarError) -> Expression {
    let spoken = keywords.spokenTypes()
    let wanted = types ?? spoken
    if wanted.isEmpty {
      try keywords.finish()
      return types == nil ? self.forms.value : .choice([])
    }
    var expressions: [Expression] = []
    for type in wanted { expressions.append(try self.form(type, &keywords, path)) }
    // Keywords of types that are not wanted constrain nothing, but must be sound and known all the same.
    for type in spoken where !wanted.contains(where: { $0.keywords == type.keywords }) {
      _ = try self.form(type, &keywords, path)
    }
    try keywords.finish()
    return .choice(expressions)
  }

  private mutating func form(
    _ type: SchemaType, _ keywords: inout SchemaKeywords, _ path: String
  ) throws(GrammarError) -> Expression {
    switch type {
    case .null: return .text("null")
    case .boolean: return .choice([.text("true"), .text("false")])
    case .integer, .number: return try self.number(keywords, path, isInteger: type == .integer)
    case .string:
      let (least, most) = try keywords.bounds("minLength", "maxLength")
      return least == 0 && most == nil ? self.forms.string : JSONForms.string(self.forms.character, least: least, most: most)
    case .array:
      let (least, most) = try keywords.bounds("minItems", "maxItems")
      let items = try keywords.schema("items")
      guard most != 0 || items == nil else {
        return JSONForms.list("[", .choice([]), "]", least: 0, most: 0, space: self.forms.space)
      }
      let element = try items.map { items throws(GrammarError) in try self.inner(items, path + "/items") } ?? self.forms.value
      return JSONForms.list(
        "[", .sequence([element, self.forms.space]), "]", least: least, most: most, space: self.forms.space)
    case .object: return try self.object(&keywords, path)
    }
  }

  private func number(_ keywords: SchemaKeywords, _ path: String, isInteger: Bool) throws(GrammarError) -> Expression {
    let range = DecimalRange(
      low: try keywords.bound("minimum", "exclusiveMinimum", tighter: .greater),
      high: try keywords.bound("maximum", "exclusiveMaximum", tighter: .less), hasFraction: !isInteger)
    if range.low == nil && range.high == nil { return isInteger ? self.forms.integer : self.forms.number }
    guard let expression = range.expression else {
      throw GrammarError(path: path, message: "No number that can be written here is in the range.")
    }
    return expression
  }

  // MARK: References

  /// The schema at a place of this text, and that place in its plain form.
  private func resolve(_ reference: String, _ path: String) throws(GrammarError) -> (target: Document, place: String) {
    guard reference == "#" || reference.hasPrefix("#/") else {
      throw GrammarError(path: path, message: "Only references inside the schema (#/…) are supported.")
    }
    var target = self.root
    var place = "#"
    for part in reference.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      let key = part.replacing("~1", with: "/").replacing("~0", with: "~")
      let next: Document? =
        switch target.content {
        case .map(let members): members.first { Array($0.key.utf8) == Array(key.utf8) }?.value
        case .list(let elements): Int(key).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
        default: nil
        }
      guard let next else { throw GrammarError(path: path, message: "There is nothing at \(reference).") }
      (target, place) = (next, place + "/" + part)
    }
    return (target, place)
  }
}
