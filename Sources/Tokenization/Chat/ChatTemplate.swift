/// A chat format by what it is, with what a model's file may vary.
public enum ChatTemplate: Sendable, Equatable {
  case llama2
  case llama3
  /// Llama 3.1 and later: a system turn with dates, and tools.
  case llama31
  case mistral
  /// ChatML as Qwen2 and many others have it.
  case chatML(ChatMLTemplate)
  case safeguard(SafeguardTemplate)

  /// Recognises a file's `tokenizer.chat_template` by its salient parts; nil for one that is none of these.
  ///
  /// The template is not run: it is a program, and what these formats do is written here.
  public init?(template: String) {
    let has = { (part: String) in template.contains(part) }
    if has("<BEGIN UNSAFE CONTENT CATEGORIES>") {
      guard let form = SafeguardTemplate(template: template) else { return nil }
      self = .safeguard(form)
    } else if has("<|im_start|>") {
      guard !has("<|im_sep|>") else { return nil }
      self = .chatML(ChatMLTemplate(template: template))
    } else if has("<|start_header_id|>") {
      self = has("Cutting Knowledge Date") ? .llama31 : .llama3
    } else if has("[INST]"), has("<<SYS>>") {
      self = .llama2
    } else if has("[INST]"), has("[/INST]"), !has("[SYSTEM_PROMPT]") {
      self = .mistral
    } else {
      return nil
    }
  }

  /// - Parameter name: `llama2`, `llama3`, `llama3.1`, `mistral`, `chatml`, `qwen2`, `llama-guard`, `llama-guard2` or `llama-guard3`,
  ///   whatever else a template of the family may be called in other programs.
  public init?(name: String) {
    switch name {
    case "llama2": self = .llama2
    case "llama3": self = .llama3
    case "llama3.1": self = .llama31
    case "mistral": self = .mistral
    case "chatml": self = .chatML(ChatMLTemplate(hasTools: false, standardSystem: nil))
    case "qwen2": self = .chatML(ChatMLTemplate(hasTools: true, standardSystem: nil))
    case "llama-guard": self = .safeguard(.first)
    case "llama-guard2": self = .safeguard(.second)
    case "llama-guard3": self = .safeguard(.third)
    default: return nil
    }
  }

  /// What a vocabulary without a template was most likely trained with.
  public init(vocabulary: any Tokenizer) {
    if vocabulary.markerToken("<|start_header_id|>") != nil {
      self = .llama3
    } else if vocabulary.markerToken("<|im_start|>") != nil {
      self = .chatML(ChatMLTemplate(hasTools: false, standardSystem: nil))
    } else {
      self = .llama2
    }
  }

  /// How the model writes calls of tools; nil where the template has none.
  public var toolCallForm: ToolCallForm? {
    switch self {
    case .llama31: .object(arguments: "parameters")
    case .chatML(let form) where form.hasTools: .tagged(open: "<tool_call>", close: "</tool_call>", arguments: "arguments")
    default: nil
    }
  }

  /// The token ids of a conversation, ready for the model to continue. O(n log n) in the text's length.
  ///
  /// - Throws: ``ChatTemplateError`` where the order of messages does not fit, tools are not part of the template, or the vocabulary
  ///   lacks one of its control tokens.
  public func encode(
    _ turns: [ChatTurn], tools: [ChatTool] = [], with tokenizer: any Tokenizer
  ) throws(ChatTemplateError) -> [Int32] {
    guard !turns.isEmpty else {
      throw ChatTemplateError(.empty, messageIndex: 0, message: "There is no message; send at least one from the user.")
    }
    try self.checkTools(turns, tools)
    switch self {
    case .llama2: return try Llama2ChatTemplate.encode(turns, with: tokenizer)
    case .llama3: return try Llama3ChatTemplate.encode(turns, with: tokenizer)
    case .llama31: return try Llama3ChatTemplate.encodeWithTools(turns, tools, with: tokenizer)
    case .mistral: return try MistralChatTemplate.encode(turns, with: tokenizer)
    case .chatML(let form): return try form.encode(turns, tools, with: tokenizer)
    case .safeguard(let form): return try form.encode(turns, with: tokenizer)
    }
  }

  private func checkTools(_ turns: [ChatTurn], _ tools: [ChatTool]) throws(ChatTemplateError) {
    guard self.toolCallForm == nil else { return }
    let used = turns.firstIndex { $0.role == .tool || !$0.calls.isEmpty }
    guard used == nil, tools.isEmpty else {
      throw ChatTemplateError(
        .toolsUnsupported, messageIndex: used ?? 0, message: "This model's chat template has no tools; leave them out.")
    }
  }
}
