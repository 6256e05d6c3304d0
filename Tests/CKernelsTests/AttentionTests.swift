import CKernels
import EngineFixtures
import Foundation
import Testing

/// The types of keys and values, with what storing one number may add to its error, as a share of the largest number.
struct StoredKind: CustomTestStringConvertible, Sendable {
  let name: String
  let type: ck_kv_type
  let error: Float

  static let all = [
    StoredKind(name: "f32", type: CK_KV_F32, error: 0), StoredKind(name: "f16", type: CK_KV_F16, error: 5e-4),
    StoredKind(name: "q8_0", type: CK_KV_Q8_0, error: 4.1e-3),
  ]
  var testDescription: String { self.name }

  func segment(
    _ kernels: ck_attention_kernels
  )
    -> @convention(c) (
      UnsafeMutablePointer<Float>?, UnsafePointer<ck_attention_view>?, UnsafePointer<ck_attention_query>?, Int, Int
    ) -> Void
  {
    switch self.name {
    case "f32": kernels.segment_f32
    case "f16": kernels.segment_f16
    default: kernels.segment_q8_0
    }
  }

  func store(
    _ kernels: ck_attention_kernels
  )
    -> @convention(c) (
      UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, Int, UnsafePointer<Float>?, UnsafePointer<Float>?, Int
    ) -> Void
  {
    switch self.name {
    case "f32": kernels.store_f32
    case "f16": kernels.store_f16
    default: kernels.store_q8_0
    }
  }
}

/// One head's keys and values of a sequence in blocks, written by the kernels.
final class StoredSequence {
  let kernels: ck_attention_kernels
  let kind: StoredKind
  let dimension: Int
  let keys: [[Float]]
  let values: [[Float]]
  private let headBytes: Int
  private var storage: [UnsafeMutablePointer<UInt8>] = []
  private let gap = 3 * 4

  init(_ set: KernelSet, _ kind: StoredKind, dimension: Int, positions: Int, _ random: inout SplitMix64) throws {
    self.kernels = try set.attention()
    self.kind = kind
    self.dimension = dimension
    self.keys = (0..<positions).map { _ in random.floats(dimension, scale: 2) }
    self.values = (0..<positions).map { _ in random.floats(dimension, scale: 2) }
    self.headBytes = ck_kv_head_bytes(kind.type, dimension)
    for start in stride(from: 0, to: positions, by: Int(CK_KV_BLOCK)) {
      let block = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * self.headBytes + self.gap)
      // What was there before is no number in any type.
      block.initialize(repeating: 0xFF, count: 2 * self.headBytes + self.gap)
      self.storage.append(block)
      for position in start..<min(start + Int(CK_KV_BLOCK), positions) {
        kind.store(self.kernels)(
          block, block + self.headBytes + self.gap, position - start, self.keys[position], self.values[position], dimension)
      }
    }
  }

  deinit { self.storage.forEach { $0.deallocate() } }

  struct Look {
    var q: [Float]
    var first: Int
    var positions: Int
  }

  /// (queries, dimension), the queries of one call.
  func attend(_ looks: [Look]) -> [[Float]] {
    let count = looks.count
    let stride = self.dimension + 2
    let flat = looks.flatMap(\.q)
    var total = [Float](repeating: 0, count: count * stride)
    for index in 0..<count { total[index * stride + self.dimension] = -.infinity }
    let blocks: [UnsafePointer<UInt8>?] = self.storage.map { UnsafePointer($0) }
    let last = looks.reduce(0) { max($0, $1.positions) }
    flat.withUnsafeBufferPointer { flat in
      blocks.withUnsafeBufferPointer { blocks in
        var view = ck_attention_view(
          blocks: blocks.baseAddress, key_offset: 0, value_offset: self.headBytes + self.gap, head_dim: self.dimension, scale: 0.3
        )
        let queries = looks.indices.map { index in
          ck_attention_query(
            q: flat.baseAddress.map { $0 + index * self.dimension }, first: looks[index].first, positions: looks[index].positions)
        }
        for segment in 0...(last - 1) / Int(CK_KV_SEGMENT) {
          var part = [Float](repeating: canary, count: count * stride + 1)
          self.kind.segment(self.kernels)(&part, &view, queries, count, segment)
          #expect(part.last == canary)
          self.kernels.merge(&total, part, count, self.dimension)
        }
      }
    }
    return (0..<count).map { index in
      var out = [Float](repeating: canary, count: self.dimension + 1)
      self.kernels.finish(&out, Array(total[index * stride..<(index + 1) * stride]), self.dimension)
      #expect(out.last == canary)
      return Array(out.dropLast())
    }
  }

  /// The definition, in f64, over the numbers before they were stored.
  func exact(_ look: Look) -> [Double] {
    let seen = look.first..<look.positions
    let scores = seen.map { t in zip(look.q, self.keys[t]).reduce(0) { $0 + Double($1.0) * Double($1.1) } * 0.3 }
    let high = scores.max() ?? 0
    let weights = scores.map { exp($0 - high) }
    let sum = weights.reduce(0, +)
    return (0..<self.dimension).map { d in
      zip(weights, seen).reduce(0) { $0 + $1.0 * Double(self.values[$1.1][d]) } / sum
    }
  }

  func check(_ looks: [Look], _ note: String) throws {
    for (got, look) in zip(self.attend(looks), looks) {
      let wanted = self.exact(look)
      // A changed score changes its weight by as much; the sum of |q| bounds how far a score moves.
      let moves = look.q.reduce(0) { $0 + abs($1) } * 0.3 * 2 * self.kind.error
      for d in 0..<self.dimension {
        let close = isClose(got[d], Float(wanted[d]), magnitude: 2, 1e-5 + self.kind.error + 2 * moves)
        try #require(close, "\(self.kind.name) \(note) dimension \(d) of \(self.dimension): \(got[d]), not \(wanted[d])")
      }
    }
  }
}

extension SplitMix64 {
  /// A number in 0..<bound.
  mutating func below(_ bound: Int) -> Int { Int(self.next() % UInt64(bound)) }
}

extension KernelSet {
  func attention() throws -> ck_attention_kernels {
    struct Missing: Error {}
    guard let table = ck_attention_for(Int32(self.isa.rawValue)) else { throw Missing() }
    return table.pointee
  }
}

struct AttentionTests {
  typealias Look = StoredSequence.Look

  @Test("head dimensions", arguments: KernelSet.available, StoredKind.all)
  func dimensions(set: KernelSet, kind: StoredKind) throws {
    var random = SplitMix64(seed: 31)
    for dimension in [1, 2, 7, 8, 15, 16, 31, 32, 33, 40, 48, 63, 64, 65, 80, 96, 100, 128, 130] {
      let positions = 1 + dimension * 5 % 70
      let sequence = try StoredSequence(set, kind, dimension: dimension, positions: positions, &random)
      let looks = (0..<1 + dimension % 3).map { _ in Look(q: random.floats(dimension), first: 0, positions: positions) }
      try sequence.check(looks, "\(set.name) positions \(positions)")
    }
  }

  @Test("every number of positions around blocks and segments", arguments: KernelSet.available, StoredKind.all)
  func positions(set: KernelSet, kind: StoredKind) throws {
    var random = SplitMix64(seed: 32)
    let sequence = try StoredSequence(set, kind, dimension: 20, positions: 600, &random)
    for positions in [1, 2, 31, 32, 33, 63, 64, 65, 100, 255, 256, 257, 258, 288, 511, 512, 513, 599, 600] {
      try sequence.check([Look(q: random.floats(20), first: 0, positions: positions)], "\(set.name) positions \(positions)")
    }
  }

  @Test("windows that begin and end anywhere", arguments: KernelSet.available, StoredKind.all)
  func windows(set: KernelSet, kind: StoredKind) throws {
    var random = SplitMix64(seed: 33)
    let sequence = try StoredSequence(set, kind, dimension: 16, positions: 560, &random)
    for _ in 0..<120 {
      let first = random.below(560)
      let look = Look(q: random.floats(16), first: first, positions: first + 1 + random.below(560 - first))
      try sequence.check([look], "\(set.name) \(look.first)..<\(look.positions)")
    }
  }

  @Test("a query's result is the same to the bit in any company", arguments: KernelSet.available, StoredKind.all)
  func company(set: KernelSet, kind: StoredKind) throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    var random = SplitMix64(seed: seed)
    for dimension in [12, 64, 80] {
      let sequence = try StoredSequence(set, kind, dimension: dimension, positions: 560, &random)
      for round in 0..<12 {
        var looks: [Look] = []
        for index in 0..<1 + random.below(37) {
          // As in a prompt: adjacent queries look a little further each, some through a window; or anything at all.
          let end: Int = round.isMultiple(of: 2) ? min(560, 200 + 3 * round + index) : 1 + random.below(560)
          let first: Int = round.isMultiple(of: 3) ? max(0, end - 90) : 0
          looks.append(Look(q: random.floats(dimension), first: first, positions: end))
        }
        let together = sequence.attend(looks)
        for (index, look) in looks.enumerated() {
          let alone: [UInt32] = sequence.attend([look])[0].map(\.bitPattern)
          try #require(
            alone == together[index].map(\.bitPattern),
            "seed \(seed), \(set.name) \(kind.name), dimension \(dimension), round \(round), query \(index)")
        }
      }
    }
  }

  @Test("numbers beyond binary16 and numbers that are none are stored as such", arguments: KernelSet.available)
  func extremes(set: KernelSet) throws {
    let kernels = try set.attention()
    let n = 21
    var keys = [UInt8](repeating: 0, count: ck_kv_head_bytes(CK_KV_F16, n))
    var values = keys
    let large: [Float] = (0..<n).map { [1e6, -1e30, .infinity, .nan, 65504, 1e-9, -0.1][$0 % 7] }
    kernels.store_f16(&keys, &values, 5, large, large, n)
    let half = { (bytes: [UInt8], index: Int) in
      Float(Float16(bitPattern: UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8))
    }
    for d in 0..<n {
      for got in [half(keys, d * 32 + 5), half(values, 5 * n + d)] {
        switch d % 7 {
        case 0, 2, 4: #expect(got == 65504)
        case 1: #expect(got == -65504)
        case 3: #expect(got.isNaN)
        case 5: #expect(got == 0)
        default: #expect(got == Float(Float16(-0.1)))
        }
      }
    }
  }
}
