import CKernels
import EngineFixtures
import Foundation
import Testing

struct AttentionTests {
  /// The definition, in f64, without blocks.
  static func exact(_ q: [Float], _ keys: [[Float]], _ values: [[Float]], scale: Float) -> [Double] {
    let scores = keys.map { key in zip(q, key).reduce(0) { $0 + Double($1.0) * Double($1.1) } * Double(scale) }
    let high = scores.max() ?? 0
    let weights = scores.map { exp($0 - high) }
    let sum = weights.reduce(0, +)
    return q.indices.map { d in
      zip(weights, values).reduce(0) { $0 + $1.0 * Double($1.1[d]) } / sum
    }
  }

  static func check(
    _ set: KernelSet, blockPositions: Int, first: Int = 0, positions: Int, headDimension: Int, group: Int,
    _ random: inout SplitMix64
  ) throws {
    let (keyOffset, valueOffset) = (5, 5 + blockPositions * headDimension + 2)
    let blockCount = (positions + blockPositions - 1) / blockPositions
    let blocks = (0..<blockCount).map { _ in random.floats(valueOffset + blockPositions * headDimension, scale: 2) }
    let q = random.floats(group * headDimension, scale: 2)
    let rows = { (offset: Int) in
      (first..<positions).map { t in
        let start = offset + t % blockPositions * headDimension
        return Array(blocks[t / blockPositions][start..<start + headDimension])
      }
    }
    let (keys, values) = (rows(keyOffset), rows(valueOffset))
    let storage = blocks.map { block in
      let memory = UnsafeMutablePointer<Float>.allocate(capacity: block.count)
      memory.initialize(from: block, count: block.count)
      return memory
    }
    defer { storage.forEach { $0.deallocate() } }
    let table: [UnsafePointer<Float>?] = storage.map { UnsafePointer($0) }
    var got = [Float](repeating: canary, count: group * headDimension + 1)
    var twin = got
    try set.kernels().attention(
      &got, q, group, table, keyOffset, valueOffset, blockPositions, first, positions, headDimension, 0.3)
    ck_attention_ref(&twin, q, group, table, keyOffset, valueOffset, blockPositions, first, positions, headDimension, 0.3)
    #expect(got.last == canary && twin.last == canary)
    for g in 0..<group {
      let exact = Self.exact(Array(q[g * headDimension..<(g + 1) * headDimension]), keys, values, scale: 0.3)
      for d in 0..<headDimension {
        let index = g * headDimension + d
        let close =
          isClose(got[index], Float(exact[d]), magnitude: 2, 1e-5) && isClose(twin[index], Float(exact[d]), magnitude: 2, 1e-5)
        try #require(close, "\(set.name) block \(blockPositions) positions \(positions) dimension \(headDimension)")
      }
    }
  }

  @Test("every head dimension from 0 to 130", arguments: KernelSet.available)
  func dimensions(set: KernelSet) throws {
    var random = SplitMix64(seed: 31)
    for dimension in 0...130 {
      try Self.check(
        set, blockPositions: 7, positions: 1 + dimension % 23, headDimension: dimension, group: 1 + dimension % 3, &random)
    }
  }

  @Test("every number of positions from 1 to 130", arguments: KernelSet.available, [1, 7, 32, 64])
  func positions(set: KernelSet, blockPositions: Int) throws {
    var random = SplitMix64(seed: 32)
    for positions in 1...130 {
      try Self.check(
        set, blockPositions: blockPositions, positions: positions, headDimension: 16, group: 2, &random)
    }
  }

  @Test("every beginning of a window", arguments: KernelSet.available, [1, 7, 32])
  func windows(set: KernelSet, blockPositions: Int) throws {
    var random = SplitMix64(seed: 33)
    for first in 0..<70 {
      try Self.check(
        set, blockPositions: blockPositions, first: first, positions: 70 + first % 3, headDimension: 20, group: 2, &random)
    }
  }
}
