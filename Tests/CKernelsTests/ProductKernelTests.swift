import CKernels
import EngineFixtures
import Testing

/// Rounding of activations and products with packed weights, against their definitions.
struct ProductKernelTests {
  /// Memory at a multiple of 64 bytes, followed by bytes that nothing may write to.
  final class Guarded {
    let base: UnsafeMutableRawPointer
    let count: Int

    init(count: Int) {
      self.count = count
      self.base = .allocate(byteCount: count + 64, alignment: 64)
      self.base.initializeMemory(as: UInt8.self, repeating: 0xA5, count: count + 64)
    }
    deinit { self.base.deallocate() }

    var isIntact: Bool { (0..<64).allSatisfy { self.base.load(fromByteOffset: self.count + $0, as: UInt8.self) == 0xA5 } }
  }

  static func pack(_ kind: WeightTypeTests.Kind, _ bytes: [UInt8], rows: Int, cols: Int) throws -> Guarded {
    let panels = Guarded(count: (rows + 15) / 16 * ck_panel_bytes(kind.type, cols))
    // At an odd address, as in a file.
    ([0] + bytes).withUnsafeBytes { ck_pack(panels.base, kind.type, $0.baseAddress.map { $0 + 1 }, rows, cols) }
    try #require(panels.isIntact)
    return panels
  }

  /// The definition: integers of -127...127, each 32 numbers in steps of a 127th of the largest.
  static func rounded(_ x: [Float]) -> [Float] {
    var result: [Float] = []
    for start in stride(from: 0, to: x.count, by: 32) {
      let block = x[start..<start + 32]
      let largest = block.map(abs).max() ?? 0
      result += block.map { largest == 0 ? 0 : ($0 * (127 / largest)).rounded(.toNearestOrEven) * (largest / 127) }
    }
    return result
  }

  /// What a product takes for activations: rows as they are or, from some number on, arranged; or rounded.
  static func prepare(
    _ kind: WeightTypeTests.Kind, _ kernels: ck_kernels, _ x: [Float], cols: Int, batch: Int
  ) throws -> (memory: Guarded, stride: Int) {
    let group = Int(CK_ARRANGED_ROWS)
    if kind.block == 1, batch >= group {
      let memory = Guarded(count: (batch + group - 1) / group * group * 4 * cols)
      for row in Swift.stride(from: 0, to: batch, by: group) {
        let target = (memory.base + row * 4 * cols).assumingMemoryBound(to: Float.self)
        x.withUnsafeBufferPointer { x in
          ck_arrange(target, x.baseAddress.map { $0 + row * cols }, cols, min(group, batch - row), cols)
        }
      }
      try #require(memory.isIntact)
      return (memory, group * 4 * cols)
    }
    let stride = kind.block == 1 ? 4 * (cols + 3) : ck_activation_bytes(cols)
    let memory = Guarded(count: batch * stride)
    for row in 0..<batch {
      x.withUnsafeBufferPointer { x in
        guard let source = x.baseAddress.map({ $0 + row * cols }) else { return }
        let target = memory.base + row * stride
        if kind.block == 1 {
          target.copyMemory(from: source, byteCount: 4 * cols)
        } else {
          kernels.products.pointee.round(target, source, cols)
        }
      }
    }
    try #require(memory.isIntact)
    return (memory, stride)
  }

  /// (batch, rows), by one call for all rows of activations.
  static func product(
    _ kind: WeightTypeTests.Kind, _ set: KernelSet, _ panels: Guarded, rows: Int, cols: Int, _ x: [Float], batch: Int
  ) throws -> [[Float]] {
    let kernels = try set.kernels()
    let prepared = try Self.prepare(kind, kernels, x, cols: cols, batch: batch)
    let outStride = rows + 5
    var out = [Float](repeating: canary, count: batch * outStride + rows)
    kind.product(kernels.products.pointee)(
      &out, outStride, panels.base, rows, cols, prepared.memory.base, prepared.stride, batch)
    for index in out.indices where index / outStride >= batch || index % outStride >= rows {
      try #require(out[index] == canary, "\(set.name) wrote at \(index)")
    }
    return (0..<batch).map { Array(out[$0 * outStride..<$0 * outStride + rows]) }
  }

  @Test("every length, the same bits with every instruction set, alone and in any company", arguments: WeightTypeTests.kinds)
  func products(kind: WeightTypeTests.Kind) throws {
    var random = SplitMix64(seed: 17)
    for (blocks, rows, batch) in [(0, 3, 2), (1, 1, 1), (2, 16, 3), (3, 17, 9), (5, 40, 11), (9, 33, 41), (11, 7, 5)] {
      let cols = blocks * max(kind.block, 37)
      guard cols.isMultiple(of: kind.block) else { continue }
      let (bytes, values) = try WeightTypeTests.weights(kind, rows: rows, cols: cols, &random)
      let x = random.floats(batch * cols)
      let panels = try Self.pack(kind, bytes, rows: rows, cols: cols)
      let got = try Self.product(kind, KernelSet.available[0], panels, rows: rows, cols: cols, x, batch: batch)
      for set in KernelSet.available {
        let together = try Self.product(kind, set, panels, rows: rows, cols: cols, x, batch: batch)
        #expect(together == got, "\(set.name): \(rows) x \(cols), batch \(batch)")
        for b in 0..<batch {
          let own = Array(x[b * cols..<(b + 1) * cols])
          let alone = try Self.product(kind, set, panels, rows: rows, cols: cols, own, batch: 1)
          #expect(alone[0] == got[b], "\(set.name): \(rows) x \(cols), row \(b) of \(batch)")
        }
      }
      let activations = kind.block == 1 ? x : Self.rounded(x)
      for b in 0..<batch {
        for r in 0..<rows {
          let products = (0..<cols).map { Double(values[r * cols + $0]) * Double(activations[b * cols + $0]) }
          let magnitude = Float(products.reduce(0) { $0 + abs($1) })
          try #require(isClose(got[b][r], Float(products.reduce(0, +)), magnitude: magnitude, 4e-6), "\(rows) x \(cols)")
        }
      }
    }
  }

  /// Where the scales of a block lie, each two bytes.
  private static let scales = [
    "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "IQ4_NL": [0], "Q2_K": [80, 82], "Q3_K": [108],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
  ]

  // Rows of 1,280 go over the pieces in which they are unpacked.
  @Test(
    "the largest weights by the largest activations: no sum is too large for where it waits",
    arguments: WeightTypeTests.kinds.filter { $0.block > 1 }, [0xff, 0x80, 0x7f, 0x00] as [UInt8])
  func bounds(kind: WeightTypeTests.Kind, byte: UInt8) throws {
    let (rows, cols) = (17, 1280)
    let scales = try #require(Self.scales[kind.name])
    let stored = try StoredBlocks.load()
    let size = stored.bytes(kind.name).count / (stored.values(kind.name).count / kind.block)
    var block = [UInt8](repeating: byte, count: size)
    for place in scales { block.replaceSubrange(place..<place + 2, with: [0x00, 0x3c]) }
    let bytes = (0..<rows * cols / kind.block).flatMap { _ in block }
    let panels = try Self.pack(kind, bytes, rows: rows, cols: cols)
    for batch in [1, 4, 13, 41] {
      for signs in [[1, 1], [-1, -1], [1, -1]] as [[Float]] {
        let x = (0..<batch * cols).map { signs[$0 % 2] }
        let wanted = try Self.product(kind, KernelSet.available[0], panels, rows: rows, cols: cols, x, batch: batch)
        for set in KernelSet.available {
          let got = try Self.product(kind, set, panels, rows: rows, cols: cols, x, batch: batch)
          #expect(got == wanted, "\(set.name): batch \(batch), activations \(signs)")
        }
      }
    }
  }

  @Test("activations: integers, scales and sums", arguments: KernelSet.available)
  func rounding(set: KernelSet) throws {
    let kernels = try set.kernels()
    var random = SplitMix64(seed: 18)
    var x = random.floats(96, scale: 3)
    x.replaceSubrange(32..<64, with: [Float](repeating: 0, count: 32))
    x[70] = -7.5
    // Q8_0 weights that are 1 in one column and 0 in all others show each rounded activation.
    for column in x.indices {
      var row = [Float](repeating: 0, count: 96)
      row[column] = 1
      let (bytes, values) = WeightFormat.q8_0.encode(row)
      let kind = try #require(WeightTypeTests.kinds.first { $0.name == "Q8_0" })
      let panels = try Self.pack(kind, bytes, rows: 1, cols: 96)
      let prepared = try Self.prepare(kind, kernels, x, cols: 96, batch: 1)
      var out: Float = 0
      kernels.products.pointee.q8_0(&out, 1, panels.base, 1, 96, prepared.memory.base, prepared.stride, 1)
      try #require(abs(out - Self.rounded(x)[column] * values[column]) <= 1e-6, "column \(column)")
    }
  }

  @Test("what is no number shows in the result; tiny numbers are zeros", arguments: KernelSet.available, WeightTypeTests.kinds)
  func extremes(set: KernelSet, kind: WeightTypeTests.Kind) throws {
    var random = SplitMix64(seed: 19)
    let cols = 256
    let (bytes, _) = try WeightTypeTests.weights(kind, rows: 16, cols: cols, &random)
    let panels = try Self.pack(kind, bytes, rows: 16, cols: cols)
    for bad in [Float.nan, -.nan, .infinity, -.infinity] {
      var x = random.floats(cols)
      x[200] = bad
      let got = try Self.product(kind, set, panels, rows: 16, cols: cols, x, batch: 1)
      #expect(got[0].allSatisfy { !$0.isFinite }, "\(bad)")
    }
    guard kind.block > 1 else { return }
    let tiny = try Self.product(
      kind, set, panels, rows: 16, cols: cols, [Float](repeating: 1e-38, count: cols), batch: 1)
    #expect(tiny[0].allSatisfy { $0 == 0 })
  }
}
