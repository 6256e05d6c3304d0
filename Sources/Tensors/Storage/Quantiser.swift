internal import CKernels

/// Stores f32 values in a layout that a model file may use.
public enum Quantiser: Sendable, CaseIterable {
  case f32, f16, q8_0, q4_0, q4_K, q6_K

  public var type: ElementType {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .q8_0: .q8_0
    case .q4_0: .q4_0
    case .q4_K: .q4_K
    case .q6_K: .q6_K
    }
  }

  /// The stored bytes of values `range`; O(values).
  ///
  /// - Throws: `valueOutOfRange` where a value is not finite or beyond half precision, so that a damaged weight is not hidden.
  /// - Precondition: the range is a whole number of blocks.
  public func bytes(_ values: FloatBuffer, _ range: Range<Int>) throws(TensorError) -> [UInt8] {
    precondition(range.count.isMultiple(of: self.type.blockElements))
    let source = values.pointer(range.lowerBound, range.count)
    for index in 0..<range.count where !(abs(source[index]) <= 65_504) {
      throw TensorError(.valueOutOfRange, "Value \(index) is \(source[index]), which \(self.type.rawValue) cannot hold.")
    }
    let count = range.count / self.type.blockElements * self.type.blockBytes
    return [UInt8](unsafeUninitializedCapacity: count) { bytes, written in
      // Every kernel writes exactly the bytes of its blocks.
      self.store(UnsafeMutableRawPointer(bytes.baseAddress), source, range.count)
      written = count
    }
  }

  private func store(_ target: UnsafeMutableRawPointer?, _ source: UnsafePointer<Float>, _ count: Int) {
    switch self {
    case .f32: target?.copyMemory(from: source, byteCount: 4 * count)
    case .f16: ck_quantize_f16(target, source, count)
    case .q8_0: ck_quantize_q8_0(target, source, count)
    case .q4_0: ck_quantize_q4_0(target, source, count)
    case .q4_K: ck_quantize_q4_k(target, source, count)
    case .q6_K: ck_quantize_q6_k(target, source, count)
    }
  }
}
