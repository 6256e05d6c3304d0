/// Why a detector gave no answer.
public enum DetectorFailure: String, Error, Sendable, Hashable, CaseIterable {
  case timeout
  case overloaded
  case bufferCap = "buffer_cap"
  case engineError = "engine_error"
  /// It answered, but not in the form that was asked for.
  case indeterminate
}

/// What follows from a detector that gave no answer.
public struct DetectorFailureVerdict: Sendable, Hashable {
  public enum Action: String, Sendable, Hashable {
    /// Nothing is let through that the detector should have seen.
    case refuse
    /// The request goes on; the record says that it was not checked.
    case record
  }

  public var action: Action
  public var failure: DetectorFailure
  /// The critical uses that nobody looked for, ordered; empty where the action is to record.
  public var unchecked: [ProhibitedUseID]
}

extension AcceptableUsePolicy {
  /// Fails closed where the missing detector is the one that would have looked for a critical use, else open with a record.
  ///
  /// - Parameter covered: The uses that the detector looks for.
  /// - Parameter critical: The uses that the policy calls critical. Those that an enforced rule of this direction looks for too are
  ///   still looked for without the detector.
  public func verdict(
    on failure: DetectorFailure, covered: Set<ProhibitedUseID>, critical: Set<ProhibitedUseID>, direction: TextDirection
  ) -> DetectorFailureVerdict {
    let rules = self.rules(direction)
    let enforced = zip(rules.compiled.rules, rules.modes).filter { $0.1 == .enforce }.flatMap(\.0.uses)
    let unchecked = covered.intersection(critical).subtracting(enforced).sorted()
    return DetectorFailureVerdict(action: unchecked.isEmpty ? .record : .refuse, failure: failure, unchecked: unchecked)
  }
}
