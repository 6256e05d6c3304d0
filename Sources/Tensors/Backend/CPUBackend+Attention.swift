internal import CKernels

// Invariant of all jobs here: pointers checked for all rows, alive during the dispatch; a task writes the output of its own rows and
// heads, or its own parts, and works in its worker's scratch memory.
private struct AttentionJob {
  var rows: UnsafePointer<AttentionPlan.Row>
  var tiles: UnsafePointer<AttentionPlan.Tile>
  var kernels: UnsafePointer<ck_attention_kernels>
  var shape: KVShape
  var layer: Int
  var group: Int
  var scale: Float
  var queries: UnsafePointer<Float>
  var queryStride: Int
  var output: UnsafeMutablePointer<Float>
  var outputStride: Int
  var scratch: UnsafeMutablePointer<ck_attention_query>
  var queriesPerWorker: Int
  var parts: UnsafeMutablePointer<Float>
  var partFloats: Int
  /// Parts of all workers stand before those that outlive a task.
  var workerParts: Int
  var segments: Int

  /// All segments of one tile and head.
  func run(_ task: Int, worker: Int) {
    let (tile, head) = self.place(task)
    let count = self.describe(tile, head, worker)
    let total = self.parts + 2 * worker * self.partFloats
    self.compute(tile.firstSegment, head, count, worker, into: total, blocks: self.rows[tile.firstRow].blocks)
    for segment in tile.firstSegment + 1..<max(tile.firstSegment + 1, tile.lastSegment + 1) {
      let part = total + self.partFloats
      self.compute(segment, head, count, worker, into: part, blocks: self.rows[tile.firstRow].blocks)
      self.kernels.pointee.merge(total, part, count, self.shape.headDimension)
    }
    self.finish(tile, head, total)
  }

  /// One segment of one tile and head, kept for ``join(_:)``.
  func runPart(_ task: Int, worker: Int) {
    let (unit, index) = task.quotientAndRemainder(dividingBy: self.segments)
    let (tile, head) = self.place(unit)
    let segment = tile.firstSegment + index
    guard segment <= tile.lastSegment else { return }
    let count = self.describe(tile, head, worker)
    let part = self.parts + (self.workerParts + task) * self.partFloats
    self.compute(segment, head, count, worker, into: part, blocks: self.rows[tile.firstRow].blocks)
  }

  /// Merges the parts of one tile and head in the order of their segments, as ``run(_:worker:)`` does.
  func join(_ task: Int) {
    let (tile, head) = self.place(task)
    let total = self.parts + (self.workerParts + task * self.segments) * self.partFloats
    for index in 1..<max(1, tile.lastSegment - tile.firstSegment + 1) {
      self.kernels.pointee.merge(
        total, total + index * self.partFloats, tile.rows * self.group, self.shape.headDimension)
    }
    self.finish(tile, head, total)
  }

  private func place(_ unit: Int) -> (AttentionPlan.Tile, head: Int) {
    let (tile, head) = unit.quotientAndRemainder(dividingBy: self.shape.heads)
    return (self.tiles[tile], head)
  }

  private func describe(_ tile: AttentionPlan.Tile, _ head: Int, _ worker: Int) -> Int {
    let queries = self.scratch + worker * self.queriesPerWorker
    var count = 0
    for number in tile.firstRow..<tile.firstRow + tile.rows {
      let row = self.rows[number]
      let start = self.queries + number * self.queryStride + head * self.group * self.shape.headDimension
      for member in 0..<self.group {
        queries[count] = ck_attention_query(
          q: start + member * self.shape.headDimension, first: row.first, positions: row.positions)
        count += 1
      }
    }
    return count
  }

  private func compute(
    _ segment: Int, _ head: Int, _ count: Int, _ worker: Int, into part: UnsafeMutablePointer<Float>,
    blocks: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>
  ) {
    let addresses = UnsafeRawPointer(blocks).assumingMemoryBound(to: UnsafePointer<UInt8>?.self)
    var view = ck_attention_view(
      blocks: addresses, key_offset: self.shape.keyOffset(layer: self.layer, head: head),
      value_offset: self.shape.valueOffset(layer: self.layer, head: head), head_dim: self.shape.headDimension, scale: self.scale)
    let queries = self.scratch + worker * self.queriesPerWorker
    switch self.shape.type {
    case .f32: self.kernels.pointee.segment_f32(part, &view, queries, count, segment)
    case .f16: self.kernels.pointee.segment_f16(part, &view, queries, count, segment)
    case .q8_0: self.kernels.pointee.segment_q8_0(part, &view, queries, count, segment)
    }
  }

  private func finish(_ tile: AttentionPlan.Tile, _ head: Int, _ total: UnsafeMutablePointer<Float>) {
    var part = total
    for number in tile.firstRow..<tile.firstRow + tile.rows {
      var out = self.output + number * self.outputStride + head * self.group * self.shape.headDimension
      for _ in 0..<self.group {
        self.kernels.pointee.finish(out, part, self.shape.headDimension)
        out += self.shape.headDimension
        part += self.shape.headDimension + 2
      }
    }
  }
}

private struct StoreJob {
  var rows: UnsafePointer<AttentionPlan.Row>
  var kernels: UnsafePointer<ck_attention_kernels>
  var shape: KVShape
  var layer: Int
  var keys: UnsafePointer<Float>
  var values: UnsafePointer<Float>
  var stride: Int

  func run(_ number: Int) {
    let row = self.rows[number]
    let (index, position) = (row.positions - 1).quotientAndRemainder(dividingBy: KVShape.blockPositions)
    guard let block = row.blocks[index] else { return }
    for head in 0..<self.shape.heads {
      let source = number * self.stride + head * self.shape.headDimension
      let keys = block + self.shape.keyOffset(layer: self.layer, head: head)
      let values = block + self.shape.valueOffset(layer: self.layer, head: head)
      let (k, v) = (self.keys + source, self.values + source)
      switch self.shape.type {
      case .f32: self.kernels.pointee.store_f32(keys, values, position, k, v, self.shape.headDimension)
      case .f16: self.kernels.pointee.store_f16(keys, values, position, k, v, self.shape.headDimension)
      case .q8_0: self.kernels.pointee.store_q8_0(keys, values, position, k, v, self.shape.headDimension)
      }
    }
  }
}

extension CPUBackend {
  /// Multiplications that one thread does in some ten microseconds.
  private static let smallAttention = 128 << 10
  /// Queries of one tile, where one head's group is not larger: so many that expanding the keys and values of a segment for them costs little.
  private static let tileQueries = 96

  /// Writes each row's keys and values, which begin at these floats of a row, to the last position that the row looks at.
  public func store(_ input: Activations, plan: AttentionPlan, layer: Int, keys: Int, values: Int) {
    let rows = plan.rows.count
    guard rows > 0 else { return }
    let shape = plan.shape
    let width = shape.heads * shape.headDimension
    precondition(input.stride >= max(keys, values) + width && layer >= 0 && layer < shape.layers)
    let count = (rows - 1) * input.stride + width
    let (k, v) = (input.buffer.pointer(keys, count), input.buffer.pointer(values, count))
    plan.rows.withUnsafeBufferPointer { planned in
      guard let first = planned.baseAddress else { return }
      var job = StoreJob(
        rows: first, kernels: self.instructionSet.attention, shape: shape, layer: layer, keys: k, values: v, stride: input.stride)
      self.pool.run(&job, count: rows, isSmall: rows * width < 8 << 10) { context, task, _ in
        context?.assumingMemoryBound(to: StoreJob.self).pointee.run(task)
      }
    }
  }

  /// output[r] = attention of queries[r] over the planned positions, for every row of the plan.
  ///
  /// Query and output rows are (shape.heads * group, headDimension); `group` query heads share one key and value head. A row's result
  /// depends on its query and on what it looks at, never on the other rows, how they are tiled or the number of threads.
  public func attend(
    _ queries: Activations, plan: AttentionPlan, layer: Int, group: Int, scale: Float, into output: Activations
  ) {
    let rows = plan.rows.count
    guard rows > 0 else { return }
    let shape = plan.shape
    let width = shape.heads * group * shape.headDimension
    precondition(queries.stride >= width && output.stride >= width && layer >= 0 && layer < shape.layers)
    let tileRows = max(1, Self.tileQueries / group)
    let tiles = plan.tiles(most: tileRows)
    let units = tiles.count * shape.heads
    let longest = tiles.reduce(1) { max($0, $1.lastSegment - $1.firstSegment + 1) }
    // One task a segment where there are too few heads and rows for all threads.
    let splits = longest > 1 && units < 4 * self.pool.threads && self.pool.threads > 1
    let segments = splits ? longest : 1
    let partFloats = tileRows * group * (shape.headDimension + 2)
    let scratch = plan.scratch(
      workers: self.pool.threads, queries: tileRows * group, partFloats: partFloats, parts: splits ? units * segments : 0)
    let source = queries.buffer.pointer(0, (rows - 1) * queries.stride + width)
    let target = output.buffer.pointer(0, (rows - 1) * output.stride + width)
    let products = plan.rows.reduce(0) { $0 + $1.positions - $1.first } * 2 * width
    plan.rows.withUnsafeBufferPointer { planned in
      tiles.withUnsafeBufferPointer { tiles in
        guard let firstRow = planned.baseAddress, let firstTile = tiles.baseAddress else { return }
        let job = AttentionJob(
          rows: firstRow, tiles: firstTile, kernels: self.instructionSet.attention, shape: shape, layer: layer, group: group,
          scale: scale, queries: source, queryStride: queries.stride, output: target, outputStride: output.stride,
          scratch: scratch.queries, queriesPerWorker: tileRows * group, parts: scratch.floats.base, partFloats: partFloats,
          workerParts: 2 * self.pool.threads, segments: segments)
        self.run(job, units: units, splits: splits, isSmall: products < Self.smallAttention)
      }
    }
  }

  private func run(_ job: AttentionJob, units: Int, splits: Bool, isSmall: Bool) {
    var job = job
    guard splits else {
      self.pool.run(&job, count: units, isSmall: isSmall) { context, task, worker in
        context?.assumingMemoryBound(to: AttentionJob.self).pointee.run(task, worker: worker)
      }
      return
    }
    self.pool.run(&job, count: units * job.segments) { context, task, worker in
      context?.assumingMemoryBound(to: AttentionJob.self).pointee.runPart(task, worker: worker)
    }
    self.pool.run(&job, count: units, isSmall: true) { context, task, _ in
      context?.assumingMemoryBound(to: AttentionJob.self).pointee.join(task)
    }
  }
}
