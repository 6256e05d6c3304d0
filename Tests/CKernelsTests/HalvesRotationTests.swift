import CKernels
import EngineFixtures
import Testing

struct HalvesRotationTests {
  @Test("rotation by halves is that of pairs in another order", arguments: KernelSet.available)
  func halves(set: KernelSet) throws {
    var random = SplitMix64(seed: 23)
    for pairs in 0...40 {
      let (heads, stride) = (3, 2 * pairs + 3)
      let angles = random.floats(max(pairs, 1), scale: 3)
      let (cosine, sine) = (angles.map { 1 - $0 * $0 / 9 }, angles.map { $0 / 3 })
      let x = random.floats(heads * stride)
      var (halves, paired) = (x, x)
      for head in 0..<heads {
        for pair in 0..<pairs {
          paired[head * stride + 2 * pair] = x[head * stride + pair]
          paired[head * stride + 2 * pair + 1] = x[head * stride + pairs + pair]
        }
      }
      try set.kernels().rope_halves(&halves, heads, stride, cosine, sine, pairs)
      ck_rope_ref(&paired, heads, stride, cosine, sine, pairs)
      for head in 0..<heads {
        for pair in 0..<pairs {
          try #require(isClose(halves[head * stride + pair], paired[head * stride + 2 * pair], magnitude: 2))
          try #require(isClose(halves[head * stride + pairs + pair], paired[head * stride + 2 * pair + 1], magnitude: 2))
        }
        for rest in 2 * pairs..<stride { try #require(halves[head * stride + rest] == x[head * stride + rest]) }
      }
    }
  }
}
