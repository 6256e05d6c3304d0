internal import CKernels

/// Which sequence each row of a batch belongs to and how far it may look back: written once a step, used by every layer.
public final class AttentionPlan {
  struct Row {
    var blocks: UnsafeMutablePointer<UnsafePointer<Float>?>
    var first: Int
    var positions: Int
  }

  private(set) var rows: [Row] = []
  // Holds the caches, and with them the addresses in `rows`, until the next step.
  private var caches: [KVCache] = []

  public init() {}

  public func removeAll() {
    self.rows.removeAll(keepingCapacity: true)
    self.caches.removeAll(keepingCapacity: true)
  }

  /// The next row's query looks at the last `window` of the first `positions` positions of `cache`, its own included.
  ///
  /// - Precondition: the cache has room for them and is not grown before the plan is used.
  public func append(_ cache: KVCache, positions: Int, window: Int = .max) {
    precondition(positions > 0 && window > 0)
    self.rows.append(Row(blocks: cache.addresses, first: max(0, positions - window), positions: positions))
    self.caches.append(cache)
  }

  /// Copies the row's keys and values, which start at these floats of `buffer`, to the last position of its row.
  public func store(row: Int, layer: Int, from buffer: FloatBuffer, keys: Int, values: Int) {
    let cache = self.caches[row]
    let width = cache.pool.shape.heads * cache.pool.shape.headDimension
    cache.store(
      layer: layer, position: self.rows[row].positions - 1, keys: buffer.pointer(keys, width),
      values: buffer.pointer(values, width))
  }
}

// Invariant: pointers checked for all rows, alive during the dispatch; a task writes the output of its own row and heads.
private struct AttentionJob {
  var rows: UnsafePointer<AttentionPlan.Row>
  var kernels: UnsafePointer<ck_kernels>
  var shape: KVShape
  var layer: Int
  var group: Int
  var scale: Float
  var queries: UnsafePointer<Float>
  var queryStride: Int
  var output: UnsafeMutablePointer<Float>
  var outputStride: Int

  func run(_ task: Int) {
    let (number, head) = task.quotientAndRemainder(dividingBy: self.shape.heads)
    let row = self.rows[number]
    let offset = head * self.group * self.shape.headDimension
    self.kernels.pointee.attention(
      self.output + number * self.outputStride + offset, self.queries + number * self.queryStride + offset, self.group,
      row.blocks, self.shape.keyOffset(layer: self.layer, head: head), self.shape.valueOffset(layer: self.layer, head: head),
      KVShape.blockPositions, row.first, row.positions, self.shape.headDimension, self.scale)
  }
}

extension CPUBackend {
  /// Multiplications that one thread does in some ten microseconds.
  private static let smallAttention = 128 << 10

  /// output[r] = attention of queries[r] over the planned positions, for every row of the plan.
  ///
  /// Query and output rows are (shape.heads * group, headDimension); `group` query heads share one key and value head.
  public func attend(
    _ queries: Activations, plan: AttentionPlan, shape: KVShape, layer: Int, group: Int, scale: Float, into output: Activations
  ) {
    let rows = plan.rows.count
    guard rows > 0 else { return }
    let width = shape.heads * group * shape.headDimension
    precondition(queries.stride >= width && output.stride >= width && layer >= 0 && layer < shape.layers)
    let source = queries.buffer.pointer(0, (rows - 1) * queries.stride + width)
    let target = output.buffer.pointer(0, (rows - 1) * output.stride + width)
    plan.rows.withUnsafeBufferPointer { planned in
      guard let first = planned.baseAddress else { return }
      var job = AttentionJob(
        rows: first, kernels: self.kernels, shape: shape, layer: layer, group: group, scale: scale, queries: source,
        queryStride: queries.stride, output: target, outputStride: output.stride)
      let products = plan.rows.reduce(0) { $0 + $1.positions - $1.first } * 2 * width
      self.pool.run(&job, count: rows * shape.heads, isSmall: products < Self.smallAttention) { context, task, _ in
        context?.assumingMemoryBound(to: AttentionJob.self).pointee.run(task)
      }
    }
  }
}
