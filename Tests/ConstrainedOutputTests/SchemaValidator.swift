import ConstrainedOutput
import Documents

/// What JSON Schema says of a value, for the keywords that are supported: written from the specification, without a look at the
/// grammar that is tested with it.
struct SchemaValidator {
  let root: Document

  func accepts(_ value: Document, _ schema: Document? = nil) -> Bool {
    let schema = schema ?? self.root
    if case .bool(let flag) = schema.content { return flag }
    if case .string(let reference)? = schema["$ref"]?.content { return self.accepts(value, self.target(reference)) }
    if case .list(let choices)? = schema["anyOf"]?.content, !choices.contains(where: { self.accepts(value, $0) }) { return false }
    if case .list(let parts)? = schema["allOf"]?.content, !parts.allSatisfy({ self.accepts(value, $0) }) { return false }
    if let constant = schema["const"], JSON(constant).canonicalBytes != JSON(value).canonicalBytes { return false }
    if case .list(let values)? = schema["enum"]?.content,
      !values.contains(where: { JSON($0).canonicalBytes == JSON(value).canonicalBytes })
    {
      return false
    }
    guard self.hasType(value, schema["type"]) else { return false }
    switch value.content {
    case .string(let text): return self.length(text.unicodeScalars.count, schema, "minLength", "maxLength")
    case .number(let digits): return self.inRange(Double(digits) ?? .nan, schema)
    case .list(let elements):
      return self.length(elements.count, schema, "minItems", "maxItems")
        && elements.allSatisfy { element in schema["items"].map { self.accepts(element, $0) } ?? true }
    case .map(let members): return self.members(members, schema)
    case .bool, .null: return true
    }
  }

  private func members(_ members: [Document.Member], _ schema: Document) -> Bool {
    if case .list(let required)? = schema["required"]?.content {
      for case .string(let name) in required.map(\.content) where !members.contains(where: { $0.key == name }) { return false }
    }
    return members.allSatisfy { member in
      if let own = schema["properties"]?[member.key] { return self.accepts(member.value, own) }
      return schema["additionalProperties"].map { self.accepts(member.value, $0) } ?? true
    }
  }

  private func hasType(_ value: Document, _ type: Document?) -> Bool {
    switch type?.content {
    case .string(let name): self.hasType(value, name)
    case .list(let names): names.contains { if case .string(let name) = $0.content { self.hasType(value, name) } else { false } }
    default: true
    }
  }

  private func hasType(_ value: Document, _ name: String) -> Bool {
    switch (name, value.content) {
    case ("object", .map), ("array", .list), ("string", .string), ("number", .number), ("boolean", .bool), ("null", .null): true
    case ("integer", .number(let digits)): (Double(digits) ?? .nan).truncatingRemainder(dividingBy: 1) == 0
    default: false
    }
  }

  private func inRange(_ value: Double, _ schema: Document) -> Bool {
    let bound = { (key: String) -> Double? in
      if case .number(let digits)? = schema[key]?.content { Double(digits) } else { nil }
    }
    return value >= bound("minimum") ?? -.infinity && value <= bound("maximum") ?? .infinity
      && value > bound("exclusiveMinimum") ?? -.infinity && value < bound("exclusiveMaximum") ?? .infinity
  }

  private func length(_ length: Int, _ schema: Document, _ least: String, _ most: String) -> Bool {
    let bound = { (key: String) -> Int? in
      if case .number(let digits)? = schema[key]?.content { Int(digits) } else { nil }
    }
    return length >= bound(least) ?? 0 && length <= bound(most) ?? .max
  }

  private func target(_ reference: String) -> Document {
    reference.split(separator: "/").dropFirst().reduce(self.root) { $0[String($1)] ?? $0 }
  }
}
