/// How much of a stream waits for the classifier.
public enum StreamHold: String, Sendable, Hashable, CaseIterable {
  /// Nothing but what may still become a match of an enforced rule.
  case live
  /// The sentence in progress, until the classifier has read its end.
  case sentence
  /// Everything, until the stream ends.
  case all
}
