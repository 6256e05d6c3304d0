import EngineFixtures
import Tensors
import Testing

struct ProductTests {
  final class Bytes {
    let pointer: UnsafeMutableRawBufferPointer
    init(_ bytes: [UInt8]) {
      self.pointer = .allocate(byteCount: max(1, bytes.count), alignment: 1)
      self.pointer.copyBytes(from: bytes)
    }
    deinit { self.pointer.deallocate() }
  }

  static func matrix(
    _ format: WeightFormat, rows: Int, columns: Int, _ random: inout SplitMix64
  ) throws -> (matrix: Matrix, values: [Float]) {
    let (bytes, values) = format.encode((0..<rows * columns).map { _ in random.unit() })
    let owner = Bytes(bytes)
    let type: ElementType =
      switch format {
      case .f32: .f32
      case .f16: .f16
      case .q8_0: .q8_0
      case .q4_0: .q4_0
      case .q6_K: .q6_K
      }
    return (
      try Matrix(
        type: type, rows: rows, columns: columns, bytes: UnsafeRawBufferPointer(owner.pointer), owner: owner), values
    )
  }

  @Test(
    "matrices side by side, by any number of threads",
    arguments: InstructionSet.allCases.filter(\.isAvailable), WeightFormat.allCases)
  func products(set: InstructionSet, format: WeightFormat) throws {
    var random = SplitMix64(seed: 41)
    let columns = max(96, format.block)
    let parts = try [150, 7, 20].map { try Self.matrix(format, rows: $0, columns: columns, &random) }
    let projection = try Projection(parts.map(\.matrix))
    let values = parts.flatMap(\.values)
    let rows = 33
    // Activations of quantised weights are rounded to 1/254 of the largest, at most; errors of either sign add up by chance.
    let tolerance = format.block == 1 ? 1e-4 : 4 * Double(columns).squareRoot() / 254
    let (inputStride, outputStride) = (columns + 5, projection.rows + 3)
    let activations = (0..<rows * inputStride).map { _ in random.unit() }
    let input = FloatBuffer(activations)
    let exact = Self.exact(values, activations, columns: columns, rows: rows, inputStride: inputStride)
    var result: [Float]?
    for threads in [1, 2, 5] {
      let backend = try CPUBackend(threads: threads, instructionSet: set)
      let output = FloatBuffer(count: rows * outputStride)
      backend.multiply(
        projection, Activations(input, stride: inputStride), rows: rows, into: Activations(output, stride: outputStride))
      let got = output.array(0..<output.count)
      // The same bits, whatever the threads.
      #expect(result ?? got == got)
      result = got
      for row in 0..<rows {
        let line = got[row * outputStride..<(row + 1) * outputStride]
        try #require(zip(line, exact[row]).allSatisfy { abs(Double($0) - $1) < tolerance }, "row \(row)")
        try #require(line.dropFirst(projection.rows).allSatisfy { $0 == 0 })
      }
    }
    #expect(projection.isPacked)
  }

  /// The definition, in f64: (rows, weight rows).
  static func exact(
    _ weights: [Float], _ input: [Float], columns: Int, rows: Int, inputStride: Int
  ) -> [[Double]] {
    weights.withUnsafeBufferPointer { weights in
      input.withUnsafeBufferPointer { input in
        (0..<rows).map { row in
          (0..<weights.count / columns).map { column in
            var sum = 0.0
            for k in 0..<columns { sum += Double(weights[column * columns + k]) * Double(input[row * inputStride + k]) }
            return sum
          }
        }
      }
    }
  }

  @Test("bytes that do not have the shape are refused")
  func shapes() throws {
    let owner = Bytes([UInt8](repeating: 0, count: 68))
    let bytes = UnsafeRawBufferPointer(owner.pointer)
    #expect(throws: TensorError.self) { try Matrix(type: .q8_0, rows: 2, columns: 33, bytes: bytes, owner: owner) }
    #expect(throws: TensorError.self) { try Matrix(type: .q8_0, rows: 3, columns: 32, bytes: bytes, owner: owner) }
    #expect(throws: TensorError.self) { try Matrix(type: .f32, rows: Int.max, columns: 4, bytes: bytes, owner: owner) }
    #expect(throws: TensorError.self) { try Matrix(type: .f32, rows: 0, columns: 17, bytes: bytes, owner: owner) }
    let good = try Matrix(type: .q8_0, rows: 2, columns: 32, bytes: bytes, owner: owner)
    let other = try Matrix(type: .f32, rows: 1, columns: 17, bytes: bytes, owner: owner)
    #expect(throws: TensorError.self) { try Projection([good, other]) }
    #expect(throws: TensorError.self) { try Projection([]) }
  }
}
