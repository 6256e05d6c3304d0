/// A number of tokens, never negative.
public struct TokenCount: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let value: Int

  /// More tokens than any request or total may have; counts are refused above it, so that sums and prices cannot overflow.
  public static let largest = TokenCount(unchecked: 1 << 50)
  public static let zero = TokenCount(unchecked: 0)

  private init(unchecked value: Int) { self.value = value }

  /// - Precondition: `value` is from 0 to 2^50. Counts from outside are checked where they enter.
  public init(_ value: Int) {
    precondition(value >= 0 && value <= 1 << 50, "token count out of range")
    self.value = value
  }

  public var description: String { String(self.value) }

  public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
  public static func + (left: Self, right: Self) -> Self { TokenCount(left.value + right.value) }
  public static func - (left: Self, right: Self) -> Self { TokenCount(left.value - right.value) }
  public static func += (left: inout Self, right: Self) { left = left + right }
}

/// Tokens of one request by disjoint category: nothing is counted twice, and the prompt is the sum of its two parts.
public struct TokenUsage: Hashable, Sendable {
  public var promptUncached: TokenCount
  public var promptCached: TokenCount
  public var completion: TokenCount
  public var training: TokenCount

  public init(
    promptUncached: TokenCount = .zero, promptCached: TokenCount = .zero, completion: TokenCount = .zero,
    training: TokenCount = .zero
  ) {
    self.promptUncached = promptUncached
    self.promptCached = promptCached
    self.completion = completion
    self.training = training
  }

  public var prompt: TokenCount { self.promptUncached + self.promptCached }
  public var total: TokenCount { self.prompt + self.completion + self.training }

  public static func + (left: Self, right: Self) -> Self {
    TokenUsage(
      promptUncached: left.promptUncached + right.promptUncached, promptCached: left.promptCached + right.promptCached,
      completion: left.completion + right.completion, training: left.training + right.training)
  }
}

/// What a token, or a request, is charged as.
public enum UsageCategory: String, Sendable, CaseIterable {
  case promptUncached = "prompt_uncached"
  case promptCached = "prompt_cached"
  case completion
  case training
  case request
}
