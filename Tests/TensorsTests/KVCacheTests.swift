import Tensors
import Testing

struct KVCacheTests {
  let shape = KVShape(layers: 2, heads: 3, headDimension: 4)

  @Test("blocks for a number of positions", arguments: [(0, 0), (1, 1), (32, 1), (33, 2), (64, 2), (65, 3)])
  func blocks(positions: Int, wanted: Int) { #expect(self.shape.blocks(positions: positions) == wanted) }

  @Test("blocks are bounded, returned and used again")
  func pool() throws {
    let pool = KVBlockPool(shape: self.shape, capacity: 3)
    #expect(self.shape.blockBytes == 2 * 2 * 3 * 32 * 4 * 4)
    var first: KVCache? = KVCache(pool: pool)
    let second = KVCache(pool: pool)
    try first?.reserve(positions: 64)
    try second.reserve(positions: 1)
    #expect(pool.used == 3)
    #expect(throws: TensorError.self) { try second.reserve(positions: 33) }
    #expect(pool.used == 3)
    first = nil
    #expect(pool.used == 1)
    try second.reserve(positions: 96)
    #expect(pool.used == 3)
    #expect(pool.residentBytes == 3 * self.shape.blockBytes)
  }

  @Test("a long sequence keeps its blocks in order")
  func long() throws {
    let pool = KVBlockPool(shape: self.shape, capacity: 100)
    let cache = KVCache(pool: pool)
    for positions in 1...(32 * 40) { try cache.reserve(positions: positions) }
    #expect(pool.used == 40)
    cache.commit(count: 1280)
    #expect(cache.count == 1280)
  }

  @Test("bytes of a block by type", arguments: [(KVType.f32, 4 * 128), (.f16, 2 * 128), (.q8_0, 64 + 128)])
  func types(type: KVType, headBytes: Int) {
    let shape = KVShape(layers: 2, heads: 3, headDimension: 4, type: type)
    #expect(shape.blockBytes == 2 * 2 * 3 * headBytes)
  }

  @Test("a full pool asks for blocks back before it refuses")
  func reclaim() throws {
    let pool = KVBlockPool(shape: self.shape, capacity: 2)
    var kept: KVCache? = KVCache(pool: pool)
    try kept?.reserve(positions: 64)
    let next = KVCache(pool: pool)
    pool.reclaim = {
      guard kept != nil else { return false }
      kept = nil
      return true
    }
    try next.reserve(positions: 64)
    #expect(pool.used == 2 && pool.available == 0)
    #expect(throws: TensorError.self) { try next.reserve(positions: 65) }
  }
}
