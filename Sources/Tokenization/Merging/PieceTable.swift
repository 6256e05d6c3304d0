/// Bytes to piece ids: an open-addressing table over one flat byte array, so that a lookup in the middle of a text
/// allocates nothing. O(length) a lookup.
struct PieceTable: Sendable {
  private var slots: [Int32]
  private let mask: Int
  private var ids: [Int32] = []
  private var starts: [Int] = [0]
  private var bytes: [UInt8] = []
  /// The longest key; longer lookups fail at once.
  private(set) var longest = 0

  init(capacity: Int) {
    var size = 16
    while size < 2 * capacity { size *= 2 }
    self.slots = [Int32](repeating: -1, count: size)
    self.mask = size - 1
  }

  /// Adds a key that is not empty; where it is known already the first id stays.
  ///
  /// - Precondition: no more keys than the capacity.
  mutating func insert(_ key: [UInt8], id: Int32) {
    var slot = PieceTable.hash(key, 0, key.count) & self.mask
    while self.slots[slot] >= 0 {
      if self.entry(Int(self.slots[slot]), equals: key, 0, key.count) { return }
      slot = (slot + 1) & self.mask
    }
    precondition(2 * self.ids.count < self.slots.count, "The table is full.")
    self.slots[slot] = Int32(self.ids.count)
    self.ids.append(id)
    self.bytes.append(contentsOf: key)
    self.starts.append(self.bytes.count)
    self.longest = max(self.longest, key.count)
  }

  /// The id of `text[start ..< start + count]`.
  func id(of text: [UInt8], _ start: Int, _ count: Int) -> Int32? {
    guard count <= self.longest else { return nil }
    var slot = PieceTable.hash(text, start, count) & self.mask
    while self.slots[slot] >= 0 {
      let entry = Int(self.slots[slot])
      if self.entry(entry, equals: text, start, count) { return self.ids[entry] }
      slot = (slot + 1) & self.mask
    }
    return nil
  }

  private func entry(_ entry: Int, equals text: [UInt8], _ start: Int, _ count: Int) -> Bool {
    let first = self.starts[entry]
    guard self.starts[entry + 1] - first == count else { return false }
    for offset in 0..<count where self.bytes[first + offset] != text[start + offset] { return false }
    return true
  }

  /// FNV-1a, its high half folded in because only low bits choose the slot.
  private static func hash(_ text: [UInt8], _ start: Int, _ count: Int) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for offset in 0..<count { hash = (hash ^ UInt64(text[start + offset])) &* 0x100_0000_01B3 }
    return Int(truncatingIfNeeded: hash ^ (hash >> 32))
  }
}
