// Tensors: owned aligned memory, weight matrices, the keys and values of a sequence, and the operations of a transformer on them.
// It holds the only Swift code that calls a kernel or touches the memory it works on, and the threads that do the work.
// It must never know a file format, a model family, a tokenizer, a request or who asks.

internal import CKernels

/// A fixed number of floats at a 64-byte boundary, zero at first and owned by this object.
///
/// Not `Sendable`: one thread at a time works with it, and the pool's threads only inside one operation.
public final class FloatBuffer {
  public let count: Int
  // Invariant: `count` initialised floats from `init` to `deinit`.
  let base: UnsafeMutablePointer<Float>
  private let memory: UnsafeMutableRawPointer

  /// - Precondition: `count` is not negative.
  public init(count: Int) {
    precondition(count >= 0)
    self.count = count
    let bytes = max(count, 1) * MemoryLayout<Float>.stride
    self.memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    self.base = self.memory.bindMemory(to: Float.self, capacity: max(count, 1))
    self.base.initialize(repeating: 0, count: max(count, 1))
  }

  public convenience init(_ values: [Float]) {
    self.init(count: values.count)
    for (index, value) in values.enumerated() { self.base[index] = value }
  }

  /// The values of a matrix, dequantised, row after row.
  public convenience init(_ matrix: Matrix) {
    self.init(count: matrix.rows * matrix.columns)
    matrix.type.dequantize(self.base, matrix.base, self.count)
  }

  deinit { self.memory.deallocate() }

  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < self.count)
      return self.base[index]
    }
    set {
      precondition(index >= 0 && index < self.count)
      self.base[index] = newValue
    }
  }

  /// Lends floats `range` for reading.
  public func withSpan<Result>(_ range: Range<Int>, _ body: (Span<Float>) -> Result) -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= self.count)
    return body(UnsafeBufferPointer(start: self.base + range.lowerBound, count: range.count).span)
  }

  /// A copy of floats `range`.
  public func array(_ range: Range<Int>) -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= self.count)
    return Array(UnsafeBufferPointer(start: self.base + range.lowerBound, count: range.count))
  }

  /// The address of float `offset`, after a check that `count` floats follow.
  func pointer(_ offset: Int, _ count: Int) -> UnsafeMutablePointer<Float> {
    precondition(offset >= 0 && count >= 0 && offset <= self.count - count, "An operation would leave its buffer.")
    return self.base + offset
  }
}
