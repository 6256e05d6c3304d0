internal import CKernels

/// Matrices that multiply the same activations, as one: their results stand side by side in each output row.
///
/// Query, key and value (or gate and up) of a layer form one projection, so that one meeting of the threads serves all. Before its first
/// product with rounded activations it is packed: copied into the layout that the kernels read.
public final class Projection {
  /// A run of rows that one thread computes at once.
  struct Chunk {
    var panels: UnsafeRawPointer
    var type: ElementType
    var rows: Int
    /// Where in an output row the first of them goes.
    var column: Int
  }

  /// The length of an activation row.
  public let columns: Int
  /// The length of an output row.
  public let rows: Int
  /// Bytes of the packed weights; what each product reads.
  public let packedBytes: Int
  /// Whether any of the matrices multiplies rounded activations.
  let needsRounding: Bool
  /// Whether any of them multiplies activations as they are.
  let needsPlain: Bool
  let parts: [Matrix]
  private var memory: PackedMemory?
  // Invariant: the chunks point into `memory` and cover each row of the matrices once; empty until they are packed.
  private(set) var chunks: [Chunk] = []

  /// Weight bytes that one task streams: long enough to hide the cost of claiming it and of starting to read; an eighth of what is left
  /// towards the end, so that threads end together.
  private static let chunkBytes = (least: 48 << 10, most: 384 << 10)

  /// - Throws: `shapeMismatch` where the matrices differ in columns or there are none.
  public init(_ parts: [Matrix]) throws(TensorError) {
    guard let first = parts.first, parts.allSatisfy({ $0.columns == first.columns }) else {
      throw TensorError(.shapeMismatch, "A projection needs matrices with the same number of columns.")
    }
    self.parts = parts
    self.columns = first.columns
    self.rows = parts.reduce(0) { $0 + $1.rows }
    self.packedBytes = parts.reduce(0) { $0 + $1.type.packedBytes(rows: $1.rows, columns: $1.columns) }
    self.needsRounding = parts.contains { $0.type.multipliesRounded }
    self.needsPlain = parts.contains { !$0.type.multipliesRounded }
  }

  public var isPacked: Bool { self.memory != nil }

  /// Packs with all threads; O(bytes), at about the speed of memory. Later calls do nothing.
  func pack(_ pool: WorkerPool) {
    guard self.memory == nil else { return }
    let memory = PackedMemory(count: self.packedBytes)
    var jobs: [PackingJob] = []
    var (offset, column) = (0, 0)
    for part in self.parts {
      let panelBytes = part.type.packedBytes(rows: 1, columns: part.columns)
      var row = 0
      while row < part.rows {
        let bytes = min(max((self.packedBytes - offset) / 8, Self.chunkBytes.least), Self.chunkBytes.most)
        let rows = min(max(1, bytes / panelBytes) * ElementType.panelRows, part.rows - row)
        let panels = memory.base + offset
        self.chunks.append(Chunk(panels: panels, type: part.type, rows: rows, column: column + row))
        jobs.append(
          PackingJob(
            panels: panels, type: part.type.identifier, source: part.base + row * part.rowBytes, rows: rows, columns: part.columns
          ))
        offset += part.type.packedBytes(rows: rows, columns: part.columns)
        row += rows
      }
      column += part.rows
    }
    jobs.withUnsafeBufferPointer { jobs in
      guard var first = jobs.baseAddress else { return }
      pool.run(&first, count: jobs.count) { context, task, _ in
        context?.assumingMemoryBound(to: UnsafePointer<PackingJob>.self).pointee[task].run()
      }
    }
    self.memory = memory
  }
}

// Invariant: source and panels hold `rows` rows and outlive the dispatch; each job has panels of its own.
private struct PackingJob {
  var panels: UnsafeMutableRawPointer
  var type: ck_type
  var source: UnsafeRawPointer
  var rows: Int
  var columns: Int

  func run() { ck_pack(self.panels, self.type, self.source, self.rows, self.columns) }
}
