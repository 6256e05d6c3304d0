/// The prompt format of Llama 2 Chat.
///
/// Each earlier exchange is a sequence of its own, `BOS [INST] {user} [/INST] {answer} EOS`; the last one is left open
/// behind `[/INST]`. The system text stands in the first user message between `<<SYS>>` and `<</SYS>>`. Texts are trimmed
/// of white space at both ends.
///
/// Control tags are removed from every message, answers included: a client supplies those as well, and with a tag in
/// one it could forge a system text. Several system messages at the start are joined by a newline, neighbouring user
/// messages by a blank line; a system text that is empty is left out.
///
/// Reference: `chat_completion` in Meta's `llama/generation.py`.
public enum Llama2ChatTemplate {
  private static let tags = ControlTags(["[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>"])

  /// A conversation in the order the format needs.
  private struct Dialog {
    var system: String?
    var answered: [(user: String, answer: String)] = []
    var open: String = ""
  }

  /// The token ids of a conversation, ready for the model to continue. O(n log n) in the text's length.
  ///
  /// - Throws: where the order is not: system messages, then user and assistant in turn, a user message at the end.
  public static func encode(
    _ turns: [ChatTurn], with tokenizer: any Tokenizer
  ) throws(ChatTemplateError) -> [Int32] {
    let dialog = try self.dialog(of: turns)
    var opening = self.opening(dialog.system)
    var tokens: [Int32] = []
    for (user, answer) in dialog.answered {
      tokens += tokenizer.encode("[INST] " + TemplateText.trimmed(opening + user) + " [/INST] " + answer + " ", addBOS: true)
      if let end = tokenizer.endOfSequence { tokens.append(end) }
      opening = ""
    }
    tokens += tokenizer.encode("[INST] " + TemplateText.trimmed(opening + dialog.open) + " [/INST]", addBOS: true)
    return tokens
  }

  private static func opening(_ system: String?) -> String {
    guard let system, !system.isEmpty else { return "" }
    return "<<SYS>>\n" + system + "\n<</SYS>>\n\n"
  }

  private static func dialog(of turns: [ChatTurn]) throws(ChatTemplateError) -> Dialog {
    guard let last = turns.last else {
      throw ChatTemplateError(.empty, messageIndex: 0, message: "There is no message; send at least one from the user.")
    }
    var dialog = Dialog()
    let systemCount = turns.prefix { $0.role == .system }.count
    if systemCount > 0 {
      dialog.system = self.cleaned(turns[..<systemCount].map(\.text).joined(separator: "\n"))
    }
    var users: [String] = []
    for (index, turn) in turns.enumerated().dropFirst(systemCount) {
      switch turn.role {
      case .user: users.append(turn.text)
      case .assistant:
        guard !users.isEmpty else { throw self.misplacedAnswer(index) }
        dialog.answered.append((self.joined(users), self.cleaned(turn.text)))
        users = []
      case .system, .tool:
        throw ChatTemplateError(
          .systemMessageMisplaced, messageIndex: index,
          message: "A system message may only stand before all others; move it to the start.")
      }
    }
    guard last.role == .user else {
      throw ChatTemplateError(
        .lastMessageNotUser, messageIndex: turns.count - 1,
        message: "The last message comes from the \(last.role.rawValue); it must come from the user.")
    }
    dialog.open = self.joined(users)
    return dialog
  }

  private static func misplacedAnswer(_ index: Int) -> ChatTemplateError {
    ChatTemplateError(
      .assistantMessageMisplaced, messageIndex: index,
      message: "An assistant message must follow a user message; leave it out or put the question before it.")
  }

  private static func joined(_ texts: [String]) -> String {
    self.cleaned(texts.joined(separator: "\n\n"))
  }

  private static func cleaned(_ text: String) -> String {
    TemplateText.trimmed(self.tags.removed(from: text))
  }
}
