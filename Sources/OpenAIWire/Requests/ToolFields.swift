internal import Completions
internal import Documents

/// Tools as the dialects write them.
enum ToolFields {
  static let most = 128

  /// Chat's form: `{"type":"function","function":{…}}`.
  static func chat(_ reader: inout DocumentReader) throws(DocumentError) -> [ToolDefinition] {
    try self.list(&reader, "tools") { (tool) throws(DocumentError) in
      try self.requireFunction(&tool)
      var function = try tool.reader("function")
      try tool.finish()
      return try self.definition(&function, parameters: "parameters")
    }
  }

  /// The form of responses: the function's members beside the type.
  static func flat(_ reader: inout DocumentReader) throws(DocumentError) -> [ToolDefinition] {
    try self.list(&reader, "tools") { (tool) throws(DocumentError) in
      try self.requireFunction(&tool)
      return try self.definition(&tool, parameters: "parameters")
    }
  }

  /// Anthropic's form: `input_schema`, no type.
  static func anthropic(_ reader: inout DocumentReader) throws(DocumentError) -> [ToolDefinition] {
    try self.list(&reader, "tools") { (tool) throws(DocumentError) in
      if let type = try tool.optionalString("type"), type != "custom" {
        throw tool.failure("type", "'\(type)' tools are not supported; only those with an input_schema are")
      }
      _ = tool.document("cache_control")
      return try self.definition(&tool, parameters: "input_schema")
    }
  }

  private static func list(
    _ reader: inout DocumentReader, _ key: String,
    _ read: (inout DocumentReader) throws(DocumentError) -> ToolDefinition
  ) throws(DocumentError) -> [ToolDefinition] {
    let elements = try reader.list(key)
    guard elements.count <= self.most else { throw reader.failure(key, "at most \(self.most) tools belong here") }
    var tools: [ToolDefinition] = []
    for (path, element) in elements {
      var tool = try DocumentReader(element, path: path)
      let definition = try read(&tool)
      guard !tools.contains(where: { $0.name == definition.name }) else {
        throw tool.failure("name", "'\(definition.name)' stands twice")
      }
      tools.append(definition)
    }
    return tools
  }

  private static func requireFunction(_ tool: inout DocumentReader) throws(DocumentError) {
    let type = try tool.string("type")
    guard type == "function" else { throw tool.failure("type", "'\(type)' tools are not supported; only 'function' is") }
  }

  private static func definition(
    _ reader: inout DocumentReader, parameters key: String
  ) throws(DocumentError) -> ToolDefinition {
    let name = try reader.identifierText("name")
    let description = try reader.optionalString("description")
    // Arguments are held to the schema by the engine or not at all; `strict` asks for no more than it does anyway.
    _ = try reader.optionalBool("strict")
    var parameters: String?
    if let schema = reader.document(key) {
      guard case .map = schema.content else { throw reader.failure(key, "a JSON Schema belongs here, not \(schema.kind)") }
      parameters = JSON(schema).text
    }
    try reader.finish()
    return ToolDefinition(name: name, description: description, parameters: parameters)
  }

  /// `tool_choice` of chat and responses.
  static func choice(_ reader: inout DocumentReader, among tools: [ToolDefinition]) throws(DocumentError) -> ToolChoice {
    guard let value = reader.document("tool_choice") else { return .automatic }
    if case .string(let word) = value.content {
      switch word {
      case "none": return .none
      case "auto": return .automatic
      case "required":
        guard !tools.isEmpty else { throw reader.failure("tool_choice", "'required' needs tools") }
        return .required
      default: throw reader.failure("tool_choice", "'\(word)' is not one of: none, auto, required, or a function")
      }
    }
    var choice = try reader.reader("tool_choice")
    try self.requireFunction(&choice)
    let name: String
    if var function = try choice.optionalReader("function") {
      name = try function.string("name")
      try function.finish()
    } else {
      name = try choice.string("name")
    }
    try choice.finish()
    return try self.named(name, among: tools, reader)
  }

  static func named(
    _ name: String, among tools: [ToolDefinition], _ reader: DocumentReader
  ) throws(DocumentError) -> ToolChoice {
    guard tools.contains(where: { $0.name == name }) else {
      throw reader.failure("tool_choice", "there is no tool '\(name)' among the tools")
    }
    return .named(name)
  }
}
