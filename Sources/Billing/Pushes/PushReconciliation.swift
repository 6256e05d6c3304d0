/// What was settled, against what a metering service acknowledged, or says that it has.
public struct PushReconciliation: Sendable, Equatable {
  public enum Difference: Sendable, Equatable {
    /// Settled here, and not there: to be sent once more.
    case missing(String, quantity: Int)
    /// There, and never settled here.
    case unknown(String, quantity: Int)
    case different(String, settled: Int, there: Int)
  }

  public let settled: Int
  public let there: Int
  /// By id; empty when every settled unit is there exactly once.
  public let differences: [Difference]

  /// - Parameters:
  ///   - settled: the events of the log's closed minutes, made anew.
  ///   - there: the quantity of each id as the service has it, or as it was acknowledged.
  public init(settled: [MeterEvent], there: [String: Int]) {
    var rest = there
    var differences: [Difference] = []
    for event in settled.sorted(by: { $0.id < $1.id }) {
      switch rest.removeValue(forKey: event.id) {
      case nil: differences.append(.missing(event.id, quantity: event.quantity))
      case let found? where found != event.quantity:
        differences.append(.different(event.id, settled: event.quantity, there: found))
      default: break
      }
    }
    differences += rest.sorted { $0.key < $1.key }.map { .unknown($0.key, quantity: $0.value) }
    self.differences = differences
    self.settled = settled.reduce(0) { clampedSum($0, $1.quantity) }
    self.there = there.values.reduce(0, clampedSum)
  }
}

/// The service's numbers come from outside: a sum stays at the end of its range.
private func clampedSum(_ left: Int, _ right: Int) -> Int {
  let (sum, overflow) = left.addingReportingOverflow(right)
  return overflow ? (left < 0 ? .min : .max) : sum
}
