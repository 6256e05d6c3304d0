/// What the writer has done since the start; counts only grow, but for ``queueDepth``.
public struct StoreStatistics: Sendable, Equatable {
  /// Transactions that reached the disk.
  public var commits = 0
  /// Records in them.
  public var records = 0
  /// Log entries among those.
  public var entries = 0
  /// Submissions refused because the queue was full.
  public var rejections = 0
  /// Submissions failed by a conflict with what is stored.
  public var conflicts = 0
  /// Submissions failed because the disk was full, or for any other reason of the store's own.
  public var failures = 0
  public var walCheckpoints = 0
  public var walCheckpointFailures = 0
  /// The newest transaction failed for a reason of the store's own: nothing can be recorded now, so nothing should be asked.
  public var isFailing = false
  /// Why the newest of the failures and checkpoint failures happened.
  public var lastFailure: String?
  /// Records that wait or are being written.
  public var queueDepth = 0
  /// Records in a transaction.
  public var batchRecords = Histogram(bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
  /// Microseconds that a transaction took, disk sync included.
  public var commitMicroseconds = Histogram(bounds: Histogram.latencyBounds)
  /// Microseconds from submission to durability, by submission.
  public var durabilityMicroseconds = Histogram(bounds: Histogram.latencyBounds)

  public init() {}
}

/// Counts of whole numbers by fixed upper bounds.
public struct Histogram: Sendable, Equatable {
  /// Included in their bucket, ascending.
  public let bounds: [Int]
  /// One more than there are bounds: the last counts what is above all of them. Not cumulative.
  public private(set) var counts: [Int]
  public private(set) var sum = 0

  /// 250 µs to 10 s.
  public static let latencyBounds = [
    250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
  ]

  public init(bounds: [Int]) {
    self.bounds = bounds
    self.counts = Array(repeating: 0, count: bounds.count + 1)
  }

  public var count: Int { self.counts.reduce(0, +) }

  /// Counts one value. O(bounds).
  public mutating func record(_ value: Int) {
    self.counts[self.bounds.firstIndex { value <= $0 } ?? self.bounds.count] += 1
    self.sum &+= value
  }
}
