/// ChatML: each turn is `<|im_start|>{role}`, a line break, the text, `<|im_end|>` and a line break; the last one is left open.
///
/// With tools, as Qwen2.5: the system turn lists them between `<tools>` tags, a call is a JSON object between `<tool_call>` tags, and
/// neighbouring answers of tools are one user turn, each between `<tool_response>` tags.
public struct ChatMLTemplate: Sendable, Equatable {
  public var hasTools: Bool
  /// The system text where a conversation has none; nil for none.
  public var standardSystem: String?

  public init(hasTools: Bool, standardSystem: String?) {
    self.hasTools = hasTools
    self.standardSystem = standardSystem
  }

  /// What a file's template varies: whether it has tools, and its standard system text, which stands there as a literal.
  init(template: String) {
    self.hasTools = template.contains("<tool_call>")
    let plain = template.replacing("\\n", with: "\n")
    self.standardSystem =
      plain.ranges(of: "<|im_start|>system\n").lazy.compactMap { range -> String? in
        let rest = plain[range.upperBound...]
        guard let end = rest.firstRange(of: "<|im_end|>")?.lowerBound else { return nil }
        let text = rest[..<end]
        // A quote or a brace ends the literal before the turn ends: then the text comes from the conversation.
        return text.isEmpty || text.contains(where: { "'\"{}".contains($0) }) ? nil : String(text)
      }.first
  }

  func encode(_ turns: [ChatTurn], _ tools: [ChatTool], with tokenizer: any Tokenizer) throws(ChatTemplateError) -> [Int32] {
    var writer = PromptWriter(tokenizer)
    let hasSystem = turns.first?.role == .system
    if let system = (hasSystem ? turns.first?.text : self.standardSystem) ?? (tools.isEmpty ? nil : "") {
      try self.open("system", &writer)
      writer.text(system)
      if !tools.isEmpty { try Self.describe(tools, &writer) }
      try Self.close(&writer)
    }
    for (index, turn) in turns.enumerated().dropFirst(hasSystem ? 1 : 0) {
      if turn.role == .tool {
        if turns[..<index].last?.role != .tool {
          try writer.control("<|im_start|>")
          writer.text("user")
        }
        writer.text("\n<tool_response>\n" + turn.text + "\n</tool_response>")
        if index + 1 == turns.count || turns[index + 1].role != .tool { try Self.close(&writer) }
      } else {
        try self.write(turn, index, &writer)
      }
    }
    try self.open("assistant", &writer)
    return writer.finish()
  }

  private func write(_ turn: ChatTurn, _ index: Int, _ writer: inout PromptWriter) throws(ChatTemplateError) {
    guard !turn.calls.isEmpty else {
      try self.open(turn.role.rawValue, &writer)
      writer.text(turn.text)
      return try Self.close(&writer)
    }
    try writer.control("<|im_start|>")
    writer.text(turn.role.rawValue)
    if !turn.text.isEmpty { writer.text("\n" + turn.text) }
    for call in turn.calls {
      let arguments = TemplateText.json(try TemplateText.parsed(call.arguments, message: index, "The arguments of a tool call"))
      writer.text("\n")
      writer.tag("<tool_call>")
      writer.text("\n{\"name\": \"\(call.name)\", \"arguments\": \(arguments)}\n")
      writer.tag("</tool_call>")
    }
    try Self.close(&writer)
  }

  private static func describe(_ tools: [ChatTool], _ writer: inout PromptWriter) throws(ChatTemplateError) {
    writer.text(
      "\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
        + "You are provided with function signatures within <tools></tools> XML tags:\n<tools>")
    for tool in tools { writer.text("\n" + TemplateText.json(try TemplateText.tool(tool))) }
    writer.text("\n</tools>\n\nFor each function call, return a json object with function name and arguments within ")
    writer.tag("<tool_call>")
    writer.tag("</tool_call>")
    writer.text(" XML tags:\n")
    writer.tag("<tool_call>")
    writer.text("\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n")
    writer.tag("</tool_call>")
  }

  private func open(_ role: String, _ writer: inout PromptWriter) throws(ChatTemplateError) {
    try writer.control("<|im_start|>")
    writer.text(role + "\n")
  }

  private static func close(_ writer: inout PromptWriter) throws(ChatTemplateError) {
    try writer.control("<|im_end|>")
    writer.text("\n")
  }
}
