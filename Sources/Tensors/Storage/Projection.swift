/// Matrices that multiply the same activations, as one: their results stand side by side in each output row.
///
/// Query, key and value (or gate and up) of a layer form one projection, so that one meeting of the threads serves all.
public final class Projection {
  /// A run of rows that one thread computes at once.
  struct Chunk {
    var weights: UnsafeRawPointer
    var type: ElementType
    var rows: Int
    /// Where in an output row the first of them goes.
    var column: Int
  }

  /// The length of an activation row.
  public let columns: Int
  /// The length of an output row.
  public let rows: Int
  private let parts: [Matrix]
  // Invariant: the chunks point into `parts` and cover each of their rows once. Their sizes depend on the shapes alone,
  // so that results do not depend on the number of threads.
  let chunks: [Chunk]
  let tiles: [Chunk]

  /// Weight bytes that one task streams: long enough to hide the cost of claiming it.
  private static let chunkBytes = 48 << 10
  /// Floats of one dequantised tile: half a megabyte stays in the second-level cache.
  static let tileFloats = 128 << 10
  private static let tileRows = 16...128

  /// - Throws: `shapeMismatch` where the matrices differ in columns or there are none.
  public init(_ parts: [Matrix]) throws(TensorError) {
    guard let first = parts.first, parts.allSatisfy({ $0.columns == first.columns }) else {
      throw TensorError(.shapeMismatch, "A projection needs matrices with the same number of columns.")
    }
    self.parts = parts
    self.columns = first.columns
    self.rows = parts.reduce(0) { $0 + $1.rows }
    self.chunks = Self.split(parts) { max(1, Self.chunkBytes / $0.rowBytes) }
    self.tiles = Self.split(parts) { Self.tileRowCount(columns: $0.columns) }
  }

  static func tileRowCount(columns: Int) -> Int {
    min(max(Self.tileFloats / columns, Self.tileRows.lowerBound), Self.tileRows.upperBound)
  }

  private static func split(_ parts: [Matrix], _ rowsPerChunk: (Matrix) -> Int) -> [Chunk] {
    var chunks: [Chunk] = []
    var column = 0
    for part in parts {
      let step = rowsPerChunk(part)
      for row in stride(from: 0, to: part.rows, by: step) {
        let weights = part.base + row * part.rowBytes
        chunks.append(Chunk(weights: weights, type: part.type, rows: min(step, part.rows - row), column: column + row))
      }
      column += part.rows
    }
    return chunks
  }
}
