/// A large set of users as a bitmap of 2^b bits, for the number that a license looks at: linear counting (K.-Y. Whang, B. T.
/// Vander-Zanden, H. M. Taylor, "A linear-time probabilistic counting algorithm for database applications", ACM TODS 15(2),
/// 1990).
///
/// Each user sets the bit that the highest b bits of the fingerprint name; with z bits of m = 2^b still clear, -m ln(z / m)
/// users are the most likely. With t = users / m the relative standard error is sqrt((e^t - t - 1) / m) / t: for 700 million
/// users in 2^32 bits 0.0011 %. The bitmaps of several nodes are merged by OR, which counts a user whom two nodes saw once.
///
/// Memory: a chunk of 4 KiB (2^15 bits) is laid out only when more than 16 to 64 of its bits are set, depending on its index;
/// before, each set bit takes two to four bytes. So 2^32 bits take 3 MiB when empty, 23 MiB for 2 million users, and 512 MiB
/// from some 9 million on. A user whose chunk is laid out waits for a page of memory, some microseconds; where many users are
/// expected, all chunks can be laid out from the start.
///
/// As with `UserSketch`, the fingerprints must be keyed.
public struct LinearBitmap: Sendable {
  /// The binary logarithm of the number of bits.
  public let logarithm: Int
  /// None where ``laidOut`` has the bits.
  private var chunks: [BitChunk]
  private var laidOut: LaidOutBits?
  /// Bits that are set.
  public private(set) var ones: Int

  public static let logarithms = 12...32
  /// 512 MiB: the size for the license number.
  public static let licenseLogarithm = 32

  /// A bitmap of 2^logarithm bits, all clear; nil for a size outside of ``logarithms``.
  ///
  /// - Parameter laidOut: All memory is taken and touched at once, half a second for 512 MiB; no user waits for it later.
  public init?(logarithm: Int = Self.licenseLogarithm, laidOut: Bool = false) {
    guard Self.logarithms.contains(logarithm) else { return nil }
    self.logarithm = logarithm
    self.ones = 0
    self.chunks = []
    self.laidOut = laidOut ? LaidOutBits(bits: 1 << logarithm) : nil
    if !laidOut { self.chunks = Array(repeating: BitChunk(), count: self.chunkCount) }
  }

  var bits: Int { 1 << self.logarithm }
  var chunkBits: Int { 1 << min(self.logarithm, BitChunk.logarithm) }
  var chunkCount: Int { 1 << max(0, self.logarithm - BitChunk.logarithm) }

  /// O(1), or O(bits of a chunk) where all are laid out from the start.
  func chunk(_ index: Int) -> BitChunk {
    guard let laidOut = self.laidOut else { return self.chunks[index] }
    return BitChunk(words: Array(laidOut.words(from: index * self.chunkBits, bits: self.chunkBits)))
  }

  /// Adds a user. Returns whether the bit was clear: if not, the user or one of the same bit was there. O(1) in a laid-out chunk,
  /// else O(64).
  @discardableResult
  public mutating func insert(_ user: UserFingerprint) -> Bool {
    let bit = Int(truncatingIfNeeded: user.value >> UInt64(64 - self.logarithm))
    if let isNew = self.laidOut?.insert(bit) {
      if isNew { self.ones += 1 }
      return isNew
    }
    let place = UInt16(truncatingIfNeeded: bit & (self.chunkBits - 1))
    let index = bit >> BitChunk.logarithm
    let limit = BitChunk.listLimit(of: self.chunkBits, index: index)
    guard self.chunks[index].insert(place, of: self.chunkBits, listLimit: limit) else { return false }
    self.ones += 1
    return true
  }

  public func contains(_ user: UserFingerprint) -> Bool {
    let bit = Int(truncatingIfNeeded: user.value >> UInt64(64 - self.logarithm))
    if let laidOut = self.laidOut { return laidOut.contains(bit) }
    return self.chunks[bit >> BitChunk.logarithm].contains(UInt16(truncatingIfNeeded: bit & (self.chunkBits - 1)))
  }

  /// The number of users. O(1). With no bit clear there is no upper bound.
  public var estimate: AudienceEstimate {
    let clear = self.bits - self.ones
    guard self.ones > 0 else { return .none }
    let users = Double(self.bits) * Self.load(clear: max(clear, 1), of: self.bits)
    let sigma = Self.sigma(load: users / Double(self.bits), of: self.bits)
    guard clear > 0 else {
      return AudienceEstimate(atLeast: Int(users * (1 - 3 * sigma)), about: users, sigma: sigma)
    }
    return AudienceEstimate(about: users, sigma: sigma, atLeast: self.ones)
  }

  /// Users per bit that leave `clear` bits clear.
  private static func load(clear: Int, of bits: Int) -> Double { naturalLogarithm(Double(bits) / Double(clear)) }

  /// The relative standard error at `load` users per bit (Whang et al., section 3).
  public static func sigma(load: Double, of bits: Int) -> Double {
    // The difference loses its digits for small loads; its series does not.
    let excess =
      load < 0.01
      ? load * load / 2 * (1 + load / 3 * (1 + load / 4 * (1 + load / 5))) : exponentialMinusOne(load) - load
    return (excess / Double(bits)).squareRoot() / load
  }

  /// Bytes of the chunks, without the allocator's own.
  public var allocatedBytes: Int {
    if let laidOut = self.laidOut { return laidOut.allocatedBytes }
    return self.chunks.reduce(self.chunks.count * MemoryLayout<BitChunk>.stride) { $0 + $1.allocatedBytes }
  }
}

extension LinearBitmap {
  /// Bitmaps of different sizes cannot be merged.
  public struct SizesDiffer: Error, Sendable, Equatable, CustomStringConvertible {
    public let logarithms: (Int, Int)

    public static func == (left: Self, right: Self) -> Bool { left.logarithms == right.logarithms }
    public var description: String {
      "a bitmap of 2^\(self.logarithms.1) bits cannot be merged into one of 2^\(self.logarithms.0); count with one size on all nodes"
    }
  }

  /// Makes this the bitmap of the users of both, by OR. O(bits).
  public mutating func merge(_ other: LinearBitmap) throws(SizesDiffer) {
    guard self.logarithm == other.logarithm else { throw SizesDiffer(logarithms: (self.logarithm, other.logarithm)) }
    if let all = other.laidOut, let added = self.laidOut?.merge(all) {
      self.ones += added
      return
    }
    for index in 0..<self.chunkCount { self.merge(other.chunk(index), into: index) }
  }

  mutating func merge(_ chunk: BitChunk, into index: Int) {
    if self.laidOut != nil {
      let first = index * self.chunkBits
      for place in chunk.places where self.laidOut?.insert(first + Int(place)) == true { self.ones += 1 }
      self.ones += self.laidOut?.merge(chunk.words, from: first) ?? 0
      return
    }
    let limit = BitChunk.listLimit(of: self.chunkBits, index: index)
    self.ones += self.chunks[index].merge(chunk, of: self.chunkBits, listLimit: limit)
  }
}

extension LinearBitmap: Equatable {
  /// The same bits, however they are kept.
  public static func == (left: Self, right: Self) -> Bool {
    guard left.logarithm == right.logarithm, left.ones == right.ones else { return false }
    return (0..<left.chunkCount).allSatisfy { left.chunk($0) == right.chunk($0) }
  }
}
