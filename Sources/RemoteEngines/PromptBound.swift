internal import Completions

/// How many tokens a prompt has, as far as it can be known without the server.
///
/// The upper bound is for the hold and must be safe. No vocabulary with byte fallback, and no byte-level one, makes more tokens of a text
/// than it has UTF-8 bytes; what a chat template adds is covered by a margin for each turn. (A tokenizer that first replaces
/// characters by longer ones, as some that are not Llama's do, needs its own file configured.)
struct PromptBound: Sendable, Equatable {
  static let turnMargin = 16
  static let promptMargin = 32
  /// Bytes of everyday text to a token, where nothing better is known.
  static let bytesPerToken = 4

  /// Never exceeded.
  let most: Int
  /// What is charged where the server does not say and the count cannot be had: rather too few than too many.
  let likely: Int
  /// Whether both are the count itself.
  let isExact: Bool

  init(_ request: CompletionRequest, counter: TextCounter?) {
    let texts: [String]
    let turns: Int
    switch request.prompt {
    case .tokens(let tokens):
      self.most = tokens.count
      self.likely = tokens.count
      self.isExact = true
      return
    case .text(let text): (texts, turns) = ([text], 1)
    case .chat(let messages):
      (texts, turns) = (messages.flatMap(\.texts), messages.count)
    }
    self.isExact = false
    let all = texts + request.shownTexts
    let margin = Self.promptMargin + turns * Self.turnMargin
    if let counter {
      let counted = all.reduce(0) { $0 + counter.text($1) }
      self.most = counted + margin
      self.likely = max(1, counted)
    } else {
      let bytes = all.reduce(0) { $0 + $1.utf8.count }
      self.most = bytes + margin
      self.likely = max(1, bytes / Self.bytesPerToken)
    }
  }
}

extension ChatMessage {
  fileprivate var texts: [String] {
    [self.content] + self.toolCalls.flatMap { [$0.id, $0.name, $0.arguments] } + (self.toolCallID.map { [$0] } ?? [])
  }
}

extension CompletionRequest {
  /// What a server's template may show to the model besides the prompt.
  fileprivate var shownTexts: [String] {
    var texts = self.tools.flatMap { [$0.name, $0.description ?? "", $0.parameters ?? ""] }
    if case .jsonSchema(let format) = self.output { texts += [format.name, format.schema] }
    return texts
  }
}
