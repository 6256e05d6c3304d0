internal import Documents

extension SchemaReader {
  /// The longest name of a member that the schema does not name.
  static let longestFreeName = 64

  private struct Property {
    var name: String
    var value: Expression
    var isRequired: Bool
  }

  mutating func object(_ keywords: inout SchemaKeywords, _ path: String) throws(GrammarError) -> Expression {
    let members = try keywords.map("properties") ?? []
    let required = try keywords.names("required")
    let extra = try keywords.schemaOrFlag("additionalProperties")
    if members.isEmpty, required.isEmpty, extra == nil { return self.forms.object }
    var properties: [Property] = []
    for member in members {
      let place = "\(path)/properties/\(SchemaKeywords.escaped(member.key))"
      properties.append(
        Property(
          name: member.key, value: try self.inner(member.value, place), isRequired: required.contains(Array(member.key.utf8))))
    }
    var more: Expression?
    if let extra {
      if case .bool(let allows) = extra.content {
        more = allows ? self.forms.value : nil
      } else {
        more = try self.inner(extra, path + "/additionalProperties")
      }
    }
    let named = Set(members.map { Array($0.key.utf8) })
    for name in try keywords.orderedNames("required") where !named.contains(Array(name.utf8)) {
      if let extra, case .bool(false) = extra.content {
        throw GrammarError(path: path + "/required", message: "\"\(name)\" is required but neither named nor allowed.")
      }
      properties.append(Property(name: name, value: more ?? self.forms.value, isRequired: true))
    }
    return try self.members(properties, more: self.freeMember(more, extra, properties))
  }

  /// A member of a name that the schema does not have; nil where there can be none.
  private mutating func freeMember(
    _ value: Expression?, _ schema: Document?, _ properties: [Property]
  ) throws(GrammarError) -> Expression? {
    guard let value, let schema else { return nil }
    if case .bool(let allows) = schema.content {
      // With names given, `true` is taken for what it mostly is: the default that was written out.
      guard allows, properties.isEmpty else { return nil }
    }
    let name = FreeName(excluding: properties.map { Array($0.name.utf8) }).expression
    return try self.book.add(.sequence([.text("\""), name, .text("\":"), self.forms.space, value, self.forms.space]))
  }

  /// The members in their order: from each place one goes on to the next member or, where that is optional, passes it over. What
  /// differs is only whether a comma is due.
  private mutating func members(_ properties: [Property], more: Expression?) throws(GrammarError) -> Expression {
    let comma = Expression.sequence([.text(","), self.forms.space])
    var (first, later): ([Int], [Int]) = ([], [])
    for _ in 0...properties.count {
      first.append(try self.book.declare())
      later.append(try self.book.declare())
    }
    for (index, property) in properties.enumerated() {
      let name = Expression.literal(JSON.string(property.name).bytes)
      let member = try self.book.add(.sequence([name, .text(":"), self.forms.space, property.value, self.forms.space]))
      let (skipFirst, skipLater) = (Expression.rule(first[index + 1]), Expression.rule(later[index + 1]))
      let taken = Expression.sequence([member, .rule(later[index + 1])])
      let takenLater = Expression.sequence([comma, member, .rule(later[index + 1])])
      self.book.define(first[index], property.isRequired ? taken : .choice([taken, skipFirst]))
      self.book.define(later[index], property.isRequired ? takenLater : .choice([takenLater, skipLater]))
    }
    let end = Expression.text("}")
    let last = properties.count
    if let more {
      let rest = Expression.repeating(.sequence([comma, more]), least: 0, most: nil)
      self.book.define(first[last], .choice([end, .sequence([more, rest, end])]))
      self.book.define(later[last], .sequence([rest, end]))
    } else {
      self.book.define(first[last], end)
      self.book.define(later[last], end)
    }
    return .sequence([.text("{"), self.forms.space, .rule(first[0])])
  }
}

/// Names of plain ASCII that are none of the given ones.
private struct FreeName {
  private static let plain: [UInt8] = (0x20...0x7E).filter { $0 != 0x22 && $0 != 0x5C }
  private let excluded: [[UInt8]]

  init(excluding names: [[UInt8]]) {
    self.excluded = names.filter { $0.count <= SchemaReader.longestFreeName && $0.allSatisfy(Self.plain.contains) }
  }

  var expression: Expression { self.rest(self.excluded[...], 0) }

  /// What may follow after `position` bytes that are a prefix of all these names.
  private func rest(_ names: ArraySlice<[UInt8]>, _ position: Int) -> Expression {
    let free = Expression.repeating(
      .set(Self.set(Self.plain)), least: 0, most: SchemaReader.longestFreeName - position - 1)
    let nexts = Set(names.filter { $0.count > position }.map { $0[position] })
    var choices: [Expression] = []
    // Here the name may end, unless it is one of the excluded or empty.
    if position > 0, !names.contains(where: { $0.count == position }) { choices.append(.literal([])) }
    let others = Self.plain.filter { !nexts.contains($0) }
    if !others.isEmpty, position < SchemaReader.longestFreeName { choices.append(.sequence([.set(Self.set(others)), free])) }
    for next in nexts.sorted() {
      let branch = names.filter { $0.count > position && $0[position] == next }
      choices.append(.sequence([.literal([next]), self.rest(branch[...], position + 1)]))
    }
    return .choice(choices)
  }

  private static func set(_ bytes: [UInt8]) -> ByteSet { ByteSet(bytes.map { $0...$0 }) }
}
