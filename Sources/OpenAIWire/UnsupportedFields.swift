internal import Documents

/// Fields of OpenAI's chat schema that this version does not honour: refused by name unless their value asks for nothing.
enum UnsupportedFields {
  static func check(_ reader: inout DocumentReader) throws(DocumentError) {
    try self.accept(&reader, "n", where: { $0.isNumber("1") }, "only 1 is supported")
    for key in ["presence_penalty", "frequency_penalty"] {
      try self.accept(&reader, key, where: { $0.isZero }, "only 0 is supported in this version")
    }
    for key in ["logprobs", "store"] {
      try self.accept(&reader, key, where: { $0.isFalse }, "only false is supported in this version")
    }
    for key in ["logit_bias", "tools", "functions"] {
      try self.accept(&reader, key, where: { $0.isEmptyCollection }, "is not supported in this version")
    }
    for key in ["tool_choice", "function_call"] {
      try self.accept(&reader, key, where: { $0.isText("none") || $0.isText("auto") }, "is not supported in this version")
    }
    try self.accept(&reader, "service_tier", where: { $0.isText("auto") || $0.isText("default") }, "only 'auto' is supported")
    try self.accept(
      &reader, "response_format", where: { $0["type"]?.isText("text") ?? false }, "only text is supported in this version")
    try self.accept(&reader, "modalities", where: { $0.isListOfText }, "only [\"text\"] is supported")
    // Hints that can change nothing here: no tools are called, and no prompt cache outlives a request.
    _ = try reader.optionalBool("parallel_tool_calls")
    _ = try reader.boundedText("prompt_cache_key", most: 256)
    let refused = [
      "top_logprobs", "audio", "moderation", "prediction", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort",
      "verbosity", "web_search_options",
    ]
    for key in refused where reader.document(key) != nil {
      throw reader.failure(key, "is not supported in this version")
    }
  }

  private static func accept(
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

  fileprivate var isZero: Bool {
    if case .number(let digits) = self.content { return Double(digits) == 0 }
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
