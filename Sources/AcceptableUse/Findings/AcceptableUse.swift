// AcceptableUse: what a license's acceptable-use policy says about a text, as findings with evidence that hold none of the text.
// Holds the normaliser, rule packs, the matcher that runs them over whole texts, and the guard that runs them over a stream.
// It must never know a customer, a model, a clock, a file or a network, nor what a finding leads to.

/// A use that a policy forbids, by the id which the policy's term file gives it (`2b`, `1a-ii`).
public struct ProhibitedUseID: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let name: String

  public init(_ name: String) { self.name = name }

  public var description: String { self.name }
  public static func < (left: Self, right: Self) -> Bool { left.name < right.name }
}

/// Who wrote the text.
public enum TextDirection: String, Sendable, Hashable, CaseIterable {
  case prompt
  case response
  /// What whoever runs an application tells the model about its task. All rules for prompts are run over it too.
  case system

  /// The directions whose rules are run over a text of this one.
  var read: Set<TextDirection> { self == .system ? [.prompt, .system] : [self] }
}

/// What a rule's match leads to.
public enum RuleMode: String, Sendable, Hashable, CaseIterable {
  /// The text is flagged.
  case enforce
  /// Recorded as what would have been flagged; the client sees nothing of it.
  case shadow
  /// Recorded, and shown beside the answer.
  case annotate
}

/// How grave a use is; ordered.
public enum FindingSeverity: Int, Sendable, Hashable, Comparable, CaseIterable {
  case low = 0
  case medium
  case high
  case critical

  /// The word that packs and records write.
  public var name: String {
    switch self {
    case .low: "low"
    case .medium: "medium"
    case .high: "high"
    case .critical: "critical"
    }
  }

  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
