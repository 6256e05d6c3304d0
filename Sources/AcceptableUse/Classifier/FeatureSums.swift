/// What the distinct features of a text, and of up to two stretches of it, weigh together; in constant memory.
///
/// A feature counts once as long as no other has taken its place in the table of those seen last; the training script drops repeats
/// by the same table.
struct FeatureSums: Sendable {
  struct Sum: Sendable {
    var weight = 0
    var count = 0
  }

  private let weights: [Int8]
  private var seen = SeenFeatures()
  private var sums = (Sum(), Sum(), Sum())
  private var tables = 1
  /// The number of words at which the next stretch begins.
  var nextTurn: Int
  private let firstTurn: Int
  /// Mixed hashes of distinct features of the whole, for the heads; the first of them.
  private(set) var kept: [UInt64] = []

  static let keptLimit = 4096

  init(_ weights: [Int8], stretchWords: Int) {
    self.weights = weights
    self.firstTurn = stretchWords / 2
    self.nextTurn = self.firstTurn
    self.kept.reserveCapacity(Self.keptLimit)
  }

  /// Ready for another text, with the memory of the last.
  mutating func reset() {
    self.seen.clear(table: 0)
    self.sums.0 = Sum()
    self.tables = 1
    self.nextTurn = self.firstTurn
    self.kept.removeAll(keepingCapacity: true)
  }

  /// The sum of the `turn`-th stretch, while no later one has taken its place.
  func stretch(_ turn: Int) -> Sum { turn % 2 == 1 ? self.sums.1 : self.sums.2 }
  var whole: Sum { self.sums.0 }

  mutating func beginStretch(_ turn: Int) {
    self.seen.clear(table: turn % 2 == 1 ? 1 : 2)
    if turn % 2 == 1 { self.sums.1 = Sum() } else { self.sums.2 = Sum() }
    self.tables = min(turn + 1, 3)
  }

  /// Adds a feature to the whole and to the stretches in progress.
  @inline(__always)
  mutating func add(_ feature: UInt64) {
    let index = UInt32(truncatingIfNeeded: feature) & UInt32(truncatingIfNeeded: self.weights.count - 1)
    let fresh = self.seen.insert(index, tables: self.tables)
    guard fresh != 0 else { return }
    let weight = Int(self.weights[Int(index)])
    if fresh & 1 != 0 {
      self.sums.0.weight += weight
      self.sums.0.count += 1
      if self.kept.count < Self.keptLimit { self.kept.append(feature) }
    }
    if fresh & 2 != 0 {
      self.sums.1.weight += weight
      self.sums.1.count += 1
    }
    if fresh & 4 != 0 {
      self.sums.2.weight += weight
      self.sums.2.count += 1
    }
  }
}

/// Which features were seen last: of the whole text, of odd stretches, of even ones.
private struct SeenFeatures: Sendable {
  private var slots = Array(repeating: UInt32.max, count: 3 * SeenFeatures.size)

  static let size = 2048

  mutating func clear(table: Int) {
    var slots = self.slots.mutableSpan
    for slot in (table * Self.size)..<((table + 1) * Self.size) { slots[slot] = .max }
  }

  /// A bit for each table that had not seen the feature last.
  @inline(__always)
  mutating func insert(_ index: UInt32, tables: Int) -> UInt32 {
    var slots = self.slots.mutableSpan
    let slot = Int(index) & (Self.size - 1)
    var fresh: UInt32 = 0
    if slots[slot] != index {
      slots[slot] = index
      fresh = 1
    }
    guard tables > 1 else { return fresh }
    if slots[Self.size + slot] != index {
      slots[Self.size + slot] = index
      fresh |= 2
    }
    if tables > 2, slots[2 * Self.size + slot] != index {
      slots[2 * Self.size + slot] = index
      fresh |= 4
    }
    return fresh
  }
}
