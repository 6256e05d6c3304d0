/// Positions of entries in the log, as ascending ranges: how a line is traced to what it was made of.
public struct LogPositions: Sendable, Equatable {
  public private(set) var ranges: [ClosedRange<Int>] = []
  public private(set) var count = 0

  public init() {}

  /// Adds a position behind all others; false, and nothing added, if it is not.
  public mutating func append(_ position: Int) -> Bool { self.append(position, through: position) }

  /// Adds a range of positions behind all others; false, and nothing added, if it is not.
  public mutating func append(_ first: Int, through last: Int) -> Bool {
    let behind = self.ranges.last?.upperBound ?? -1
    guard first > behind, last >= first, last < .max else { return false }
    if let range = self.ranges.last, first - 1 == behind {
      self.ranges[self.ranges.count - 1] = range.lowerBound...last
    } else {
      self.ranges.append(first...last)
    }
    self.count += last - first + 1
    return true
  }

  public func contains(_ position: Int) -> Bool { self.ranges.contains { $0.contains(position) } }
}
