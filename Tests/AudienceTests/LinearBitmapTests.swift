import Testing

@testable import Audience

@Suite("Linear counting in a bitmap")
struct LinearBitmapTests {
  private static func bitmap(_ numbers: some Sequence<Int>, logarithm: Int, seed: UInt64 = 1) throws -> LinearBitmap {
    var bitmap = try #require(LinearBitmap(logarithm: logarithm))
    for number in numbers { bitmap.insert(user(number, seed: seed)) }
    return bitmap
  }

  @Test("exists in sizes from 2^12 to 2^32 bits", arguments: [(11, false), (12, true), (32, true), (33, false), (-1, false)])
  func sizes(logarithm: Int, exists: Bool) {
    #expect((LinearBitmap(logarithm: logarithm) != nil) == exists)
  }

  /// sqrt(e^t - t - 1) / (t sqrt m), with the exponential of the C library.
  @Test(
    "the standard error is by the formula; of 700 million users in 2^32 bits it is 0.0011 %",
    arguments: [
      (0.162_981_3, 32, 0.000_011_09), (1e-4, 20, 0.000_690_54), (0.009_999, 20, 0.000_691_69), (0.01, 20, 0.000_691_69),
      (1, 20, 0.000_827_66), (5, 16, 0.009_321),
    ])
  func standardError(load: Double, logarithm: Int, sigma: Double) {
    #expect((LinearBitmap.sigma(load: load, of: 1 << logarithm) / sigma - 1).magnitude < 1e-3)
  }

  @Test(
    "the estimate is within the stated error",
    arguments: [
      (users: 1, logarithm: 12, seeds: 10), (100, 12, 20), (4000, 12, 20), (20_000, 12, 20), (1000, 20, 10), (100_000, 20, 5),
      (1_000_000, 20, 2), (100_000, 32, 1),
    ])
  func relativeError(users: Int, logarithm: Int, seeds: Int) throws {
    var squares = 0.0
    for seed in 1...seeds {
      let estimate = try Self.bitmap(0..<users, logarithm: logarithm, seed: UInt64(seed)).estimate
      let error = (Double(estimate.users) / Double(users) - 1) / max(estimate.sigma, 1e-9)
      squares += users > 1 ? error * error : 0
      #expect(estimate.lower <= users && users <= estimate.upper, "seed \(seed): \(estimate)")
    }
    #expect((squares / Double(seeds)).squareRoot() < 1 + 5 / (2 * Double(seeds)).squareRoot())
  }

  @Test("a bit is set once; users of one bit are one user")
  func bits() throws {
    var bitmap = try Self.bitmap([], logarithm: 12)
    #expect(bitmap.estimate == .none)
    let first = bitmap.insert(UserFingerprint(0xABC0_0000_0000_0000))
    let same = bitmap.insert(UserFingerprint(0xABC0_0000_0000_0001))
    let next = bitmap.insert(UserFingerprint(0xABD0_0000_0000_0000))
    #expect(first && !same && next && bitmap.ones == 2)
    #expect(bitmap.contains(UserFingerprint(0xABCF_FFFF_FFFF_FFFF)) && !bitmap.contains(UserFingerprint(0xABE0_0000_0000_0000)))
  }

  @Test("with no bit clear there is a lower bound and no upper one; with one clear there are both")
  func saturation() throws {
    var bitmap = try Self.bitmap([], logarithm: 12)
    for bit in 0..<4095 { bitmap.insert(UserFingerprint(UInt64(bit) << 52)) }
    #expect(bitmap.estimate.upper < AudienceEstimate.largest)
    let almost = bitmap.estimate
    bitmap.insert(UserFingerprint(UInt64(4095) << 52))
    #expect(bitmap.ones == 4096 && bitmap.estimate.upper == AudienceEstimate.largest)
    #expect(bitmap.estimate.lower >= 4096 && bitmap.estimate.users == almost.users)
  }

  @Test(
    "a chunk is a list up to 16 to 64 bits, by its index, and laid out from the next on",
    arguments: [(0, 16), (31, 39), (63, 64)])
  func layout(index: Int, limit: Int) throws {
    var bitmap = try Self.bitmap([], logarithm: 21)
    func place(_ bit: Int) -> UserFingerprint { UserFingerprint(UInt64(index << 15 + bit * 7) << 43) }
    for bit in 0..<limit { bitmap.insert(place(bit)) }
    #expect(bitmap.chunk(index).isList && bitmap.allocatedBytes < 8192)
    bitmap.insert(place(limit))
    #expect(!bitmap.chunk(index).isList && bitmap.chunk(index).words.count == 512 && bitmap.ones == limit + 1)
    #expect((0...limit).allSatisfy { bitmap.contains(place($0)) })
    #expect(!bitmap.contains(UserFingerprint(UInt64(index << 15 + 1) << 43)) && bitmap.allocatedBytes < 8192)
  }

  @Test("a bitmap that is laid out from the start counts, merges and is written like one that grew", arguments: [12, 20])
  func laidOut(logarithm: Int) throws {
    for users in [0, 1, 30, 900, 20_000] {
      let grown = try Self.bitmap(0..<users, logarithm: logarithm)
      var ready = try #require(LinearBitmap(logarithm: logarithm, laidOut: true))
      for number in 0..<users { ready.insert(user(number)) }
      #expect(ready == grown && ready.estimate == grown.estimate)
      #expect(Array(ready.pieces).flatMap { $0 } == Array(grown.pieces).flatMap { $0 }, "\(users) users")
      var merged = try Self.bitmap(0..<50, logarithm: logarithm)
      try merged.merge(ready)
      #expect(try merged == Self.bitmap(0..<max(50, users), logarithm: logarithm))
      try ready.merge(Self.bitmap(0..<50, logarithm: logarithm))
      try ready.merge(Self.bitmap(0..<2000, logarithm: logarithm))
      #expect(try ready == Self.bitmap(0..<max(2000, users), logarithm: logarithm))
      #expect((0..<2000).allSatisfy { ready.contains(user($0)) })
    }
  }

  @Test("few users cost little also in 2^32 bits")
  func memory() throws {
    #expect(try Self.bitmap(0..<10_000, logarithm: 32).allocatedBytes < 5 << 20)
  }

  @Test("merging is the bitmap of the union: commutative, associative, idempotent", arguments: [12, 20])
  func merging(logarithm: Int) throws {
    let ranges = [0..<0, 0..<3, 2..<600, 500..<3000, 0..<20_000]
    for left in ranges {
      for right in ranges {
        let union = try Self.bitmap(Array(left) + Array(right), logarithm: logarithm)
        var merged = try Self.bitmap(left, logarithm: logarithm)
        try merged.merge(Self.bitmap(right, logarithm: logarithm))
        #expect(merged == union, "\(left) \(right)")
        #expect(merged.ones == (0..<merged.chunkCount).map(merged.chunk).reduce(0) { $0 + $1.setPlaces.count })
        try merged.merge(union)
        #expect(merged == union, "\(left) \(right)")
      }
    }
  }

  @Test("bitmaps of two sizes are not merged, and the message says what to do")
  func sizesDiffer() throws {
    var bitmap = try Self.bitmap(0..<10, logarithm: 12)
    let before = bitmap
    do {
      try bitmap.merge(Self.bitmap(0..<20, logarithm: 13))
      Issue.record("merged")
    } catch {
      #expect("\(error)" == "a bitmap of 2^13 bits cannot be merged into one of 2^12; count with one size on all nodes")
    }
    #expect(bitmap == before)
  }

  @Test("three nodes with overlap count each user once", arguments: 1...3 as ClosedRange<UInt64>)
  func nodes(seed: UInt64) throws {
    let users = 200_000
    var merged = try Self.bitmap(0..<users / 2, logarithm: 20, seed: seed)
    for range in [users / 4..<users * 3 / 4, users / 2..<users] {
      try merged.merge(Self.bitmap(range, logarithm: 20, seed: seed))
    }
    let whole = try Self.bitmap(0..<users, logarithm: 20, seed: seed)
    #expect(merged == whole)
    #expect(merged.estimate.lower <= users && users <= merged.estimate.upper, "seed \(seed): \(merged.estimate)")
  }
}
