internal import CKernels

/// Activations: rows of floats, `stride` apart, from float 0 of a buffer on.
public struct Activations {
  public let buffer: FloatBuffer
  public let stride: Int

  public init(_ buffer: FloatBuffer, stride: Int) {
    self.buffer = buffer
    self.stride = stride
  }
}

// Invariant of the jobs: the pointers were checked against their buffers for all rows and outlive the dispatch; each task writes
// the rounded row, or the output columns of the chunk, that is its own.
private struct RoundingJob {
  var products: UnsafePointer<ck_products>
  var columns: Int
  var input: UnsafePointer<Float>
  var inputStride: Int
  var output: UnsafeMutableRawPointer
  var outputStride: Int

  func run(_ row: Int) {
    self.products.pointee.round(self.output + row * self.outputStride, self.input + row * self.inputStride, self.columns)
  }
}

private struct ProductJob {
  var chunks: UnsafePointer<Projection.Chunk>
  var products: UnsafePointer<ck_products>
  var columns: Int
  var rows: Int
  var input: UnsafePointer<Float>
  var inputStride: Int
  var rounded: UnsafeRawPointer
  var roundedStride: Int
  var output: UnsafeMutablePointer<Float>
  var outputStride: Int

  func run(_ task: Int) {
    let chunk = self.chunks[task]
    let isRounded = chunk.type.multipliesRounded
    self.products.pointee.product(chunk.type)(
      self.output + chunk.column, self.outputStride, chunk.panels, chunk.rows, self.columns,
      isRounded ? self.rounded : UnsafeRawPointer(self.input),
      isRounded ? self.roundedStride : self.inputStride * MemoryLayout<Float>.stride, self.rows)
  }
}

private struct ReadingJob {
  var chunks: UnsafePointer<Projection.Chunk>
  var products: UnsafePointer<ck_products>
  var columns: Int

  func run(_ task: Int) {
    let chunk = self.chunks[task]
    _ = self.products.pointee.read(chunk.panels, chunk.type.packedBytes(rows: chunk.rows, columns: self.columns))
  }
}

extension CPUBackend {
  /// output[b] = weights x input[b], b < rows. Input rows are `weights.columns` long, output rows `weights.rows`.
  ///
  /// Quantised weights multiply activations that are rounded to 8 bits, 32 at a time; plain ones multiply them as they are. A row's
  /// result has the same bits whatever other rows are there, and with every instruction set.
  ///
  /// - Precondition: the buffers hold the rows and do not overlap.
  public func multiply(_ weights: Projection, _ input: Activations, rows: Int, into output: Activations) {
    guard rows > 0 else { return }
    precondition(input.stride >= weights.columns && output.stride >= weights.rows)
    weights.pack(self.pool)
    let source = input.buffer.pointer(0, (rows - 1) * input.stride + weights.columns)
    let target = output.buffer.pointer(0, (rows - 1) * output.stride + weights.rows)
    let roundedStride = weights.needsRounding ? ck_activation_bytes(weights.columns) : 0
    let rounded = self.roundedActivations(byteCount: rows * roundedStride)
    if weights.needsRounding {
      self.run(
        RoundingJob(
          products: self.products, columns: weights.columns, input: source, inputStride: input.stride, output: rounded,
          outputStride: roundedStride), rows: rows)
    }
    weights.chunks.withUnsafeBufferPointer { chunks in
      guard let first = chunks.baseAddress else { return }
      var job = ProductJob(
        chunks: first, products: self.products, columns: weights.columns, rows: rows, input: source, inputStride: input.stride,
        rounded: rounded, roundedStride: roundedStride, output: target, outputStride: output.stride)
      self.pool.run(&job, count: chunks.count) { context, task, _ in
        context?.assumingMemoryBound(to: ProductJob.self).pointee.run(task)
      }
    }
  }

  /// Brings the weights into the layout that the kernels read, which ``multiply(_:_:rows:into:)`` else does when it first meets them.
  public func pack(_ weights: Projection) { weights.pack(self.pool) }

  /// Reads the packed weights as products do and computes next to nothing: the least time that a product with one row can take.
  public func readPacked(_ weights: Projection) {
    weights.chunks.withUnsafeBufferPointer { chunks in
      guard let first = chunks.baseAddress else { return }
      var job = ReadingJob(chunks: first, products: self.products, columns: weights.columns)
      self.pool.run(&job, count: chunks.count) { context, task, _ in
        context?.assumingMemoryBound(to: ReadingJob.self).pointee.run(task)
      }
    }
  }

  private func run(_ job: RoundingJob, rows: Int) {
    var job = job
    // A row takes about a microsecond, less than meeting the helpers.
    self.pool.run(&job, count: rows, isSmall: rows < 4) { context, row, _ in
      context?.assumingMemoryBound(to: RoundingJob.self).pointee.run(row)
    }
  }
}
