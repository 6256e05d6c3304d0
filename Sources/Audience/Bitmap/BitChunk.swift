/// Up to 2^15 neighbouring bits, a page of memory: a sorted list of the set ones while they are few, then all of them.
///
/// Which of the two depends on the number of set bits, unless they were read as words; equal sets are equal chunks, and written alike.
struct BitChunk: Sendable {
  static let logarithm = 15
  /// Places that a list has room for from the first on.
  private static let usualCount = 16

  /// Ascending; empty once the bits are laid out.
  private(set) var places: [UInt16] = []
  /// Bit b is bit b & 63 of word b >> 6; empty until the bits are laid out.
  private(set) var words: [UInt64] = []
  /// Bits that are set, at most 2^15.
  private var setBits: Int32 = 0
  /// Whether `places` holds the bits. Kept here and not asked of the arrays: whoever waits for the memory of an array to learn
  /// which of the two it is waits twice.
  private(set) var isList = true

  /// Bits that are set.
  var ones: Int { Int(self.setBits) }

  init() {}

  /// Set bits up to which the chunk with this index, of `bits` bits, is a list: a list is then at most a sixteenth of the bits.
  ///
  /// The limits lie apart, by the index: all chunks fill at the same pace, and would else ask for all their pages at once.
  static func listLimit(of bits: Int, index: Int) -> Int { bits >> 11 + (bits >> 9 - bits >> 11) * (index & 63) / 63 }

  init(places: [UInt16]) {
    self.places = places
    self.setBits = Int32(places.count)
  }

  init(words: [UInt64]) {
    self.words = words
    self.setBits = words.reduce(0) { $0 + Int32($1.nonzeroBitCount) }
    self.isList = false
  }

  /// The set bits, ascending. O(bits) once they are laid out.
  var setPlaces: [UInt16] {
    guard !self.isList else { return self.places }
    var places: [UInt16] = []
    places.reserveCapacity(self.ones)
    for (index, word) in self.words.enumerated() where word != 0 {
      var rest = word
      while rest != 0 {
        places.append(UInt16(index << 6 + rest.trailingZeroBitCount))
        rest &= rest - 1
      }
    }
    return places
  }

  var allocatedBytes: Int { self.places.capacity * 2 + self.words.capacity * 8 }

  /// Sets a bit. Returns whether it was clear.
  mutating func insert(_ place: UInt16, of bits: Int, listLimit: Int) -> Bool {
    guard self.isList else {
      let word = Int(place >> 6)
      let bit: UInt64 = 1 << UInt64(place & 63)
      guard self.words[word] & bit == 0 else { return false }
      self.words[word] |= bit
      self.setBits += 1
      return true
    }
    let index = self.index(of: place)
    guard index == self.places.count || self.places[index] != place else { return false }
    if self.places.isEmpty { self.places.reserveCapacity(Self.usualCount) }
    self.places.insert(place, at: index)
    self.setBits += 1
    if self.ones > listLimit { self.layOut(bits) }
    return true
  }

  func contains(_ place: UInt16) -> Bool {
    guard self.isList else { return self.words[Int(place >> 6)] >> UInt64(place & 63) & 1 == 1 }
    let index = self.index(of: place)
    return index < self.places.count && self.places[index] == place
  }

  /// The first index whose place is not below `place`. Counting them all has no branch to guess wrong: faster than halving here.
  private func index(of place: UInt16) -> Int {
    var below: UInt16 = 0
    for other in self.places { below &+= other < place ? 1 : 0 }
    return Int(below)
  }

  private mutating func layOut(_ bits: Int) {
    var words = [UInt64](repeating: 0, count: bits / 64)
    for place in self.places { words[Int(place >> 6)] |= 1 << UInt64(place & 63) }
    self.words = words
    self.places = []
    self.isList = false
  }

  /// Sets the bits that `other` has set too. Returns how many of them were clear.
  mutating func merge(_ other: BitChunk, of bits: Int, listLimit: Int) -> Int {
    let before = self.ones
    if self.ones == 0 {
      self = other
    } else if other.isList {
      for place in other.places { _ = self.insert(place, of: bits, listLimit: listLimit) }
    } else {
      if self.isList { self.layOut(bits) }
      self.or(other.words)
    }
    return self.ones - before
  }

  private mutating func or(_ other: [UInt64]) {
    var ones: Int32 = 0
    for index in 0..<min(self.words.count, other.count) {
      let word = self.words[index] | other[index]
      self.words[index] = word
      ones += Int32(word.nonzeroBitCount)
    }
    self.setBits = ones
  }
}

extension BitChunk: Equatable {
  static func == (left: Self, right: Self) -> Bool {
    guard left.ones == right.ones else { return false }
    if left.isList == right.isList { return left.places == right.places && left.words == right.words }
    return left.setPlaces == right.setPlaces
  }
}
