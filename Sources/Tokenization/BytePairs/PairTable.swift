/// Pairs of neighbouring tokens to what they merge into: an open-addressing table of 16 bytes a slot, at least half of them free.
struct PairTable: Sendable {
  struct Merge {
    /// Lower ranks merge earlier.
    var rank: UInt32
    var token: Int32
  }

  private var keys: [UInt64]
  private var merges: [Merge]
  private let mask: Int
  private var count = 0

  /// No token id is negative, so that no pair has this key.
  private static let free = UInt64.max

  init(capacity: Int) {
    var size = 16
    while size < 2 * capacity { size *= 2 }
    self.keys = [UInt64](repeating: Self.free, count: size)
    self.merges = [Merge](repeating: Merge(rank: 0, token: 0), count: size)
    self.mask = size - 1
  }

  /// Adds a pair; one that is known already keeps its first merge.
  ///
  /// - Precondition: no more pairs than the capacity, and no negative ids.
  mutating func insert(_ left: Int32, _ right: Int32, _ merge: Merge) {
    let key = Self.key(left, right)
    var slot = Self.slot(key) & self.mask
    while self.keys[slot] != Self.free {
      if self.keys[slot] == key { return }
      slot = (slot + 1) & self.mask
    }
    self.count += 1
    precondition(2 * self.count <= self.keys.count, "The table is full.")
    self.keys[slot] = key
    self.merges[slot] = merge
  }

  func merge(_ left: Int32, _ right: Int32) -> Merge? {
    let key = Self.key(left, right)
    var slot = Self.slot(key) & self.mask
    while self.keys[slot] != Self.free {
      if self.keys[slot] == key { return self.merges[slot] }
      slot = (slot + 1) & self.mask
    }
    return nil
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  private static func slot(_ key: UInt64) -> Int {
    let mixed = (key ^ (key >> 31)) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed >> 24)
  }
}
