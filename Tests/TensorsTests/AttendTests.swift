import EngineFixtures
import Tensors
import Testing

/// Attention as a whole: stored rows, tiles, splitting over threads.
struct AttendTests {
  struct Sequence {
    var cache: KVCache
    var keysAndValues: [[Float]]
  }

  static let group = 3

  /// Fills a cache position by position.
  static func sequence(
    _ backend: CPUBackend, _ shape: KVShape, positions: Int, _ random: inout SplitMix64
  ) throws -> Sequence {
    let cache = KVCache(pool: KVBlockPool(shape: shape, capacity: shape.blocks(positions: positions)))
    try cache.reserve(positions: positions)
    let width = 2 * shape.heads * shape.headDimension
    let rows = (0..<positions).map { _ in (0..<width).map { _ in random.unit() * 2 } }
    let plan = AttentionPlan()
    for position in rows.indices { plan.append(cache, positions: position + 1) }
    for layer in 0..<shape.layers {
      let input = FloatBuffer(rows.flatMap { $0.map { $0 * Float(layer + 1) } })
      backend.store(
        Activations(input, stride: width), plan: plan, layer: layer, keys: 0, values: shape.heads * shape.headDimension)
    }
    cache.commit(count: positions)
    return Sequence(cache: cache, keysAndValues: rows)
  }

  /// The output rows of queries at these positions, all in one plan.
  static func attend(
    _ backend: CPUBackend, _ rows: [(cache: KVCache, positions: Int)], queries: [[Float]], window: Int = .max, layer: Int = 1
  ) -> [[UInt32]] {
    let plan = AttentionPlan()
    for row in rows { plan.append(row.cache, positions: row.positions, window: window) }
    let width = queries[0].count
    let output = FloatBuffer(count: rows.count * width)
    backend.attend(
      Activations(FloatBuffer(queries.flatMap { $0 }), stride: width), plan: plan, layer: layer, group: Self.group, scale: 0.25,
      into: Activations(output, stride: width))
    return rows.indices.map { row in output.array(row * width..<(row + 1) * width).map(\.bitPattern) }
  }

  @Test("one row and many, one thread and several: the same bits", arguments: KVType.allCases)
  func company(type: KVType) throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    var random = SplitMix64(seed: seed)
    let shape = KVShape(layers: 2, heads: 2, headDimension: 24, type: type)
    let backends = try [1, 2, 3].map { try CPUBackend(threads: $0) }
    let sequences = try [700, 40, 300].map { try Self.sequence(backends[1], shape, positions: $0, &random) }
    var rows: [(cache: KVCache, positions: Int)] = []
    for (index, sequence) in sequences.enumerated() {
      let count = sequence.cache.count
      for positions in [count - 37 * (2 - index) / 2, count - 2, count - 1, count] { rows.append((sequence.cache, positions)) }
    }
    for positions in 640...700 { rows.append((sequences[0].cache, positions)) }
    let queries = rows.map { _ in (0..<2 * Self.group * 24).map { _ in random.unit() } }
    for window in [Int.max, 50, 300] {
      let together = Self.attend(backends[0], rows, queries: queries, window: window)
      for backend in backends.dropFirst() {
        #expect(Self.attend(backend, rows, queries: queries, window: window) == together, "seed \(seed) window \(window)")
      }
      for index in rows.indices {
        for backend in backends {
          let alone = Self.attend(backend, [rows[index]], queries: [queries[index]], window: window)
          try #require(alone[0] == together[index], "seed \(seed) window \(window) row \(index)")
        }
      }
    }
  }

  @Test("a cache goes on with another's blocks and with a copy of a part, and gives the same")
  func sharing() throws {
    var random = SplitMix64(seed: 5)
    let backend = try CPUBackend(threads: 1)
    let shape = KVShape(layers: 2, heads: 1, headDimension: 8, type: .f16)
    let pool = KVBlockPool(shape: shape, capacity: 6)
    let first = KVCache(pool: pool)
    try first.reserve(positions: 80)
    let plan = AttentionPlan()
    for position in 0..<80 { plan.append(first, positions: position + 1) }
    for layer in 0..<2 {
      let input = FloatBuffer((0..<80 * 16).map { _ in random.unit() })
      backend.store(Activations(input, stride: 16), plan: plan, layer: layer, keys: 0, values: 8)
    }
    first.commit(count: 80)
    var second: KVCache? = KVCache(pool: pool)
    let other = try #require(second)
    other.adopt(first.block(0))
    other.adopt(first.block(1))
    try other.copy(first.block(2), positions: 10)
    #expect(other.count == 74 && pool.used == 4)
    let query = [(0..<8 * Self.group).map { _ in random.unit() }]
    let wanted = Self.attend(backend, [(first, 74)], queries: query)
    #expect(Self.attend(backend, [(other, 74)], queries: query) == wanted)
    // What the second writes, the first does not see.
    let before = Self.attend(backend, [(first, 80)], queries: query)
    try other.reserve(positions: 75)
    let tail = AttentionPlan()
    tail.append(other, positions: 75)
    backend.store(
      Activations(FloatBuffer([Float](repeating: 9, count: 16)), stride: 16), plan: tail, layer: 1, keys: 0, values: 8)
    #expect(Self.attend(backend, [(first, 80)], queries: query) == before)
    tail.removeAll()
    second = nil
    plan.removeAll()
    #expect(pool.used == 4)
  }
}
