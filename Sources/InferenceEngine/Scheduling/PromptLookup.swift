/// Guesses a sequence's next tokens from its own text: where its last tokens stood before, what followed them then.
///
/// A guess is verified by the model in one step, so that it changes how fast tokens come and never which. How much is guessed follows
/// how much was right of late; a sequence that does not repeat itself soon guesses nothing, and tries again from time to time.
struct PromptLookup {
  /// The most tokens of one guess.
  static let longest = 5
  /// Tokens that must have stood before; the last one alone says too little.
  private static let context = 3
  /// How far back is looked.
  private static let reach = 8_192

  /// The share of right tokens, recent guesses weighing most.
  private var share = 0.6
  /// Produced tokens to wait before the next guess.
  private var rest = 0
  private var failures = 0

  /// At most `limit` tokens that may follow `tokens`; none where nothing like its end stood before.
  mutating func guess(_ tokens: [Int32], limit: Int) -> ArraySlice<Int32> {
    guard self.rest == 0 else {
      self.rest -= 1
      return []
    }
    let length = min(limit, self.share > 0.75 ? Self.longest : self.share > 0.45 ? 3 : 1)
    guard length > 0, tokens.count > Self.context else { return [] }
    let end = tokens.count
    let lowest = max(Self.context, end - Self.reach)
    var place = end - 1
    while place >= lowest {
      // `place` is where a continuation would begin.
      if tokens[place - 1] == tokens[end - 1], tokens[place - 2] == tokens[end - 2], tokens[place - 3] == tokens[end - 3] {
        return tokens[place..<min(place + length, end)]
      }
      place -= 1
    }
    return []
  }

  /// Learns how many of the guessed tokens were right.
  mutating func note(guessed: Int, right: Int) {
    guard guessed > 0 else { return }
    self.share += (Double(right) / Double(guessed) - self.share) * 0.25
    guard right == 0 else {
      self.failures = 0
      return
    }
    self.failures += 1
    if self.failures >= 2 { self.rest = min(64, 2 << min(self.failures, 5)) }
  }
}
