internal import Documents

/// A type of JSON Schema.
enum SchemaType: String, CaseIterable {
  case object, array, string, integer, number, boolean, null

  /// The keywords that speak of values of this type alone.
  var keywords: [String] {
    switch self {
    case .object: ["properties", "required", "additionalProperties"]
    case .array: ["items", "minItems", "maxItems"]
    case .string: ["minLength", "maxLength"]
    case .integer, .number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]
    case .boolean, .null: []
    }
  }

  func accepts(_ value: Document) -> Bool {
    switch (self, value.content) {
    case (.object, .map), (.array, .list), (.string, .string), (.number, .number), (.boolean, .bool), (.null, .null): true
    case (.integer, .number(let digits)): Decimal(digits)?.fraction.isEmpty ?? false
    default: false
    }
  }
}
