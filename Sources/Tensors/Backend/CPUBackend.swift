internal import CKernels

// Invariant of both jobs: the pointers were checked for all rows and outlive the dispatch; a task writes its own row.
private struct NormJob {
  var kernels: UnsafePointer<ck_kernels>
  var source: UnsafeMutablePointer<Float>
  var term: UnsafePointer<Float>?
  var target: UnsafeMutablePointer<Float>
  var weight: UnsafePointer<Float>
  var width: Int
  var epsilon: Float

  func run(_ row: Int) {
    let source = self.source + row * self.width
    if let term = self.term { self.kernels.pointee.axpy(source, 1, term + row * self.width, self.width) }
    self.kernels.pointee.rmsnorm(self.target + row * self.width, source, self.weight, self.width, self.epsilon)
  }
}

private struct ActivationJob {
  var kernels: UnsafePointer<ck_kernels>
  var rows: UnsafeMutablePointer<Float>
  var width: Int

  func run(_ row: Int) {
    let gate = self.rows + row * 2 * self.width
    self.kernels.pointee.silu_mul(gate, gate + self.width, self.width)
  }
}

/// The operations of a transformer on the processor: one instruction set, one pool of threads, scratch memory for both.
///
/// Every operation checks that it stays inside its buffers and returns when its results are complete. None allocates.
/// Results depend on the operands and the instruction set alone, not on the number of threads. One caller at a time.
public final class CPUBackend {
  public let instructionSet: InstructionSet
  public let pool: WorkerPool
  let kernels: UnsafePointer<ck_kernels>
  let products: UnsafePointer<ck_products>
  public let activations: ActivationPrecision
  // Rounded or arranged activations of the product in work; grown before a dispatch, never within.
  private var prepared = FloatBuffer(count: 0)

  /// - Parameter pinned: see ``WorkerPool/init(threads:pinned:)``.
  /// - Throws: `threadsUnavailable`, `instructionSetUnavailable`.
  public init(
    threads: Int, instructionSet: InstructionSet? = nil, activations: ActivationPrecision = .fast, pinned: Bool = false
  ) throws(TensorError) {
    self.activations = activations
    if let instructionSet { self.instructionSet = instructionSet } else { self.instructionSet = try InstructionSet.selected() }
    self.kernels = self.instructionSet.kernels
    self.products = self.kernels.pointee.products
    self.pool = try WorkerPool(threads: threads, pinned: pinned)
  }

  func preparedActivations(byteCount: Int) -> UnsafeMutableRawPointer {
    let floats = byteCount / MemoryLayout<Float>.stride
    if self.prepared.count < floats { self.prepared = FloatBuffer(count: floats) }
    return UnsafeMutableRawPointer(self.prepared.base)
  }

  /// output[i] = row tokens[i] of the table whose pieces stand one above the other: (tokens, columns).
  ///
  /// - Precondition: ids are rows of the table.
  public func embed(_ tokens: [Int32], from table: [Matrix], into output: FloatBuffer, firstRow: Int = 0) {
    for index in tokens.indices {
      var (row, number) = (Int(tokens[index]), 0)
      while number < table.count, row >= table[number].rows {
        row -= table[number].rows
        number += 1
      }
      precondition(row >= 0 && number < table.count, "A token id is outside the embedding table.")
      let piece = table[number]
      piece.type.dequantize(
        output.pointer((firstRow + index) * piece.columns, piece.columns), piece.base + row * piece.rowBytes, piece.columns)
    }
  }

  /// input[r] += term[r] where there is a term, then output[r] = normalised input[r] times weight, r < rows; rows are `weight.count` long.
  /// `output` may be `input`.
  public func rmsNorm(
    _ input: FloatBuffer, adding term: FloatBuffer? = nil, rows: Int, weight: FloatBuffer, epsilon: Float,
    into output: FloatBuffer
  ) {
    let width = weight.count
    let source = input.pointer(0, rows * width)
    let target = output.pointer(0, rows * width)
    var job = NormJob(
      kernels: self.kernels, source: source, term: term?.pointer(0, rows * width), target: target, weight: weight.base,
      width: width, epsilon: epsilon)
    self.pool.run(&job, count: rows, isSmall: rows < 4) { context, row, _ in
      context?.assumingMemoryBound(to: NormJob.self).pointee.run(row)
    }
  }

  /// The same for one row taken from anywhere in `input` and put anywhere in `output`; both are row numbers.
  public func rmsNorm(
    row: Int, of input: FloatBuffer, weight: FloatBuffer, epsilon: Float, intoRow target: Int, of output: FloatBuffer
  ) {
    let width = weight.count
    self.kernels.pointee.rmsnorm(
      output.pointer(target * width, width), input.pointer(row * width, width), weight.base, width, epsilon)
  }

  /// sum[i] += term[i], i < count.
  public func add(_ term: FloatBuffer, count: Int, to sum: FloatBuffer) {
    self.kernels.pointee.axpy(sum.pointer(0, count), 1, term.pointer(0, count), count)
  }

  /// rows[r][i] = silu(rows[r][i]) * rows[r][width + i], i < width, for rows of 2 * width.
  public func siluMultiply(_ gateUp: FloatBuffer, rows: Int, width: Int) {
    let base = gateUp.pointer(0, rows * 2 * width)
    var job = ActivationJob(kernels: self.kernels, rows: base, width: width)
    self.pool.run(&job, count: rows, isSmall: rows < 2) { context, row, _ in
      context?.assumingMemoryBound(to: ActivationJob.self).pointee.run(row)
    }
  }

  /// rows[r][i] += bias[i], i < bias.count, for rows that are `stride` apart.
  public func add(bias: FloatBuffer, to rows: FloatBuffer, count: Int, stride: Int) {
    guard count > 0 else { return }
    precondition(stride >= bias.count)
    let base = rows.pointer(0, (count - 1) * stride + bias.count)
    for row in 0..<count { self.kernels.pointee.axpy(base + row * stride, 1, bias.base, bias.count) }
  }

  /// Rotates the first `2 * pairs` values of `heads` adjacent heads that start at `offset` of `buffer`.
  ///
  /// `angles` holds, from float `angleOffset` on, `pairs` cosines and then `pairs` sines.
  public func rotate(
    _ buffer: FloatBuffer, offset: Int, heads: Int, headDimension: Int, angles: FloatBuffer, angleOffset: Int, pairs: Int,
    order: RotaryOrder
  ) {
    precondition(2 * pairs <= headDimension)
    let angle = angles.pointer(angleOffset, 2 * pairs)
    let kernel = order == .adjacent ? self.kernels.pointee.rope : self.kernels.pointee.rope_halves
    kernel?(buffer.pointer(offset, heads * headDimension), heads, headDimension, angle, angle + pairs, pairs)
  }
}

/// What quantised weights are multiplied with. Plain weights always multiply activations as they are.
public enum ActivationPrecision: String, Sendable, CaseIterable {
  /// Activations as they are: the result is that of the dequantised weights in f32. Many times slower; the weights stay in their file.
  case exact
  /// Activations rounded to 8 bits, 32 at a time: at the speed of memory.
  case fast
}

/// Which two values of a head are turned together: the order in which a file keeps the rows of its query and key matrices.
public enum RotaryOrder: Sendable {
  /// (0, 1), (2, 3), …
  case adjacent
  /// (0, n), (1, n + 1), … where n is half of the rotated values.
  case halves
}
