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

  /// The stored bytes of the first `count` values, computed by all threads of the pool; O(values).
  ///
  /// - Throws: `valueOutOfRange` where a value is not finite or beyond half precision, so that a damaged weight is not hidden.
  /// - Precondition: the values are a whole number of blocks.
  public func bytes(_ values: FloatBuffer, count: Int, _ pool: WorkerPool) throws(TensorError) -> [UInt8] {
    precondition(count.isMultiple(of: self.type.blockElements))
    let source = values.pointer(0, count)
    for index in 0..<count where !(abs(source[index]) <= 65_504) {
      throw TensorError(.valueOutOfRange, "Value \(index) is \(source[index]), which \(self.type.rawValue) cannot hold.")
    }
    let blocks = count / self.type.blockElements
    return [UInt8](unsafeUninitializedCapacity: blocks * self.type.blockBytes) { bytes, written in
      guard let target = bytes.baseAddress else { return }
      var job = Job(quantiser: self, target: UnsafeMutableRawPointer(target), source: source, blocks: blocks)
      pool.run(&job, count: (blocks + Job.share - 1) / Job.share) { context, task, _ in
        context?.assumingMemoryBound(to: Job.self).pointee.run(task)
      }
      written = blocks * self.type.blockBytes
    }
  }

  // Invariant: both places hold `blocks` blocks and outlive the dispatch; a task writes its own share of the target.
  private struct Job {
    static let share = 256

    var quantiser: Quantiser
    var target: UnsafeMutableRawPointer
    var source: UnsafePointer<Float>
    var blocks: Int

    func run(_ task: Int) {
      let first = task * Self.share
      let (elements, bytes) = (self.quantiser.type.blockElements, self.quantiser.type.blockBytes)
      self.quantiser.store(
        self.target + first * bytes, self.source + first * elements, min(Self.share, self.blocks - first) * elements)
    }
  }

  private func store(_ target: UnsafeMutableRawPointer, _ source: UnsafePointer<Float>, _ count: Int) {
    switch self {
    case .f32: target.copyMemory(from: source, byteCount: 4 * count)
    case .f16: ck_quantize_f16(target, source, count)
    case .q8_0: ck_quantize_q8_0(target, source, count)
    case .q4_0: ck_quantize_q4_0(target, source, count)
    case .q4_K: ck_quantize_q4_k(target, source, count)
    case .q6_K: ck_quantize_q6_k(target, source, count)
    }
  }
}
