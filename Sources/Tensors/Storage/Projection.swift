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
  // Invariant: each of the two covers each row of the matrices once and points into `memory`; empty until they are packed.
  /// For few activation rows: small pieces, so that threads end together.
  private(set) var chunks: [Chunk] = []
  /// For many: large pieces, which go over the activations fewer times.
  private(set) var slabs: [Chunk] = []
  // Invariant: where each thread begins to read the chunks; set once, freed by `deinit`.
  private var starts: UnsafeMutablePointer<UnsafePointer<UInt8>?>?
  var startsAhead: UnsafePointer<UnsafePointer<UInt8>?>? { self.starts.map { UnsafePointer($0) } }

  /// Weight bytes of a chunk, which a thread streams in some three microseconds; those of a slab, and the least of them: an eighth of
  /// what is left towards the end.
  private static let chunkBytes = 48 << 10
  private static let slabBytes = (least: 48 << 10, most: 384 << 10)

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

  deinit { self.starts?.deallocate() }

  /// Packs with all threads; O(bytes), at about the speed of memory. Later calls do nothing.
  func pack(_ pool: WorkerPool) {
    guard self.memory == nil else { return }
    let memory = PackedMemory(count: self.packedBytes)
    var jobs: [PackingJob] = []
    self.slabs = self.pieces(of: memory) { min(max((self.packedBytes - $0) / 8, Self.slabBytes.least), Self.slabBytes.most) }
    self.chunks = self.pieces(of: memory) { _ in Self.chunkBytes }
    var offset = 0
    for part in self.parts {
      let panelBytes = part.type.packedBytes(rows: 1, columns: part.columns)
      for row in stride(from: 0, to: part.rows, by: ElementType.panelRows) {
        jobs.append(
          PackingJob(
            panels: memory.base + offset, type: part.type.identifier, source: part.base + row * part.rowBytes,
            rows: min(ElementType.panelRows, part.rows - row), columns: part.columns))
        offset += panelBytes
      }
    }
    jobs.withUnsafeBufferPointer { jobs in
      guard var first = jobs.baseAddress else { return }
      pool.run(&first, count: jobs.count) { context, task, _ in
        context?.assumingMemoryBound(to: UnsafePointer<PackingJob>.self).pointee[task].run()
      }
    }
    self.memory = memory
    let starts = UnsafeMutablePointer<UnsafePointer<UInt8>?>.allocate(capacity: pool.threads)
    for worker in 0..<pool.threads {
      let first = ck_pool_first(self.chunks.count, worker, pool.threads)
      let panels = first < self.chunks.count ? self.chunks[first].panels.assumingMemoryBound(to: UInt8.self) : nil
      (starts + worker).initialize(to: panels)
    }
    self.starts = starts
  }

  /// All rows in runs of whole panels, of about `bytes` bytes each, which depends on the bytes before it.
  private func pieces(of memory: PackedMemory, bytes: (Int) -> Int) -> [Chunk] {
    var pieces: [Chunk] = []
    var (offset, column) = (0, 0)
    for part in self.parts {
      let panelBytes = part.type.packedBytes(rows: 1, columns: part.columns)
      var row = 0
      while row < part.rows {
        let rows = min(max(1, bytes(offset) / panelBytes) * ElementType.panelRows, part.rows - row)
        pieces.append(Chunk(panels: memory.base + offset, type: part.type, rows: rows, column: column + row))
        offset += part.type.packedBytes(rows: rows, columns: part.columns)
        row += rows
      }
      column += part.rows
    }
    return pieces
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
