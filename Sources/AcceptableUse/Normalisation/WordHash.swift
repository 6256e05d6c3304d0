/// A word by its folded letters, 64-bit FNV-1a over scalar values.
///
/// Words are compared by hash alone. Two words of one text meet by chance about once in 10^19 pairs; who constructs a collision
/// only has a harmless text of his own refused.
struct WordHash: Sendable, Hashable {
  var value: UInt64

  static let empty = WordHash(value: 0xCBF2_9CE4_8422_2325)

  @inline(__always)
  mutating func append(_ letter: UInt32) { self.value = (self.value ^ UInt64(letter)) &* 0x0000_0100_0000_01B3 }
}

/// An immutable map from 64-bit keys to nonzero 32-bit values: open addressing, at most half full.
struct HashTable: Sendable {
  private let keys: [UInt64]
  private let values: [UInt32]
  private let shift: UInt64

  /// Later entries win over earlier ones with the same key; entries of value 0 are as good as absent.
  init(_ entries: [(key: UInt64, value: UInt32)]) {
    var bits: UInt64 = 4
    while 1 << bits < entries.count * 2 { bits += 1 }
    var keys = [UInt64](repeating: 0, count: 1 << bits)
    var values = [UInt32](repeating: 0, count: 1 << bits)
    let shift = 64 - bits
    for entry in entries {
      var slot = Self.slot(entry.key, shift)
      while values[slot] != 0, keys[slot] != entry.key { slot = (slot + 1) & (keys.count - 1) }
      keys[slot] = entry.key
      values[slot] = entry.value
    }
    self.keys = keys
    self.values = values
    self.shift = shift
  }

  @inline(__always)
  private static func slot(_ key: UInt64, _ shift: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift)
  }

  /// The value of a key; 0 where there is none. O(1) expected.
  @inline(__always)
  subscript(key: UInt64) -> UInt32 {
    var slot = Self.slot(key, self.shift)
    while true {
      let value = self.values[slot]
      if value == 0 || self.keys[slot] == key { return value }
      slot = (slot + 1) & (self.keys.count - 1)
    }
  }
}
