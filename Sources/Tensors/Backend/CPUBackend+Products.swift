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
// the prepared rows, or the output columns of the chunk, that are its own.
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

private struct ArrangingJob {
  static let group = Int(CK_ARRANGED_ROWS)

  var rows: Int
  var columns: Int
  var input: UnsafePointer<Float>
  var inputStride: Int
  var output: UnsafeMutablePointer<Float>

  func run(_ number: Int) {
    let first = number * Self.group
    ck_arrange(
      self.output + first * self.columns, self.input + first * self.inputStride, self.inputStride,
      min(Self.group, self.rows - first),
      self.columns)
  }
}

// What the chunks of one kind multiply: rows, or groups of them, `stride` bytes apart.
struct Prepared {
  var rows: UnsafeRawPointer
  var stride: Int
}

private struct ProductJob {
  var chunks: UnsafePointer<Projection.Chunk>
  var products: UnsafePointer<ck_products>
  var columns: Int
  var rows: Int
  var plain: Prepared
  var rounded: Prepared
  var output: UnsafeMutablePointer<Float>
  var outputStride: Int

  func run(_ task: Int) {
    let chunk = self.chunks[task]
    let input = chunk.type.multipliesRounded ? self.rounded : self.plain
    self.products.pointee.product(chunk.type)(
      self.output + chunk.column, self.outputStride, chunk.panels, chunk.rows, self.columns, input.rows, input.stride, self.rows)
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
  /// Activation rows from which a product is bound by arithmetic.
  private static let manyRows = 12

  /// output[b] = weights x input[b], b < rows. Input rows are `weights.columns` long, output rows `weights.rows`.
  ///
  /// Plain weights multiply activations as they are, quantised ones as ``activations`` says. A row's result has the same bits whatever other rows are there, and with every instruction set.
  ///
  /// - Precondition: the buffers hold the rows and do not overlap.
  /// - Parameter next: the weights that will be read after these, which threads that wait for the others begin to fetch.
  public func multiply(
    _ weights: Projection, _ input: Activations, rows: Int, into output: Activations, before next: Projection? = nil
  ) {
    guard rows > 0 else { return }
    precondition(input.stride >= weights.columns && output.stride >= weights.rows)
    let source = input.buffer.pointer(0, (rows - 1) * input.stride + weights.columns)
    let target = output.buffer.pointer(0, (rows - 1) * output.stride + weights.rows)
    let isExact = self.multipliesExactly(weights)
    let (plain, rounded) = self.prepare(weights, source, stride: input.stride, rows: rows, isExact: isExact)
    if isExact {
      self.multiplyExactly(weights, plain, rows: rows, target, stride: output.stride)
      return
    }
    weights.pack(self.pool)
    (rows < Self.manyRows ? weights.chunks : weights.slabs).withUnsafeBufferPointer { chunks in
      guard let first = chunks.baseAddress else { return }
      var job = ProductJob(
        chunks: first, products: self.products, columns: weights.columns, rows: rows, plain: plain, rounded: rounded,
        output: target,
        outputStride: output.stride)
      self.pool.run(&job, count: chunks.count, ahead: next?.startsAhead) { context, task, _ in
        context?.assumingMemoryBound(to: ProductJob.self).pointee.run(task)
      }
    }
  }

  /// The activations as the kernels want them: those of plain weights as they are or, where there are many rows, arranged; those of
  /// quantised weights rounded.
  private func prepare(
    _ weights: Projection, _ input: UnsafePointer<Float>, stride: Int, rows: Int, isExact: Bool
  ) -> (plain: Prepared, rounded: Prepared) {
    let columns = weights.columns
    let isArranged = (weights.needsPlain || isExact) && rows >= ArrangingJob.group
    let groups = isArranged ? (rows + ArrangingJob.group - 1) / ArrangingJob.group : 0
    let groupBytes = ArrangingJob.group * columns * MemoryLayout<Float>.stride
    let needsRounding = weights.needsRounding && !isExact
    let roundedStride = needsRounding ? ck_activation_bytes(columns) : 0
    let scratch = self.preparedActivations(byteCount: rows * roundedStride + groups * groupBytes)
    let arranged = scratch + rows * roundedStride
    if needsRounding {
      var job = RoundingJob(
        products: self.products, columns: columns, input: input, inputStride: stride, output: scratch, outputStride: roundedStride
      )
      // A row takes about a microsecond, less than meeting the helpers.
      self.pool.run(&job, count: rows, isSmall: rows < 4) { context, row, _ in
        context?.assumingMemoryBound(to: RoundingJob.self).pointee.run(row)
      }
    }
    if groups > 0 {
      var job = ArrangingJob(
        rows: rows, columns: columns, input: input, inputStride: stride,
        output: arranged.bindMemory(to: Float.self, capacity: groups * ArrangingJob.group * columns))
      self.pool.run(&job, count: groups) { context, group, _ in
        context?.assumingMemoryBound(to: ArrangingJob.self).pointee.run(group)
      }
    }
    return (
      groups > 0
        ? Prepared(rows: arranged, stride: groupBytes) : Prepared(rows: input, stride: stride * MemoryLayout<Float>.stride),
      Prepared(rows: scratch, stride: roundedStride)
    )
  }

  /// Brings the weights into the layout that the kernels read, which ``multiply(_:_:rows:into:)`` else does when it first meets them.
  public func pack(_ weights: Projection) {
    if !self.multipliesExactly(weights) { weights.pack(self.pool) }
  }

  /// Reads the packed weights as products do and computes next to nothing: the least time that a product with one row can take.
  public func readPacked(_ weights: Projection, before next: Projection? = nil) {
    weights.pack(self.pool)
    weights.chunks.withUnsafeBufferPointer { chunks in
      guard let first = chunks.baseAddress else { return }
      var job = ReadingJob(chunks: first, products: self.products, columns: weights.columns)
      self.pool.run(&job, count: chunks.count, ahead: next?.startsAhead) { context, task, _ in
        context?.assumingMemoryBound(to: ReadingJob.self).pointee.run(task)
      }
    }
  }
}
