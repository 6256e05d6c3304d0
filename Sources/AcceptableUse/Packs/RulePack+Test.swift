extension RulePack {
  /// Runs each rule's own examples in each of its directions; empty when all hold. O(bytes of all examples).
  public func test() -> [RuleExampleFailure] {
    let policy = AcceptableUsePolicy(compiling: [self])
    return self.rules.flatMap { rule in
      rule.directions.sorted { $0.rawValue < $1.rawValue }.flatMap { self.test(rule, policy, $0) }
    }
  }

  private func test(_ rule: Rule, _ policy: AcceptableUsePolicy, _ direction: TextDirection) -> [RuleExampleFailure] {
    func failures(_ texts: [String], _ expectation: RuleExampleFailure.Expectation) -> [RuleExampleFailure] {
      texts.enumerated().compactMap { index, text in
        let isMatched = policy.assess(text, direction: direction).rules.contains { $0.ruleID == rule.id }
        guard isMatched != (expectation == .match) else { return nil }
        return RuleExampleFailure(ruleID: rule.id, direction: direction, expectation: expectation, index: index)
      }
    }
    return failures(rule.examples.match, .match) + failures(rule.examples.clear, .clear)
  }
}

/// An example that its rule does not treat as the pack says.
public struct RuleExampleFailure: Sendable, Hashable, CustomStringConvertible {
  public enum Expectation: String, Sendable, Hashable {
    case match
    case clear
  }

  public var ruleID: String
  public var direction: TextDirection
  public var expectation: Expectation
  /// Which example of that list, from 0.
  public var index: Int

  public var description: String {
    let outcome = self.expectation == .match ? "is not matched" : "is matched"
    return "rule \(self.ruleID), \(self.direction.rawValue): examples.\(self.expectation.rawValue)[\(self.index)] \(outcome)"
  }
}
