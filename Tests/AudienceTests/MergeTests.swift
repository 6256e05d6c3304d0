import Audience
import Testing

@Suite("Merging sketches")
struct MergeTests {
  /// Sets around the switch, with overlap; their unions cross it too.
  static let ranges = [0..<0, 0..<1, 0..<200, 100..<300, 0..<256, 0..<257, 200..<1000, 0..<3000, 2500..<9000]

  private static func made(_ range: Range<Int>) -> UserSketch { sketch(range, exactUpTo: 256) }

  @Test("is the sketch of the union, in any order, however often")
  func laws() {
    for left in Self.ranges {
      for right in Self.ranges {
        let union = sketch(Array(left) + Array(right), exactUpTo: 256)
        var merged = Self.made(left)
        merged.merge(Self.made(right))
        #expect(merged == union && merged.bytes == union.bytes && merged.estimate == union.estimate, "\(left) \(right)")
        var mirrored = Self.made(right)
        mirrored.merge(Self.made(left))
        #expect(mirrored == merged, "\(left) \(right)")
        let once = merged
        merged.merge(once)
        merged.merge(Self.made(left))
        #expect(merged == once, "\(left) \(right)")
      }
    }
  }

  @Test("is associative, also between different limits")
  func associativity() {
    for first in Self.ranges {
      for second in Self.ranges.suffix(5) {
        for (third, limit) in zip(Self.ranges.suffix(4), [256, 300, 2000, 4096]) {
          let parts = [Self.made(first), sketch(second, exactUpTo: 1000), sketch(third, exactUpTo: limit)]
          var left = parts[0]
          left.merge(parts[1])
          left.merge(parts[2])
          var right = parts[1]
          right.merge(parts[2])
          var all = parts[0]
          all.merge(right)
          #expect(left == all && left == UserSketch.union(of: parts), "\(first) \(second) \(third)")
        }
      }
    }
  }

  @Test("of two limits the lower one holds")
  func lowerLimit() {
    var users = sketch(0..<300, exactUpTo: 1000)
    users.merge(sketch(0..<1, exactUpTo: 300))
    #expect(users.exactLimit == 300 && users.isExact)
    users.merge(sketch(0..<1, exactUpTo: 299))
    #expect(users.exactLimit == 299 && !users.isExact)
  }

  @Test("goes on counting after a merge as if it had counted all itself")
  func afterwards() {
    var merged = sketch(0..<6000)
    merged.merge(sketch(4000..<12_000))
    for number in 12_000..<15_000 { merged.insert(user(number)) }
    let whole = sketch(0..<15_000)
    #expect(merged == whole && merged.estimate == whole.estimate && merged.chanceNewUserShows == whole.chanceNewUserShows)
  }

  @Test("three nodes with overlap count each user once", arguments: 1...4 as ClosedRange<UInt64>)
  func nodes(seed: UInt64) throws {
    let ranges = [0..<20_000, 10_000..<30_000, 25_000..<40_000]
    let nodes = ranges.map { sketch($0, seed: seed) }
    let union = try #require(UserSketch.union(of: nodes))
    #expect(union == sketch(0..<40_000, seed: seed))
    #expect(union.estimate.lower <= 40_000 && 40_000 <= union.estimate.upper, "seed \(seed): \(union.estimate)")
    #expect(nodes.reduce(0) { $0 + $1.estimate.lower } > 50_000, "the nodes themselves saw more")
    #expect(UserSketch.union(of: [UserSketch]()) == nil)
  }
}
