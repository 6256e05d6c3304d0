internal import Completions
internal import Tokenization

/// The chat format that a model was trained on, as far as it is known here.
enum ChatFormat: Sendable, Equatable {
  case llama2
  /// The file carries a template that is not Llama 2's; rendering by another would make a worse model of it.
  case unknown

  /// - Parameter template: the file's `tokenizer.chat_template`; a file without one is taken for a Llama 2.
  init(template: String?) {
    guard let template else {
      self = .llama2
      return
    }
    self = template.contains("[INST]") && template.contains("<<SYS>>") ? .llama2 : .unknown
  }

  func encode(_ messages: [ChatMessage], with tokenizer: SentencePieceTokenizer) throws(CompletionError) -> [Int32] {
    guard self == .llama2 else {
      throw CompletionError(
        .invalidRequest, "This model's chat template is not supported; send a text prompt instead.", parameter: "messages")
    }
    if let index = messages.firstIndex(where: { $0.role == .tool || !$0.toolCalls.isEmpty }) {
      throw CompletionError(
        .invalidRequest, "This model's chat template has no tools.", parameter: "messages[\(index)]")
    }
    do {
      return try Llama2ChatTemplate.encode(messages.map { ChatTurn($0.role.turn, $0.content) }, with: tokenizer)
    } catch {
      throw CompletionError(.invalidRequest, error.message, parameter: "messages[\(error.messageIndex)]")
    }
  }
}

extension ChatMessage.Role {
  fileprivate var turn: ChatTurn.Role {
    switch self {
    case .system: .system
    case .user, .tool: .user
    case .assistant: .assistant
    }
  }
}
