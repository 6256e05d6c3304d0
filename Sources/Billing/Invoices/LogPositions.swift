/// Positions of entries in the log, as ascending ranges: how a line is traced to what it was made of.
public struct LogPositions: Sendable, Equatable {
  public private(set) var ranges: [ClosedRange<Int>] = []
  public private(set) var count = 0

  public init() {}

  /// Adds a position behind all others; false, and nothing added, if it is not.
  public mutating func append(_ position: Int) -> Bool {
    guard let last = self.ranges.last else {
      guard position >= 0 else { return false }
      self.ranges.append(position...position)
      self.count = 1
      return true
    }
    guard position > last.upperBound else { return false }
    if position - 1 == last.upperBound {
      self.ranges[self.ranges.count - 1] = last.lowerBound...position
    } else {
      self.ranges.append(position...position)
    }
    self.count += 1
    return true
  }

  public func contains(_ position: Int) -> Bool { self.ranges.contains { $0.contains(position) } }
}
