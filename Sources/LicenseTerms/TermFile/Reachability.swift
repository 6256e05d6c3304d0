internal import Documents

/// Whether a clause can ever come to anything. One that cannot was meant otherwise, and is refused.
struct Reachability {
  let clause: Clause

  /// Why the clause can never have an effect; nil where it can.
  var obstacle: String? {
    if self.clause.kind == .exemption, self.clause.exempts.isEmpty { return "exempts nothing" }
    let asksAnyone = self.clause.binds.contains(.operator) || self.clause.binds.contains(.customer)
    if !self.clause.binds.isEmpty, !asksAnyone { return "binds end users alone, of whom nothing is asked" }
    for action in Action.allCases where self.clause.applies(to: action) {
      guard let when = self.clause.when else { return nil }
      // Of very large conditions nothing is claimed.
      guard let isReachable = Assignments(when, action: action)?.contains(true), !isReachable else { return nil }
    }
    return "is never in force: no action and no facts fulfil its 'when'"
  }
}

/// The values that a condition can come to, over all truth values of its tests that can hold together.
private struct Assignments {
  private static let limit = 12

  private let predicate: Predicate
  private let action: Action
  private let tests: [Predicate]

  /// Nil for a condition of more than twelve different tests.
  init?(_ predicate: Predicate, action: Action) {
    var tests: [Predicate] = []
    Self.collect(predicate, into: &tests)
    guard tests.count <= Self.limit else { return nil }
    self.predicate = predicate
    self.action = action
    self.tests = tests
  }

  private static func collect(_ predicate: Predicate, into tests: inout [Predicate]) {
    switch predicate {
    case .all(let parts), .any(let parts): for part in parts { self.collect(part, into: &tests) }
    case .not(let part): self.collect(part, into: &tests)
    case .action: break
    case .fact, .parameter, .exception, .threshold, .holdsNotice: if !tests.contains(predicate) { tests.append(predicate) }
    }
  }

  func contains(_ value: Bool) -> Bool {
    (0..<(1 << self.tests.count)).contains { bits in
      let holding = self.tests.enumerated().filter { bits & 1 << $0.offset != 0 }.map(\.element)
      return Self.canHoldTogether(holding) && self.value(self.predicate, holding) == value
    }
  }

  private func value(_ predicate: Predicate, _ holding: [Predicate]) -> Bool {
    switch predicate {
    case .all(let parts): parts.allSatisfy { self.value($0, holding) }
    case .any(let parts): parts.contains { self.value($0, holding) }
    case .not(let part): !self.value(part, holding)
    case .action(let actions): actions.contains(self.action)
    case .fact, .parameter, .exception, .threshold, .holdsNotice: holding.contains(predicate)
    }
  }

  /// One fact has one value, and so has a parameter.
  private static func canHoldTogether(_ tests: [Predicate]) -> Bool {
    !tests.enumerated().contains { index, test in tests[(index + 1)...].contains { Self.exclude(test, $0) } }
  }

  private static func exclude(_ first: Predicate, _ second: Predicate) -> Bool {
    switch (first, second) {
    case (.parameter(let name, let value), .parameter(let other, let otherValue)): name == other && value != otherValue
    case (.fact(let key, .isOneOf(let values)), .fact(let other, .isOneOf(let otherValues))):
      key == other && Set(values).isDisjoint(with: otherValues)
    case (.fact(let key, .isInRegions(let codes)), .fact(let other, .isInRegions(let otherCodes))):
      key == other && Set(codes).isDisjoint(with: otherCodes)
    case (.fact(let key, .present(let present)), .fact(let other, .present(let otherPresent))):
      key == other && present != otherPresent
    default: false
    }
  }
}
