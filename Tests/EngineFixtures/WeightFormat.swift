/// The stored forms of weights, written from their definition (ggml's block layouts).
public enum WeightFormat: UInt32, CaseIterable, Sendable {
  case f32 = 0
  case f16 = 1
  case q4_0 = 2
  case q8_0 = 8
  case q6_K = 14

  /// Values in one block.
  public var block: Int {
    switch self {
    case .f32, .f16: 1
    case .q4_0, .q8_0: 32
    case .q6_K: 256
    }
  }

  /// The stored bytes, and the values that a reader gets from them.
  public func encode(_ values: [Float]) -> (bytes: [UInt8], values: [Float]) {
    switch self {
    case .f32: (values.flatMap { Self.little($0.bitPattern) }, values)
    case .f16: (values.flatMap { Self.little(Float16($0).bitPattern) }, values.map { Float(Float16($0)) })
    case .q8_0: Self.blocks(values, 32, Self.q8Block)
    case .q4_0: Self.blocks(values, 32, Self.q4Block)
    case .q6_K: Self.blocks(values, 256, Self.q6Block)
    }
  }

  private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  private static func blocks(
    _ values: [Float], _ size: Int, _ encode: (ArraySlice<Float>) -> (bytes: [UInt8], values: [Float])
  ) -> (bytes: [UInt8], values: [Float]) {
    precondition(values.count.isMultiple(of: size))
    var all: (bytes: [UInt8], values: [Float]) = ([], [])
    for start in stride(from: 0, to: values.count, by: size) {
      let block = encode(values[start..<start + size])
      all.bytes += block.bytes
      all.values += block.values
    }
    return all
  }

  private static func q8Block(_ values: ArraySlice<Float>) -> (bytes: [UInt8], values: [Float]) {
    let scale = Float16((values.map(abs).max() ?? 0) / 127)
    let numbers = values.map { scale == 0 ? Int8(0) : Int8(max(-127, min(127, ($0 / Float(scale)).rounded()))) }
    return (
      Self.little(scale.bitPattern) + numbers.map { UInt8(bitPattern: $0) }, numbers.map { Float(scale) * Float($0) }
    )
  }

  private static func q4Block(_ values: ArraySlice<Float>) -> (bytes: [UInt8], values: [Float]) {
    let extreme = values.max { abs($0) < abs($1) } ?? 0
    let scale = Float16(extreme / -8)
    let numbers = values.map { scale == 0 ? 8 : Int(max(0, min(15, ($0 / Float(scale)).rounded() + 8))) }
    let bytes = (0..<16).map { UInt8(numbers[$0] | numbers[$0 + 16] << 4) }
    return (Self.little(scale.bitPattern) + bytes, numbers.map { Float(scale) * Float($0 - 8) })
  }

  /// 256 values: 16 scales of 8 bits over one of 16; 6 bits each, four in low nibbles and high nibbles of two runs of bytes, the
  /// upper two bits apart.
  private static func q6Block(_ values: ArraySlice<Float>) -> (bytes: [UInt8], values: [Float]) {
    let values = Array(values)
    let wanted = (0..<16).map { group in (values[group * 16..<group * 16 + 16].map(abs).max() ?? 0) / 31 }
    let scale = Float16((wanted.max() ?? 0) / 127)
    let scales = wanted.map { scale == 0 ? Int8(0) : Int8(min(127, ($0 / Float(scale)).rounded())) }
    let numbers = values.indices.map { index -> Int in
      let step = Float(scale) * Float(scales[index / 16])
      return step == 0 ? 32 : Int(max(0, min(63, (values[index] / step).rounded() + 32)))
    }
    var (low, high) = ([UInt8](repeating: 0, count: 128), [UInt8](repeating: 0, count: 64))
    for (index, number) in numbers.enumerated() {
      let (half, run, k) = (index / 128, index % 128 / 32, index % 32)
      low[half * 64 + run % 2 * 32 + k] |= UInt8(number & 15) << (run < 2 ? 0 : 4)
      high[half * 32 + k] |= UInt8(number >> 4) << (2 * run)
    }
    return (
      low + high + scales.map { UInt8(bitPattern: $0) } + Self.little(scale.bitPattern),
      numbers.indices.map { Float(scale) * Float(scales[$0 / 16]) * Float(numbers[$0] - 32) }
    )
  }
}
