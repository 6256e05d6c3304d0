/// The prompt format of Mistral's instruct models: `BOS [INST] {user} [/INST] {answer} EOS [INST] …`.
///
/// Where the vocabulary has `[INST]` as a control token (third version), it is that token and the system text stands in the last user
/// message; else the tags are text, are removed from messages, and the system text stands in the first. Roles must alternate.
///
/// Reference: `mistral-common`, tokenizers v1 and v3.
enum MistralChatTemplate {
  private static let tags = ControlTags(["[INST]", "[/INST]", "<s>", "</s>"])

  static func encode(_ turns: [ChatTurn], with tokenizer: any Tokenizer) throws(ChatTemplateError) -> [Int32] {
    let exchanges = try Exchanges(turns)
    let hasTokens = tokenizer.markerToken("[INST]") != nil && tokenizer.markerToken("[/INST]") != nil
    var writer = PromptWriter(tokenizer)
    writer.begin()
    for (index, exchange) in exchanges.list.enumerated() {
      let carriesSystem = index == (hasTokens ? exchanges.list.count - 1 : 0)
      let user = carriesSystem && !exchanges.system.isEmpty ? exchanges.system + "\n\n" + exchange.user : exchange.user
      if hasTokens {
        try writer.control("[INST]")
        writer.standalone(user)
        try writer.control("[/INST]")
      } else {
        writer.standalone("[INST] " + Self.tags.removed(from: user) + " [/INST]")
      }
      if let answer = exchange.answer {
        writer.standalone(hasTokens ? answer : Self.tags.removed(from: answer))
        writer.end()
      }
    }
    return writer.finish()
  }
}

/// A conversation in which user and assistant take turns and the user is last.
struct Exchanges {
  private(set) var system = ""
  private(set) var list: [(user: String, answer: String?)] = []

  /// System messages stand first and are joined by a line break, neighbouring user messages by a blank line.
  init(_ turns: [ChatTurn]) throws(ChatTemplateError) {
    let systemCount = turns.prefix { $0.role == .system }.count
    self.system = turns[..<systemCount].map(\.text).joined(separator: "\n")
    for (index, turn) in turns.enumerated().dropFirst(systemCount) {
      switch turn.role {
      case .user:
        if let last = self.list.last, last.answer == nil {
          self.list[self.list.count - 1].user = last.user + "\n\n" + turn.text
        } else {
          self.list.append((turn.text, nil))
        }
      case .assistant:
        guard let last = self.list.last, last.answer == nil else {
          throw ChatTemplateError(
            .assistantMessageMisplaced, messageIndex: index,
            message: "An assistant message must follow a user message; leave it out or put the question before it.")
        }
        self.list[self.list.count - 1].answer = turn.text
      case .system, .tool:
        throw ChatTemplateError(
          .systemMessageMisplaced, messageIndex: index,
          message: "A \(turn.role.rawValue) message may not stand here; user and assistant take turns after the system's text.")
      }
    }
    guard let last = self.list.last, last.answer == nil else {
      throw ChatTemplateError(
        .lastMessageNotUser, messageIndex: turns.count - 1, message: "The last message must come from the user.")
    }
  }
}
