/// Up to 2^19 neighbouring bits: a sorted list of the set ones while they are few, then all of them.
///
/// Which of the two depends on the number of set bits alone, so that equal sets are equal chunks.
struct BitChunk: Sendable, Equatable {
  static let logarithm = 19

  /// Ascending; empty once the bits are laid out.
  private(set) var places: [UInt32] = []
  /// Bit b is bit b & 63 of word b >> 6; empty until the bits are laid out.
  private(set) var words: [UInt64] = []
  /// Bits that are set.
  private(set) var ones = 0

  init() {}

  /// Set bits up to which a chunk of `bits` bits is a list: a list is then at most a thirty-second of the bits.
  static func listLimit(of bits: Int) -> Int { bits >> 10 }

  init(places: [UInt32]) {
    self.places = places
    self.ones = places.count
  }

  init(words: [UInt64]) {
    self.words = words
    self.ones = words.reduce(0) { $0 + $1.nonzeroBitCount }
  }

  var isList: Bool { self.words.isEmpty }
  var allocatedBytes: Int { self.places.capacity * 4 + self.words.capacity * 8 }

  /// Sets a bit. Returns whether it was clear.
  mutating func insert(_ place: UInt32, of bits: Int) -> Bool {
    guard self.isList else {
      let word = Int(place >> 6)
      let bit: UInt64 = 1 << UInt64(place & 63)
      guard self.words[word] & bit == 0 else { return false }
      self.words[word] |= bit
      self.ones += 1
      return true
    }
    let index = self.index(of: place)
    guard index == self.places.count || self.places[index] != place else { return false }
    self.places.insert(place, at: index)
    self.ones += 1
    if self.ones > Self.listLimit(of: bits) { self.layOut(bits) }
    return true
  }

  func contains(_ place: UInt32) -> Bool {
    guard self.isList else { return self.words[Int(place >> 6)] >> UInt64(place & 63) & 1 == 1 }
    let index = self.index(of: place)
    return index < self.places.count && self.places[index] == place
  }

  /// The first index whose place is not below `place`.
  private func index(of place: UInt32) -> Int {
    var low = 0
    var high = self.places.count
    while low < high {
      let middle = (low + high) / 2
      if self.places[middle] < place { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func layOut(_ bits: Int) {
    var words = [UInt64](repeating: 0, count: bits / 64)
    for place in self.places { words[Int(place >> 6)] |= 1 << UInt64(place & 63) }
    self.words = words
    self.places = []
  }

  /// Sets the bits that `other` has set too. Returns how many of them were clear.
  mutating func merge(_ other: BitChunk, of bits: Int) -> Int {
    let before = self.ones
    if self.ones == 0 {
      self = other
    } else if other.isList {
      for place in other.places { _ = self.insert(place, of: bits) }
    } else {
      if self.isList { self.layOut(bits) }
      self.or(other.words)
    }
    return self.ones - before
  }

  private mutating func or(_ other: [UInt64]) {
    var ones = 0
    for index in 0..<min(self.words.count, other.count) {
      let word = self.words[index] | other[index]
      self.words[index] = word
      ones += word.nonzeroBitCount
    }
    self.ones = ones
  }
}
