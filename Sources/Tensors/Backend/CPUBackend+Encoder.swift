internal import CKernels

// What an encoder does that a decoder does not: normalisation about the mean, the error function, attention in both directions.
// Invariant of the jobs: the pointers were checked against their buffers for all rows and outlive the dispatch; a task writes its own
// row, or the columns and the scratch of its own head.

private struct LayerNormJob {
  var rows: UnsafeMutablePointer<Float>
  var term: UnsafePointer<Float>?
  var weight: UnsafePointer<Float>
  var bias: UnsafePointer<Float>
  var width: Int
  var epsilon: Float

  func run(_ row: Int) {
    ck_layer_norm(
      self.rows + row * self.width, self.term.map { $0 + row * self.width }, self.weight, self.bias, self.width, self.epsilon)
  }
}

private struct GELUJob {
  var rows: UnsafeMutablePointer<Float>
  var width: Int

  func run(_ row: Int) { ck_gelu(self.rows + row * self.width, self.width) }
}

private struct BidirectionalJob {
  var input: UnsafePointer<Float>
  var output: UnsafeMutablePointer<Float>
  var scratch: UnsafeMutablePointer<Float>
  var rows: Int
  var width: Int
  var headDimension: Int

  func run(_ head: Int) {
    let query = self.input + head * self.headDimension
    ck_attend_to_all(
      query, query + self.width, query + 2 * self.width, 3 * self.width, self.output + head * self.headDimension, self.width,
      self.rows, self.headDimension, self.scratch + head * self.rows * (self.headDimension + 1))
  }
}

extension CPUBackend {
  /// rows[r] = (rows[r] + term[r]) normalised about its mean, times weight, plus bias; rows are `weight.count` long.
  public func layerNorm(
    _ rows: FloatBuffer, adding term: FloatBuffer? = nil, count: Int, weight: FloatBuffer, bias: FloatBuffer, epsilon: Float
  ) {
    precondition(bias.count == weight.count)
    let total = count * weight.count
    var job = LayerNormJob(
      rows: rows.pointer(0, total), term: term.map { UnsafePointer($0.pointer(0, total)) }, weight: weight.base, bias: bias.base,
      width: weight.count, epsilon: epsilon)
    self.pool.run(&job, count: count, isSmall: count < 4) { context, row, _ in
      context?.assumingMemoryBound(to: LayerNormJob.self).pointee.run(row)
    }
  }

  /// rows[r][i] = x Φ(x) of what stands there, by the error function, to 1e-6.
  public func gelu(_ rows: FloatBuffer, count: Int, width: Int) {
    var job = GELUJob(rows: rows.pointer(0, count * width), width: width)
    self.pool.run(&job, count: count, isSmall: count < 4) { context, row, _ in
      context?.assumingMemoryBound(to: GELUJob.self).pointee.run(row)
    }
  }

  /// Attention of every row to every row: `input` has rows of query, key and value, each `heads * headDimension` long, `output` rows of as
  /// many values.
  ///
  /// - Precondition: `scratch` holds `heads * rows * (headDimension + 1)` floats.
  public func attendToAll(
    _ input: FloatBuffer, rows: Int, heads: Int, headDimension: Int, scratch: FloatBuffer, into output: FloatBuffer
  ) {
    let width = heads * headDimension
    var job = BidirectionalJob(
      input: input.pointer(0, rows * 3 * width), output: output.pointer(0, rows * width),
      scratch: scratch.pointer(0, heads * rows * (headDimension + 1)), rows: rows, width: width, headDimension: headDimension)
    self.pool.run(&job, count: heads, isSmall: rows < 2) { context, head, _ in
      context?.assumingMemoryBound(to: BidirectionalJob.self).pointee.run(head)
    }
  }
}
