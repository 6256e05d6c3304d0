internal import Completions
internal import Tokenization

/// The chat format that a model was trained on, as far as it is known here.
struct ChatFormat: Sendable {
  /// Nil where the file carries a template that is none of the known ones: rendering by another would make a worse model of it.
  let template: ChatTemplate?

  /// - Parameter template: the file's own; a file without one is taken for what its vocabulary speaks of.
  init(template: String?, tokenizer: any Tokenizer) {
    self.template = template.map { ChatTemplate(template: $0) } ?? ChatTemplate(vocabulary: tokenizer)
  }

  /// - Parameter tools: those that are shown to the model.
  func encode(
    _ messages: [ChatMessage], tools: [ToolDefinition], with tokenizer: any Tokenizer
  ) throws(CompletionError) -> [Int32] {
    guard let template = self.template else {
      throw CompletionError(
        .invalidRequest, "This model's chat template is not supported; send a text prompt instead.", parameter: "messages")
    }
    let turns = messages.map { message in
      ChatTurn(
        message.role.turn, message.content, calls: message.toolCalls.map { ChatCall(name: $0.name, arguments: $0.arguments) })
    }
    let chatTools = tools.map { ChatTool(name: $0.name, description: $0.description, parameters: $0.parameters) }
    do {
      return try template.encode(turns, tools: chatTools, with: tokenizer)
    } catch {
      throw CompletionError(.invalidRequest, error.message, parameter: "messages[\(error.messageIndex)]")
    }
  }
}

extension ChatMessage.Role {
  fileprivate var turn: ChatTurn.Role {
    switch self {
    case .system: .system
    case .user: .user
    case .assistant: .assistant
    case .tool: .tool
    }
  }
}
