internal import CKernels

// Invariant: the matrices live during the dispatch; a task works in the scratch memory of its worker and writes the output columns of
// its own rows.
private struct ExactJob {
  struct Panel {
    var source: UnsafeRawPointer
    var type: ElementType
    var rows: Int
    var column: Int
  }

  var panels: UnsafePointer<Panel>
  var products: UnsafePointer<ck_products>
  var columns: Int
  var rows: Int
  var input: Prepared
  var scratch: UnsafeMutablePointer<Float>
  var scratchPerWorker: Int
  var output: UnsafeMutablePointer<Float>
  var outputStride: Int

  func run(_ task: Int, worker: Int) {
    let panel = self.panels[task]
    let values = self.scratch + worker * self.scratchPerWorker
    let packed = values + ElementType.panelRows * self.columns
    panel.type.dequantize(values, panel.source, panel.rows * self.columns)
    ck_pack(packed, CK_F32, values, panel.rows, self.columns)
    self.products.pointee.f32(
      self.output + panel.column, self.outputStride, packed, panel.rows, self.columns, self.input.rows, self.input.stride,
      self.rows)
  }
}

extension CPUBackend {
  func multipliesExactly(_ weights: Projection) -> Bool { self.activations == .exact && weights.needsRounding }

  /// Panel after panel of dequantised weights, by the product of F32: what packing them as F32 would give, in a few hundred kilobytes.
  func multiplyExactly(
    _ weights: Projection, _ input: Prepared, rows: Int, _ output: UnsafeMutablePointer<Float>, stride: Int
  ) {
    let (columns, step) = (weights.columns, ElementType.panelRows)
    var panels: [ExactJob.Panel] = []
    var column = 0
    for part in weights.parts {
      for row in Swift.stride(from: 0, to: part.rows, by: step) {
        panels.append(
          ExactJob.Panel(
            source: part.base + row * part.rowBytes, type: part.type, rows: min(step, part.rows - row), column: column + row))
      }
      column += part.rows
    }
    let perWorker = step * columns + ElementType.f32.packedBytes(rows: step, columns: columns) / MemoryLayout<Float>.stride
    let scratch = FloatBuffer(count: self.pool.threads * perWorker)
    panels.withUnsafeBufferPointer { panels in
      guard let first = panels.baseAddress else { return }
      var job = ExactJob(
        panels: first, products: self.products, columns: columns, rows: rows, input: input, scratch: scratch.base,
        scratchPerWorker: perWorker, output: output, outputStride: stride)
      self.pool.run(&job, count: panels.count) { context, task, worker in
        context?.assumingMemoryBound(to: ExactJob.self).pointee.run(task, worker: worker)
      }
    }
  }
}
