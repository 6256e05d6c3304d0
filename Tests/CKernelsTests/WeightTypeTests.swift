import CKernels
import EngineFixtures
import Testing

/// Every stored type: the values that the gguf package reads, and what the other tests make of them.
struct WeightTypeTests {
  typealias Product =
    @convention(c) (
      UnsafeMutablePointer<Float>?, Int, UnsafeRawPointer?, Int, Int, UnsafeRawPointer?, Int, Int
    ) -> Void

  struct Kind: CustomTestStringConvertible, Sendable {
    let name: String
    let block: Int
    let type: ck_type
    let dequantize: DequantizeTests.Kernel
    let product: @Sendable (ck_products) -> Product
    var testDescription: String { self.name }
  }

  static let kinds: [Kind] = [
    Kind(name: "F32", block: 1, type: CK_F32, dequantize: ck_dequantize_f32_ref, product: { $0.f32 }),
    Kind(name: "F16", block: 1, type: CK_F16, dequantize: ck_dequantize_f16_ref, product: { $0.f16 }),
    Kind(name: "BF16", block: 1, type: CK_BF16, dequantize: ck_dequantize_bf16_ref, product: { $0.bf16 }),
    Kind(name: "Q8_0", block: 32, type: CK_Q8_0, dequantize: ck_dequantize_q8_0_ref, product: { $0.q8_0 }),
    Kind(name: "Q4_0", block: 32, type: CK_Q4_0, dequantize: ck_dequantize_q4_0_ref, product: { $0.q4_0 }),
    Kind(name: "Q4_1", block: 32, type: CK_Q4_1, dequantize: ck_dequantize_q4_1_ref, product: { $0.q4_1 }),
    Kind(name: "Q5_0", block: 32, type: CK_Q5_0, dequantize: ck_dequantize_q5_0_ref, product: { $0.q5_0 }),
    Kind(name: "Q5_1", block: 32, type: CK_Q5_1, dequantize: ck_dequantize_q5_1_ref, product: { $0.q5_1 }),
    Kind(name: "IQ4_NL", block: 32, type: CK_IQ4_NL, dequantize: ck_dequantize_iq4_nl_ref, product: { $0.iq4_nl }),
    Kind(name: "Q2_K", block: 256, type: CK_Q2_K, dequantize: ck_dequantize_q2_k_ref, product: { $0.q2_k }),
    Kind(name: "Q3_K", block: 256, type: CK_Q3_K, dequantize: ck_dequantize_q3_k_ref, product: { $0.q3_k }),
    Kind(name: "Q4_K", block: 256, type: CK_Q4_K, dequantize: ck_dequantize_q4_k_ref, product: { $0.q4_k }),
    Kind(name: "Q5_K", block: 256, type: CK_Q5_K, dequantize: ck_dequantize_q5_k_ref, product: { $0.q5_k }),
    Kind(name: "Q6_K", block: 256, type: CK_Q6_K, dequantize: ck_dequantize_q6_k_ref, product: { $0.q6_k }),
  ]

  @Test("no type is left out")
  func complete() throws {
    #expect(try StoredBlocks.load().names == Self.kinds.map(\.name).sorted())
  }

  @Test("dequantised to the bit as the gguf package does", arguments: Self.kinds)
  func dequantised(kind: Kind) throws {
    let blocks = try StoredBlocks.load()
    let wanted = blocks.values(kind.name)
    let got = DequantizeTests.run(kind.dequantize, blocks.bytes(kind.name), count: wanted.count)
    try #require(!wanted.isEmpty)
    #expect(got.map(\.bitPattern) == (wanted + [canary]).map(\.bitPattern))
  }

  /// `rows` rows of `cols` stored values, from the fixture's blocks over and over, with those whose scales are no huge numbers.
  static func weights(_ kind: Kind, rows: Int, cols: Int, _ random: inout SplitMix64) throws -> (bytes: [UInt8], values: [Float])
  {
    let blocks = try StoredBlocks.load()
    let (bytes, values) = (blocks.bytes(kind.name), blocks.values(kind.name))
    let count = values.count / kind.block
    let size = bytes.count / count
    let usable = (0..<count).filter { values[$0 * kind.block..<($0 + 1) * kind.block].allSatisfy { abs($0) < 1e9 } }
    var result: (bytes: [UInt8], values: [Float]) = ([], [])
    for _ in 0..<rows * cols / kind.block {
      let index = try #require(usable.randomElement(using: &random))
      result.bytes += bytes[index * size..<(index + 1) * size]
      result.values += values[index * kind.block..<(index + 1) * kind.block]
    }
    return result
  }
}

/// Storing: to the byte as the gguf package does where it can, else near the values.
struct QuantizeTests {
  static func store(_ kernel: (UnsafeMutableRawPointer?, UnsafePointer<Float>?, Int) -> Void, _ x: [Float], bytes: Int) -> [UInt8]
  {
    var out = [UInt8](repeating: 0xA5, count: bytes + 1)
    out.withUnsafeMutableBytes { kernel($0.baseAddress, x, x.count) }
    #expect(out.last == 0xA5)
    return Array(out.dropLast())
  }

  @Test("F16, Q8_0 and Q4_0 to the byte")
  func exact() throws {
    let blocks = try StoredBlocks.load()
    let plain = blocks.plainValues
    try #require(plain.count == 256)
    #expect(Self.store(ck_quantize_f16, plain, bytes: 512) == blocks.packedBytes("F16"))
    #expect(Self.store(ck_quantize_q8_0, plain, bytes: 8 * 34) == blocks.packedBytes("Q8_0"))
    #expect(Self.store(ck_quantize_q4_0, plain, bytes: 8 * 18) == blocks.packedBytes("Q4_0"))
  }

  @Test("every half survives storing")
  func halves() {
    let halves = (0...UInt16.max).filter { $0 >> 10 & 31 != 31 }
    let bytes = Self.store(ck_quantize_f16, halves.map { Float(Float16(bitPattern: $0)) }, bytes: 2 * halves.count)
    #expect(bytes == halves.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
  }

  /// Root mean square errors for normal numbers; uniform steps of 4 and 6 bits over a run would give about 0.10 and 0.026.
  @Test("Q4_K and Q6_K are near", arguments: [UInt64(1), 2, 3])
  func near(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let x = (0..<4_096).map { _ in (0..<12).reduce(Float(0)) { sum, _ in sum + random.unit() } / 2 }
    let stored4 = Self.store(ck_quantize_q4_k, x, bytes: 16 * 144)
    let stored6 = Self.store(ck_quantize_q6_k, x, bytes: 16 * 210)
    #expect(Self.error(DequantizeTests.run(ck_dequantize_q4_k_ref, stored4, count: 4_096), x) < 0.085, "seed \(seed)")
    #expect(Self.error(DequantizeTests.run(ck_dequantize_q6_k_ref, stored6, count: 4_096), x) < 0.021, "seed \(seed)")
  }

  @Test("zeros, constants and one outlier are stored without harm")
  func edges() {
    var spike = [Float](repeating: 0, count: 256)
    spike[77] = -1e4
    for x in [[Float](repeating: 0, count: 256), [Float](repeating: 0.25, count: 256), [Float](repeating: -3, count: 256), spike]
    {
      let range = (x.map(abs).max() ?? 0) / 100 + 1e-6
      for (kernel, size, reader) in [
        (ck_quantize_q4_k, 144, ck_dequantize_q4_k_ref), (ck_quantize_q6_k, 210, ck_dequantize_q6_k_ref),
      ] as [(@convention(c) (UnsafeMutableRawPointer?, UnsafePointer<Float>?, Int) -> Void, Int, DequantizeTests.Kernel)] {
        let got = DequantizeTests.run(reader, Self.store(kernel, x, bytes: size), count: 256)
        #expect(zip(got, x).allSatisfy { abs($0 - $1) <= range })
      }
    }
  }

  private static func error(_ got: [Float], _ wanted: [Float]) -> Float {
    (zip(got, wanted).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Float(wanted.count)).squareRoot()
  }
}
