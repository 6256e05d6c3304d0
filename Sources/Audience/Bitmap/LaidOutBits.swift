/// The bits of a bitmap that is laid out from the start, in pieces of half a megabyte.
///
/// A user who is added waits for one place in memory: with a page for each chunk it would be two, as what an array knows of itself
/// stands before its elements, and a thousand of those stay in the cache where a hundred thousand do not.
struct LaidOutBits: Sendable, Equatable {
  /// The binary logarithm of the bits of a piece: 2^16 words.
  private static let logarithm = 22

  private var pieces: [[UInt64]]
  private let pieceBits: Int

  /// All clear.
  init(bits: Int) {
    self.pieceBits = min(bits, 1 << Self.logarithm)
    let length = self.pieceBits / 64
    self.pieces = (0..<bits / self.pieceBits).map { _ in [UInt64](repeating: 0, count: length) }
  }

  var allocatedBytes: Int { self.pieces.reduce(0) { $0 + $1.capacity * 8 } }

  /// Sets a bit. Returns whether it was clear.
  mutating func insert(_ bit: Int) -> Bool {
    let (piece, word) = (bit >> Self.logarithm, (bit & (self.pieceBits - 1)) >> 6)
    let mask: UInt64 = 1 << UInt64(bit & 63)
    let before = self.pieces[piece][word]
    guard before & mask == 0 else { return false }
    self.pieces[piece][word] = before | mask
    return true
  }

  func contains(_ bit: Int) -> Bool {
    self.pieces[bit >> Self.logarithm][(bit & (self.pieceBits - 1)) >> 6] >> UInt64(bit & 63) & 1 == 1
  }

  /// The words of the `bits` bits from `first` on, which lie in one piece.
  func words(from first: Int, bits: Int) -> ArraySlice<UInt64> {
    let word = (first & (self.pieceBits - 1)) >> 6
    return self.pieces[first >> Self.logarithm][word..<word + bits / 64]
  }

  /// Sets the bits from `first` on that are set in `words`. Returns how many of them were clear.
  mutating func merge(_ words: [UInt64], from first: Int) -> Int {
    let (piece, start) = (first >> Self.logarithm, (first & (self.pieceBits - 1)) >> 6)
    var added = 0
    for (index, word) in words.enumerated() {
      let before = self.pieces[piece][start + index]
      added += (word & ~before).nonzeroBitCount
      self.pieces[piece][start + index] = before | word
    }
    return added
  }

  /// Sets the bits that `other`, of the same length, has set too. Returns how many of them were clear.
  mutating func merge(_ other: LaidOutBits) -> Int {
    var added = 0
    for piece in other.pieces.indices { added += self.merge(other.pieces[piece], from: piece << Self.logarithm) }
    return added
  }
}
