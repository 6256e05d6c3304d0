internal import Documents

/// Fields of OpenAI's schemas that this version does not honour: refused by name unless their value asks for nothing.
enum UnsupportedFields {
  static func checkChat(_ reader: inout DocumentReader) throws(DocumentError) {
    try self.accept(&reader, "store", where: { $0.isFalse }, "only false is supported: prompts and answers are not stored here")
    try self.accept(&reader, "functions", where: { $0.isEmptyCollection }, "is not supported; use 'tools'")
    try self.accept(
      &reader, "function_call", where: { $0.isText("none") || $0.isText("auto") }, "is not supported; use 'tool_choice'")
    try self.accept(&reader, "service_tier", where: { $0.isText("auto") || $0.isText("default") }, "only 'auto' is supported")
    try self.accept(&reader, "modalities", where: { $0.isListOfText }, "only [\"text\"] is supported")
    // A hint that can change nothing here: a prompt's beginning is looked up whatever it is called.
    _ = try reader.boundedText("prompt_cache_key", most: 256)
    try self.refuse(
      &reader,
      [
        "audio", "moderation", "prediction", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort", "verbosity",
        "web_search_options",
      ])
  }

  static func checkLegacy(_ reader: inout DocumentReader) throws(DocumentError) {
    try self.accept(&reader, "suffix", where: { $0.isText("") }, "is not supported in this version")
  }

  static func checkResponses(_ reader: inout DocumentReader) throws(DocumentError) {
    try self.accept(&reader, "background", where: { $0.isFalse }, "only false is supported in this version")
    try self.accept(&reader, "service_tier", where: { $0.isText("auto") || $0.isText("default") }, "only 'auto' is supported")
    try self.accept(&reader, "truncation", where: { $0.isText("disabled") }, "only 'disabled' is supported")
    try self.accept(&reader, "include", where: { $0.isEmptyCollection }, "is not supported in this version")
    try self.accept(&reader, "top_logprobs", where: { $0.isNumber("0") }, "is not supported in this version")
    _ = try reader.boundedText("prompt_cache_key", most: 256)
    try self.refuse(
      &reader,
      [
        "previous_response_id", "conversation", "prompt", "reasoning", "max_tool_calls", "context_management", "moderation",
        "prompt_cache_options", "prompt_cache_retention",
      ])
  }

  static func checkMessages(_ reader: inout DocumentReader) throws(DocumentError) {
    try self.accept(&reader, "service_tier", where: { $0.isText("auto") || $0.isText("standard_only") }, "is not supported")
    try self.accept(&reader, "thinking", where: { $0["type"]?.isText("disabled") ?? false }, "is not supported in this version")
    try self.refuse(&reader, ["container", "mcp_servers", "context_management", "output_config"])
  }

  static func refuse(_ reader: inout DocumentReader, _ keys: [String]) throws(DocumentError) {
    for key in keys where reader.document(key) != nil { throw reader.failure(key, "is not supported in this version") }
  }

  static func accept(
    _ reader: inout DocumentReader, _ key: String, where isHarmless: (Document) -> Bool, _ message: String
  ) throws(DocumentError) {
    guard let value = reader.document(key), !isHarmless(value) else { return }
    throw reader.failure(key, message)
  }
}

extension Document {
  fileprivate func isNumber(_ digits: String) -> Bool {
    if case .number(let own) = self.content { return own == digits }
    return false
  }

  fileprivate var isFalse: Bool {
    if case .bool(let flag) = self.content { return !flag }
    return false
  }

  fileprivate func isText(_ text: String) -> Bool {
    if case .string(let own) = self.content { return own == text }
    return false
  }

  fileprivate var isEmptyCollection: Bool {
    switch self.content {
    case .list(let elements): elements.isEmpty
    case .map(let members): members.isEmpty
    default: false
    }
  }

  fileprivate var isListOfText: Bool {
    if case .list(let elements) = self.content { return elements.count == 1 && elements.allSatisfy { $0.isText("text") } }
    return false
  }
}
