import CKernels
import EngineFixtures
import Testing

struct MatmulTests {
  typealias Kernel =
    @convention(c) (
      UnsafeMutablePointer<Float>?, Int, UnsafeRawPointer?, Int, Int, UnsafePointer<Float>?, Int, Int
    ) -> Void

  static func pick(_ format: WeightFormat, _ kernels: ck_kernels) -> (simd: Kernel, reference: Kernel) {
    switch format {
    case .f32: (kernels.matmul_f32, ck_matmul_f32_ref)
    case .f16: (kernels.matmul_f16, ck_matmul_f16_ref)
    case .q8_0: (kernels.matmul_q8_0, ck_matmul_q8_0_ref)
    case .q4_0: (kernels.matmul_q4_0, ck_matmul_q4_0_ref)
    case .q6_K: (kernels.matmul_q6_k, ck_matmul_q6_k_ref)
    }
  }

  /// Runs a kernel with weights at an odd address and every output row between canaries.
  static func run(
    _ kernel: Kernel, _ weights: [UInt8], rows: Int, cols: Int, _ x: [Float], xStride: Int, batch: Int, outStride: Int
  ) -> [Float] {
    let shifted = [0] + weights
    var out = [Float](repeating: canary, count: batch * outStride + rows)
    out.withUnsafeMutableBufferPointer { out in
      x.withUnsafeBufferPointer { x in
        shifted.withUnsafeBytes { bytes in
          kernel(
            out.baseAddress, outStride, bytes.baseAddress.map { $0 + 1 }, rows, cols, x.baseAddress, xStride, batch)
        }
      }
    }
    return out
  }

  @Test("every size from 0 to 130, odd strides", arguments: KernelSet.available, WeightFormat.allCases)
  func sizes(set: KernelSet, format: WeightFormat) throws {
    let (simd, reference) = Self.pick(format, try set.kernels())
    var random = SplitMix64(seed: 11)
    for cols in stride(from: 0, through: max(130, 10 * format.block), by: format.block) {
      let rows = cols % 3 + 1
      let weights = format.encode(random.floats(rows * cols))
      for batch in [0, 1, 3, 5] {
        let (xStride, outStride) = (cols + 3, rows + 5)
        let x = random.floats(batch * xStride)
        let got = Self.run(
          simd, weights.bytes, rows: rows, cols: cols, x, xStride: xStride, batch: batch, outStride: outStride)
        let wanted = Self.run(
          reference, weights.bytes, rows: rows, cols: cols, x, xStride: xStride, batch: batch, outStride: outStride)
        for index in got.indices {
          let (b, r) = index.quotientAndRemainder(dividingBy: outStride)
          guard b < batch, r < rows else {
            try #require(got[index] == canary && wanted[index] == canary, "cols \(cols) batch \(batch) wrote at \(index)")
            continue
          }
          let products = (0..<cols).map { Double(weights.values[r * cols + $0]) * Double(x[b * xStride + $0]) }
          let magnitude = Float(products.reduce(0) { $0 + abs($1) })
          let exact = Float(products.reduce(0, +))
          try #require(isClose(got[index], exact, magnitude: magnitude), "cols \(cols) batch \(batch) at \(index)")
          try #require(isClose(wanted[index], exact, magnitude: magnitude), "reference, cols \(cols)")
        }
      }
    }
  }

  @Test("a result does not change with its company", arguments: KernelSet.available, WeightFormat.allCases)
  func company(set: KernelSet, format: WeightFormat) throws {
    let (simd, _) = Self.pick(format, try set.kernels())
    var random = SplitMix64(seed: 12)
    for cols in [32, 64, 96, 128, 320, 512] where cols.isMultiple(of: format.block) {
      let (rows, batch) = (5, 11)
      let weights = format.encode(random.floats(rows * cols))
      let x = random.floats(batch * cols)
      let together = Self.run(simd, weights.bytes, rows: rows, cols: cols, x, xStride: cols, batch: batch, outStride: rows)
      for b in 0..<batch {
        let alone = Self.run(
          simd, weights.bytes, rows: rows, cols: cols, Array(x[b * cols..<(b + 1) * cols]), xStride: cols, batch: 1,
          outStride: rows)
        #expect(alone[..<rows] == together[b * rows..<(b + 1) * rows])
      }
    }
  }
}

struct DequantizeTests {
  typealias Kernel = @convention(c) (UnsafeMutablePointer<Float>?, UnsafeRawPointer?, Int) -> Void

  static func pick(_ format: WeightFormat, _ kernels: ck_kernels) -> Kernel {
    switch format {
    case .f32: kernels.dequantize_f32
    case .f16: kernels.dequantize_f16
    case .q8_0: kernels.dequantize_q8_0
    case .q4_0: kernels.dequantize_q4_0
    case .q6_K: kernels.dequantize_q6_k
    }
  }

  static func run(_ kernel: Kernel, _ bytes: [UInt8], count: Int) -> [Float] {
    let shifted = [0] + bytes
    var out = [Float](repeating: canary, count: count + 1)
    out.withUnsafeMutableBufferPointer { out in
      shifted.withUnsafeBytes { kernel(out.baseAddress, $0.baseAddress.map { $0 + 1 }, count) }
    }
    return out
  }

  @Test("exact for every size", arguments: KernelSet.available, WeightFormat.allCases)
  func sizes(set: KernelSet, format: WeightFormat) throws {
    let kernel = Self.pick(format, try set.kernels())
    var random = SplitMix64(seed: 13)
    for count in stride(from: 0, through: max(130, 10 * format.block), by: format.block) {
      let weights = format.encode(random.floats(count))
      #expect(Self.run(kernel, weights.bytes, count: count) == weights.values + [canary])
    }
  }

  @Test("every half-precision number", arguments: KernelSet.available)
  func halves(set: KernelSet) throws {
    let bytes = (0...UInt16.max).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    let got = Self.run(try set.kernels().dequantize_f16, bytes, count: 65_536)
    for bits in 0...UInt16.max {
      let wanted = Float(Float16(bitPattern: bits))
      let value = got[Int(bits)]
      #expect(value == wanted && value.sign == wanted.sign || value.isNaN && wanted.isNaN, "\(bits)")
    }
  }
}
