public import GovernanceTypes

/// What a guard model is asked, in the form that it was trained on, and how its answer is read.
///
/// The form is public documentation of such models: a task, the unsafe categories under codes, the conversation, and an instruction to
/// answer `safe`, or `unsafe` and the codes on a second line. The constant part comes first, so that its keys and values can be kept.
public struct GuardPrompt: Sendable, Hashable {
  public struct Category: Sendable, Hashable {
    /// `O1`, `S3`.
    public var code: String
    public var title: String
    /// What must not and what can be said, in the model's own lines; trained models answer worse without it.
    public var description: String
    /// The uses of the policy that a finding of this category is evidence for.
    public var uses: [ProhibitedUseID]

    public init(code: String, title: String, description: String, uses: [ProhibitedUseID]) {
      self.code = code
      self.title = title
      self.description = description
      self.uses = uses
    }
  }

  public enum Speaker: String, Sendable, Hashable {
    case user = "User"
    case agent = "Agent"
  }

  public let categories: [Category]
  /// The term file whose uses the categories name.
  public let policy: TermFileID

  /// Under which findings of the guard model stand among those of the rules.
  public static let packID = "guard-model"

  /// - Throws: ``AcceptableUseError`` where a code occurs twice or is no letter with a number.
  public init(categories: [Category], policy: TermFileID) throws(AcceptableUseError) {
    var seen: Set<String> = []
    for category in categories {
      let number = category.code.dropFirst()
      guard category.code.first?.isLetter ?? false, !number.isEmpty, number.allSatisfy(\.isNumber) else {
        throw AcceptableUseError(message: "guard category '\(category.code)': a code is a letter and a number, as O1")
      }
      guard seen.insert(category.code.lowercased()).inserted else {
        throw AcceptableUseError(message: "guard category '\(category.code)' occurs twice")
      }
    }
    self.categories = categories
    self.policy = policy
  }

  /// The part that is the same for every conversation with this speaker at its end.
  public func prefix(judging speaker: Speaker) -> String {
    var text =
      "[INST] Task: Check if there is unsafe content in '\(speaker.rawValue)' messages in conversations according our safety policy with the below categories.\n\n<BEGIN UNSAFE CONTENT CATEGORIES>\n"
    for category in self.categories {
      text += "\(category.code): \(category.title).\n"
      if !category.description.isEmpty { text += category.description + "\n" }
    }
    return text + "<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN CONVERSATION>\n\n"
  }

  /// The whole prompt; turns are separated by one blank line.
  public func text(_ turns: [(speaker: Speaker, text: String)], judging speaker: Speaker) -> String {
    let conversation = turns.map { "\($0.speaker.rawValue): \(Self.defused($0.text))" }.joined(separator: "\n\n")
    return self.prefix(judging: speaker) + conversation
      + "\n\n<END CONVERSATION>\n\nProvide your safety assessment for \(speaker.rawValue) in the above conversation:\n- First line must read 'safe' or 'unsafe'.\n- If unsafe, a second line must include a comma-separated list of violated categories. [/INST]"
  }

  /// A text without the marks that the form itself is made of, so that nobody ends the conversation from within it.
  static func defused(_ text: String) -> String {
    var text = text
    for mark in ["[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<BEGIN CONVERSATION>", "<END CONVERSATION>"]
    where text.contains(mark) {
      let broken = String(mark.prefix(1)) + " " + mark.dropFirst()
      text = text.split(separator: mark, omittingEmptySubsequences: false).joined(separator: broken)
    }
    return text
  }

  public enum Answer: Sendable, Hashable {
    case safe
    /// Known codes, in the order given, each once.
    case unsafe([String])
    /// Not in the form asked for: neither let through nor refused by itself, see ``DetectorFailure/indeterminate``.
    case indeterminate(String)
  }

  /// Reads what the model wrote: the first line exactly, codes split at commas and white space, each checked against the prompt's.
  /// O(bytes), of which at most 4 KiB are read.
  public func answer(_ output: String) -> Answer {
    let lines = String(decoding: Array(output.utf8.prefix(4096)), as: UTF8.self)
      .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(Self.trimmed)
    let filled = lines.filter { !$0.isEmpty }
    guard let first = filled.first else { return .indeterminate("the answer is empty") }
    switch first {
    case "safe": return filled.count == 1 ? .safe : .indeterminate("text follows 'safe'")
    case "unsafe":
      guard filled.count == 2 else { return .indeterminate("'unsafe' must be followed by one line of categories") }
      return self.codes(filled[1])
    default: return .indeterminate("the first line is neither 'safe' nor 'unsafe'")
    }
  }

  private func codes(_ line: String) -> Answer {
    var found: [String] = []
    for piece in line.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\t" }) {
      guard let category = self.categories.first(where: { $0.code.lowercased() == piece.lowercased() }) else {
        return .indeterminate("names a category that the prompt did not list")
      }
      if !found.contains(category.code) { found.append(category.code) }
    }
    return found.isEmpty ? .indeterminate("names no category") : .unsafe(found)
  }

  private static func trimmed(_ line: Substring) -> String {
    let isSpace = { (letter: Character) in letter == " " || letter == "\t" || letter == "\r" }
    return String(line.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
  }

  /// The uses that an unsafe answer is evidence for, ordered.
  public func uses(of codes: [String]) -> [ProhibitedUseID] {
    Set(self.categories.filter { codes.contains($0.code) }.flatMap(\.uses)).sorted()
  }
}
