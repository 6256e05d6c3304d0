import CKernels
import EngineFixtures
import Testing

struct DequantizeTests {
  typealias Kernel = @convention(c) (UnsafeMutablePointer<Float>?, UnsafeRawPointer?, Int) -> Void

  static func pick(_ format: WeightFormat) -> Kernel {
    switch format {
    case .f32: ck_dequantize_f32_ref
    case .f16: ck_dequantize_f16_ref
    case .q8_0: ck_dequantize_q8_0_ref
    case .q4_0: ck_dequantize_q4_0_ref
    case .q6_K: ck_dequantize_q6_k_ref
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

  @Test("exact for every size", arguments: WeightFormat.allCases)
  func sizes(format: WeightFormat) throws {
    let kernel = Self.pick(format)
    var random = SplitMix64(seed: 13)
    for count in stride(from: 0, through: max(130, 10 * format.block), by: format.block) {
      let weights = format.encode(random.floats(count))
      #expect(Self.run(kernel, weights.bytes, count: count) == weights.values + [canary])
    }
  }

  @Test("every half-precision number")
  func halves() throws {
    let bytes = (0...UInt16.max).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    let got = Self.run(ck_dequantize_f16_ref, bytes, count: 65_536)
    for bits in 0...UInt16.max {
      let wanted = Float(Float16(bitPattern: bits))
      let value = got[Int(bits)]
      #expect(value == wanted && value.sign == wanted.sign || value.isNaN && wanted.isNaN, "\(bits)")
    }
  }
}
