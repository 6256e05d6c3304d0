internal import Completions
internal import OpenAIWire

/// What one answer has come to: what the server produced, as far as it can be told, and its own count.
struct AnswerTally: Sendable {
  /// Tokens that count as produced so far.
  private(set) var counted = 0
  /// Tokens that were handed on.
  private(set) var emitted = 0
  private(set) var bytes = 0
  private(set) var reported: UpstreamChunk.ReportedUsage?
  private var text = ""
  private var hasHiddenTokens = false
  /// How many answers there are, as far as they have begun.
  private var answers = 1
  private let counter: TextCounter?

  /// Tokens of each answer that are not text: its end, the frame of a tool call.
  private static let hiddenMargin = 16
  /// Text of a chunk beyond which it can hardly be one token.
  private static let longToken = 24

  init(counter: TextCounter?) { self.counter = counter }

  /// Counts a chunk: by the server's running count, else by its log-probabilities, else by the tokenizer where the text is long, else as
  /// one token.
  ///
  /// - Returns: Its tokens.
  mutating func take(_ chunk: UpstreamChunk) -> Int {
    if let usage = chunk.usage { self.reported = usage }
    self.answers = max(self.answers, chunk.answer + 1)
    self.bytes += chunk.text.utf8.count
    if self.counter != nil { self.text += chunk.text }
    if !chunk.toolCalls.isEmpty {
      self.hasHiddenTokens = true
      self.bytes += chunk.toolCalls.reduce(0) { $0 + $1.arguments.utf8.count + ($1.name?.utf8.count ?? 0) }
    }
    let fresh: Int
    if let usage = chunk.usage {
      fresh = max(0, usage.completion - self.counted)
    } else if !chunk.logprobs.isEmpty {
      fresh = chunk.logprobs.count
    } else if let counter, chunk.text.utf8.count > Self.longToken {
      fresh = max(1, counter.text(chunk.text))
    } else {
      fresh = chunk.text.isEmpty && chunk.toolCalls.isEmpty ? 0 : 1
    }
    // A count at the end of the stream is no part of a chunk: it is taken by `total`.
    guard !chunk.isCountAlone else { return 0 }
    self.counted += fresh
    return fresh
  }

  mutating func emit(_ tokens: Int) { self.emitted += tokens }

  /// Our own count of the whole text; of several texts that came mixed, that of their parts.
  var own: Int {
    guard let counter, !self.hasHiddenTokens, self.answers == 1 else { return self.counted }
    return self.text.isEmpty ? 0 : counter.text(self.text)
  }

  /// Whether a count can be true of this answer: shown tokens have a byte at least.
  func isPlausible(_ usage: UpstreamChunk.ReportedUsage) -> Bool {
    usage.completion - usage.reasoning <= self.bytes + Self.hiddenMargin * self.answers || self.hasHiddenTokens
  }

  /// The completion tokens of the whole answer, and whose count it is.
  var total: (tokens: Int, source: TokenCounter) {
    if let reported = self.reported, self.isPlausible(reported) { return (reported.completion, .provider) }
    return (self.own, .gateway)
  }
}

extension UpstreamChunk {
  var isCountAlone: Bool {
    self.usage != nil && self.text.isEmpty && self.toolCalls.isEmpty && self.logprobs.isEmpty && self.finish == nil
  }
}
