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
public struct LinearBitmap: Sendable, Equatable {
  /// The binary logarithm of the number of bits.
  public let logarithm: Int
  private(set) var chunks: [BitChunk]
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
    let bits = 1 << min(logarithm, BitChunk.logarithm)
    self.chunks = (0..<1 << max(0, logarithm - BitChunk.logarithm)).map { _ in laidOut ? BitChunk(laidOut: bits) : BitChunk() }
    self.ones = 0
  }

  var bits: Int { 1 << self.logarithm }
  var chunkBits: Int { 1 << min(self.logarithm, BitChunk.logarithm) }

  /// Adds a user. Returns whether the bit was clear: if not, the user or one of the same bit was there. O(1) in a laid-out chunk,
  /// else O(64).
  @discardableResult
  public mutating func insert(_ user: UserFingerprint) -> Bool {
    let bit = Int(truncatingIfNeeded: user.value >> UInt64(64 - self.logarithm))
    let place = UInt16(truncatingIfNeeded: bit & (self.chunkBits - 1))
    let index = bit >> BitChunk.logarithm
    let limit = BitChunk.listLimit(of: self.chunkBits, index: index)
    guard self.chunks[index].insert(place, of: self.chunkBits, listLimit: limit) else { return false }
    self.ones += 1
    return true
  }

  public func contains(_ user: UserFingerprint) -> Bool {
    let bit = Int(truncatingIfNeeded: user.value >> UInt64(64 - self.logarithm))
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
    self.chunks.reduce(self.chunks.count * MemoryLayout<BitChunk>.stride) { $0 + $1.allocatedBytes }
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
    for index in self.chunks.indices { self.merge(other.chunks[index], into: index) }
  }

  mutating func merge(_ chunk: BitChunk, into index: Int) {
    let limit = BitChunk.listLimit(of: self.chunkBits, index: index)
    self.ones += self.chunks[index].merge(chunk, of: self.chunkBits, listLimit: limit)
  }
}
