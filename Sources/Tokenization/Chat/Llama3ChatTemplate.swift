internal import Documents

/// The prompt formats of Llama 3 and 3.1: each turn is `<|start_header_id|>{role}<|end_header_id|>`, a blank line, the text without
/// white space at its ends, `<|eot_id|>`; the last header is left open for the answer.
///
/// Control tokens are written by id, so that their names in a message are only text.
enum Llama3ChatTemplate {
  static func encode(_ turns: [ChatTurn], with tokenizer: any Tokenizer) throws(ChatTemplateError) -> [Int32] {
    var writer = PromptWriter(tokenizer)
    writer.begin()
    for turn in turns { try Self.write(turn.role.rawValue, TemplateText.trimmed(turn.text), &writer) }
    try Self.open("assistant", &writer)
    return writer.finish()
  }

  /// As 3.1 and later: the system turn always stands first and names dates, tools are described in the first user turn, a call is one
  /// JSON object, and what a tool answered is the turn of `ipython`, a JSON string.
  static func encodeWithTools(
    _ turns: [ChatTurn], _ tools: [ChatTool], with tokenizer: any Tokenizer
  ) throws(ChatTemplateError) -> [Int32] {
    var writer = PromptWriter(tokenizer)
    writer.begin()
    let hasSystem = turns.first?.role == .system
    var system = tools.isEmpty ? "" : "Environment: ipython\n"
    system += "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
    if hasSystem, let first = turns.first { system += TemplateText.trimmed(first.text) }
    try Self.write("system", system, &writer)
    for (index, turn) in turns.enumerated().dropFirst(hasSystem ? 1 : 0) {
      let isFirst = index == (hasSystem ? 1 : 0)
      if isFirst, !tools.isEmpty {
        guard turn.role == .user else {
          throw ChatTemplateError(
            .toolsUnsupported, messageIndex: index, message: "With tools the first message after the system's must be the user's."
          )
        }
        try Self.write("user", try Self.introduction(tools) + TemplateText.trimmed(turn.text), &writer)
      } else {
        try Self.write(turn, index, &writer)
      }
    }
    if hasSystem, turns.count == 1, !tools.isEmpty {
      throw ChatTemplateError(.toolsUnsupported, messageIndex: 0, message: "With tools there must be a message of the user.")
    }
    try Self.open("assistant", &writer)
    return writer.finish()
  }

  private static func introduction(_ tools: [ChatTool]) throws(ChatTemplateError) -> String {
    var text =
      "Given the following functions, please respond with a JSON for a function call with its proper arguments that best answers "
      + "the given prompt.\n\nRespond in the format {\"name\": function name, \"parameters\": dictionary of argument name and its "
      + "value}.Do not use variables.\n\n"
    for tool in tools { text += TemplateText.json(try TemplateText.tool(tool), indent: 4) + "\n\n" }
    return text
  }

  private static func write(_ turn: ChatTurn, _ index: Int, _ writer: inout PromptWriter) throws(ChatTemplateError) {
    if let call = turn.calls.first {
      guard turn.calls.count == 1 else {
        throw ChatTemplateError(
          .toolsUnsupported, messageIndex: index, message: "This model's chat template has room for one tool call a message only."
        )
      }
      let arguments = TemplateText.json(try TemplateText.parsed(call.arguments, message: index, "The arguments of a tool call"))
      try self.write("assistant", "{\"name\": \"\(call.name)\", \"parameters\": \(arguments)}", &writer)
    } else if turn.role == .tool {
      try self.write("ipython", JSON.string(turn.text).text, &writer)
    } else {
      try self.write(turn.role.rawValue, TemplateText.trimmed(turn.text), &writer)
    }
  }

  static func open(_ role: String, _ writer: inout PromptWriter) throws(ChatTemplateError) {
    try writer.control("<|start_header_id|>")
    writer.text(role)
    try writer.control("<|end_header_id|>")
    writer.text("\n\n")
  }

  static func write(_ role: String, _ text: String, _ writer: inout PromptWriter) throws(ChatTemplateError) {
    try self.open(role, &writer)
    writer.text(text)
    try writer.control("<|eot_id|>")
  }
}
