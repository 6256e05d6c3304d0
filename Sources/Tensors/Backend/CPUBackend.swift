internal import CKernels
internal import COpenBLAS

/// The operations of a transformer on the processor: one instruction set, one pool of threads, scratch memory for both.
///
/// Every operation checks that it stays inside its buffers and returns when its results are complete. None allocates.
/// Results depend on the operands and the instruction set alone, not on the number of threads. One caller at a time.
public final class CPUBackend {
  public let instructionSet: InstructionSet
  public let pool: WorkerPool
  let kernels: UnsafePointer<ck_kernels>
  // One dequantised tile for each worker; grown before a dispatch, never within.
  private(set) var tileScratch = FloatBuffer(count: 0)

  /// - Throws: `threadsUnavailable`, `instructionSetUnavailable`.
  public init(threads: Int, instructionSet: InstructionSet? = nil) throws(TensorError) {
    if let instructionSet { self.instructionSet = instructionSet } else { self.instructionSet = try InstructionSet.selected() }
    self.kernels = self.instructionSet.kernels
    self.pool = try WorkerPool(threads: threads)
    // Our own threads split the work; a library that also did would run threads times threads.
    openblas_set_num_threads(1)
  }

  func reserveTiles(floatsPerWorker: Int) {
    let wanted = floatsPerWorker * self.pool.threads
    if self.tileScratch.count < wanted { self.tileScratch = FloatBuffer(count: wanted) }
  }

  /// output[i] = row tokens[i] of `table`: (tokens, columns). - Precondition: ids are rows of the table.
  public func embed(_ tokens: some Sequence<Int32>, from table: Matrix, into output: FloatBuffer, firstRow: Int = 0) {
    let dequantize = self.kernels.pointee.dequantize(table.type)
    for (index, token) in tokens.enumerated() {
      precondition(token >= 0 && Int(token) < table.rows, "A token id is outside the embedding table.")
      let row = output.pointer((firstRow + index) * table.columns, table.columns)
      dequantize(row, table.base + Int(token) * table.rowBytes, table.columns)
    }
  }

  /// output[r] = normalised input[r] times weight, r < rows; rows are `weight.count` long. `output` may be `input`.
  public func rmsNorm(_ input: FloatBuffer, rows: Int, weight: FloatBuffer, epsilon: Float, into output: FloatBuffer) {
    let width = weight.count
    let source = input.pointer(0, rows * width)
    let target = output.pointer(0, rows * width)
    for row in 0..<rows {
      self.kernels.pointee.rmsnorm(target + row * width, source + row * width, weight.base, width, epsilon)
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
    for row in 0..<rows {
      self.kernels.pointee.silu_mul(base + row * 2 * width, base + (row * 2 + 1) * width, width)
    }
  }

  /// Rotates the first `2 * pairs` values of `heads` adjacent heads that start at `offset` of `buffer`.
  ///
  /// `angles` holds, from float `angleOffset` on, `pairs` cosines and then `pairs` sines.
  public func rotate(
    _ buffer: FloatBuffer, offset: Int, heads: Int, headDimension: Int, angles: FloatBuffer, angleOffset: Int, pairs: Int
  ) {
    precondition(2 * pairs <= headDimension)
    let angle = angles.pointer(angleOffset, 2 * pairs)
    self.kernels.pointee.rope(
      buffer.pointer(offset, heads * headDimension), heads, headDimension, angle, angle + pairs, pairs)
  }
}

extension ck_kernels {
  func dequantize(_ type: ElementType) -> @convention(c) (UnsafeMutablePointer<Float>?, UnsafeRawPointer?, Int) -> Void {
    switch type {
    case .f32: self.dequantize_f32
    case .f16: self.dequantize_f16
    case .q8_0: self.dequantize_q8_0
    case .q4_0: self.dequantize_q4_0
    case .q6_K: self.dequantize_q6_k
    }
  }

  /// The matrix product for one element type: (out, out stride, weights, rows, columns, x, x stride, batch).
  typealias Product =
    @convention(c) (
      UnsafeMutablePointer<Float>?, Int, UnsafeRawPointer?, Int, Int, UnsafePointer<Float>?, Int, Int
    ) -> Void

  func matmul(_ type: ElementType) -> Product {
    switch type {
    case .f32: self.matmul_f32
    case .f16: self.matmul_f16
    case .q8_0: self.matmul_q8_0
    case .q4_0: self.matmul_q4_0
    case .q6_K: self.matmul_q6_k
    }
  }
}
