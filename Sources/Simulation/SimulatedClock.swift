public import GovernanceTypes
internal import Synchronization

/// A clock that stands still until it is moved, in either direction.
public final class SimulatedClock: Sendable {
  private let time: Mutex<Timestamp>

  public init(_ start: Timestamp) { self.time = Mutex(start) }

  public var now: Timestamp { self.time.withLock { $0 } }

  public func advance(by duration: Duration) { self.time.withLock { $0 = $0.advanced(by: duration) } }
  public func set(_ time: Timestamp) { self.time.withLock { $0 = time } }
}

/// A clock for durations that goes on only when it is told to.
final class SimulatedUptime: Sendable {
  private let time = Mutex(Duration.seconds(1))

  var now: Duration { self.time.withLock { $0 } }

  func advance(by duration: Duration) { self.time.withLock { $0 += duration } }
}

/// A generator whose numbers follow from its seed (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { self.state = seed }

  public mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = self.state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
