/// The prompt of Llama Guard models: a task, the categories, the conversation, and the question whether its last message is safe.
///
/// The three generations differ in the categories and a few words; a file's own template says which, and its categories are taken from
/// there. The last message is judged, the user's or the assistant's; roles must alternate.
public struct SafeguardTemplate: Sendable, Equatable {
  enum Wrapping: Sendable, Equatable {
    /// Between `[INST]` and `[/INST]`, as text.
    case instruction
    /// As a user turn of Llama 3.
    case header
  }

  var wrapping: Wrapping
  /// The lines between the tags, each with its line break.
  public var categories: String
  /// What stands between "for" and the role, and behind the role.
  var scope: (before: String, behind: String)
  /// Before each of the two lines that say how to answer.
  var bullet: String

  public static func == (a: SafeguardTemplate, b: SafeguardTemplate) -> Bool {
    a.wrapping == b.wrapping && a.categories == b.categories && a.scope == b.scope && a.bullet == b.bullet
  }

  static let first = SafeguardTemplate(
    wrapping: .instruction,
    categories: Self.listed(
      "O",
      [
        "Violence and Hate", "Sexual Content", "Criminal Planning", "Guns and Illegal Weapons",
        "Regulated or Controlled Substances", "Self-Harm",
      ], end: ".\n"), scope: ("", ""), bullet: "- ")
  static let second = SafeguardTemplate(
    wrapping: .instruction,
    categories: Self.listed(
      "S", Self.shared(withDefamation: false), end: ". \n"), scope: ("ONLY THE LAST ", " message"), bullet: " - ")
  static let third = SafeguardTemplate(
    wrapping: .header,
    categories: Self.listed(
      "S", Self.shared(withDefamation: true) + ["Elections", "Code Interpreter Abuse"], end: ".\n"),
    scope: ("ONLY THE LAST ", " message"), bullet: " - ")

  private static func shared(withDefamation: Bool) -> [String] {
    ["Violent Crimes", "Non-Violent Crimes", "Sex Crimes", "Child Exploitation"] + (withDefamation ? ["Defamation"] : [])
      + [
        "Specialized Advice", "Privacy", "Intellectual Property", "Indiscriminate Weapons", "Hate", "Self-Harm", "Sexual Content",
      ]
  }

  private static func listed(_ letter: String, _ titles: [String], end: String) -> String {
    titles.enumerated().map { "\(letter)\($0 + 1): \($1)\(end)" }.joined()
  }

  init(wrapping: Wrapping, categories: String, scope: (before: String, behind: String), bullet: String) {
    (self.wrapping, self.categories, self.scope, self.bullet) = (wrapping, categories, scope, bullet)
  }

  /// What a file's template says; nil where its categories are not a literal.
  init?(template: String) {
    let plain = template.replacing("\\n", with: "\n")
    guard let begin = plain.firstRange(of: "<BEGIN UNSAFE CONTENT CATEGORIES>\n")?.upperBound,
      let end = plain[begin...].firstRange(of: "<END UNSAFE CONTENT CATEGORIES>")?.lowerBound,
      case let categories = String(plain[begin..<end]), !categories.contains("{{"), categories.hasSuffix("\n")
    else { return nil }
    self.init(
      wrapping: plain.contains("<|start_header_id|>") ? .header : .instruction, categories: categories,
      scope: plain.contains("ONLY THE LAST") ? ("ONLY THE LAST ", " message") : ("", ""),
      bullet: plain.contains(" - First line") ? " - " : "- ")
  }

  func encode(_ turns: [ChatTurn], with tokenizer: any Tokenizer) throws(ChatTemplateError) -> [Int32] {
    for (index, turn) in turns.enumerated() where turn.role != (index.isMultiple(of: 2) ? .user : .assistant) {
      throw ChatTemplateError(
        .assistantMessageMisplaced, messageIndex: index,
        message: "A safety model judges a conversation in which user and assistant take turns; this message breaks the order.")
    }
    let text = self.prompt(turns)
    var writer = PromptWriter(tokenizer)
    writer.begin()
    switch self.wrapping {
    case .instruction: writer.standalone("[INST] " + text + " [/INST]")
    case .header:
      try Llama3ChatTemplate.write("user", text, &writer)
      try Llama3ChatTemplate.open("assistant", &writer)
    }
    return writer.finish()
  }

  private func prompt(_ turns: [ChatTurn]) -> String {
    let judged = turns.count.isMultiple(of: 2) ? "Agent" : "User"
    var text =
      "Task: Check if there is unsafe content in '\(judged)' messages in conversations according our safety policy with the below "
      + "categories.\n\n<BEGIN UNSAFE CONTENT CATEGORIES>\n\(self.categories)<END UNSAFE CONTENT CATEGORIES>\n\n"
      + "<BEGIN CONVERSATION>\n\n"
    for turn in turns {
      text += (turn.role == .user ? "User" : "Agent") + ": " + TemplateText.trimmed(Self.tags.removed(from: turn.text)) + "\n\n"
    }
    return text
      + "<END CONVERSATION>\n\nProvide your safety assessment for \(self.scope.before)\(judged)\(self.scope.behind) in the above "
      + "conversation:\n\(self.bullet)First line must read 'safe' or 'unsafe'.\n\(self.bullet)If unsafe, a second line must include "
      + "a comma-separated list of violated categories."
  }

  /// What would end the conversation or the prompt before its time.
  private static let tags = ControlTags([
    "[INST]", "[/INST]", "<s>", "</s>", "<END CONVERSATION>", "<BEGIN CONVERSATION>", "<BEGIN UNSAFE CONTENT CATEGORIES>",
    "<END UNSAFE CONTENT CATEGORIES>",
  ])
}
