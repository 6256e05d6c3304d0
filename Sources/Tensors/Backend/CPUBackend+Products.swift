internal import CKernels
internal import COpenBLAS

/// How a product is computed.
public enum ProductStrategy: Sendable {
  /// Dot products straight from the stored weights, each weight read once for all rows. A row's result is bit for bit the same
  /// whatever other rows are in the batch: what decoding needs to be repeatable in any company.
  case direct
  /// Tiles of dequantised weights multiplied by the system's matrix library: faster from some 32 rows on. Results may differ in
  /// rounding with the number of rows.
  case tiled
}

/// Activations: rows of `columns` floats, `stride` apart, from float 0 of a buffer on.
public struct Activations {
  public let buffer: FloatBuffer
  public let stride: Int

  public init(_ buffer: FloatBuffer, stride: Int) {
    self.buffer = buffer
    self.stride = stride
  }
}

// Invariant of both jobs: the pointers were checked against their buffers for all rows and outlive the dispatch; each task writes
// the output columns of its own chunk.
private struct DirectJob {
  var chunks: UnsafePointer<Projection.Chunk>
  var kernels: UnsafePointer<ck_kernels>
  var columns: Int
  var rows: Int
  var input: UnsafePointer<Float>
  var inputStride: Int
  var output: UnsafeMutablePointer<Float>
  var outputStride: Int

  func run(_ task: Int) {
    let chunk = self.chunks[task]
    let product = self.kernels.pointee.matmul(chunk.type)
    product(
      self.output + chunk.column, self.outputStride, chunk.weights, chunk.rows, self.columns, self.input, self.inputStride,
      self.rows)
  }
}

private struct TiledJob {
  var direct: DirectJob
  var scratch: UnsafeMutablePointer<Float>
  var scratchPerWorker: Int

  func run(_ task: Int, worker: Int) {
    let chunk = self.direct.chunks[task]
    let columns = self.direct.columns
    let tile = self.scratch + worker * self.scratchPerWorker
    self.direct.kernels.pointee.dequantize(chunk.type)(tile, chunk.weights, chunk.rows * columns)
    // The sizes fit 32 bits: `multiply` has checked them.
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(self.direct.rows), Int32(chunk.rows), Int32(columns), 1, self.direct.input,
      Int32(self.direct.inputStride), tile, Int32(columns), 0, self.direct.output + chunk.column, Int32(self.direct.outputStride))
  }
}

extension CPUBackend {
  /// output[b] = weights x input[b], b < rows. Input rows are `weights.columns` long, output rows `weights.rows`.
  ///
  /// - Precondition: the buffers hold the rows and do not overlap; strides fit 32 bits.
  public func multiply(
    _ weights: Projection, _ input: Activations, rows: Int, strategy: ProductStrategy, into output: Activations
  ) {
    guard rows > 0 else { return }
    precondition(input.stride >= weights.columns && output.stride >= weights.rows)
    precondition(input.stride <= Int32.max && output.stride <= Int32.max && rows <= Int32.max)
    let source = input.buffer.pointer(0, (rows - 1) * input.stride + weights.columns)
    let target = output.buffer.pointer(0, (rows - 1) * output.stride + weights.rows)
    let chunks = strategy == .direct ? weights.chunks : weights.tiles
    chunks.withUnsafeBufferPointer { chunks in
      guard let first = chunks.baseAddress else { return }
      let job = DirectJob(
        chunks: first, kernels: self.kernels, columns: weights.columns, rows: rows, input: source, inputStride: input.stride,
        output: target, outputStride: output.stride)
      switch strategy {
      case .direct: self.run(job, count: chunks.count)
      case .tiled: self.runTiled(job, count: chunks.count)
      }
    }
  }

  private func run(_ job: DirectJob, count: Int) {
    var job = job
    // A chunk is 48 KiB of weights: up to three of them are read sooner than a helper is met.
    self.pool.run(&job, count: count, isSmall: count <= 3 && job.rows == 1) { context, task, _ in
      context?.assumingMemoryBound(to: DirectJob.self).pointee.run(task)
    }
  }

  private func runTiled(_ job: DirectJob, count: Int) {
    let floats = Projection.tileRowCount(columns: job.columns) * job.columns
    self.reserveTiles(floatsPerWorker: floats)
    var job = TiledJob(direct: job, scratch: self.tileScratch.base, scratchPerWorker: floats)
    self.pool.run(&job, count: count) { context, task, worker in
      context?.assumingMemoryBound(to: TiledJob.self).pointee.run(task, worker: worker)
    }
  }
}
