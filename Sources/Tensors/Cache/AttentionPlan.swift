internal import CKernels

/// Which sequence each row of a batch belongs to and how far it may look back: written once a step, used by every layer.
///
/// Adjacent rows of one sequence form tiles, which read keys and values once for all their rows.
public final class AttentionPlan {
  struct Row {
    var blocks: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>
    var first: Int
    var positions: Int
  }

  struct Tile {
    var firstRow: Int
    var rows: Int
    /// The segments that its rows look at.
    var firstSegment: Int
    var lastSegment: Int
  }

  private(set) var rows: [Row] = []
  private var tiles: [Tile] = []
  // Holds the caches, and with them the addresses in `rows`, until the next step.
  private var caches: [KVCache] = []
  private let scratch = AttentionScratch()

  public init() {}

  public func removeAll() {
    self.rows.removeAll(keepingCapacity: true)
    self.caches.removeAll(keepingCapacity: true)
  }

  /// The next row's query looks at the last `window` of the first `positions` positions of `cache`, its own included.
  ///
  /// - Precondition: the cache has room for them and is not grown before the plan is used; all caches are of one shape.
  public func append(_ cache: KVCache, positions: Int, window: Int = .max) {
    precondition(positions > 0 && window > 0 && cache.missingBlocks(positions: positions) == 0)
    self.rows.append(Row(blocks: cache.addresses, first: max(0, positions - window), positions: positions))
    if self.caches.last !== cache { self.caches.append(cache) }
  }

  /// What the keys and values of all rows are made of.
  ///
  /// - Precondition: there is a row.
  var shape: KVShape { self.caches[0].pool.shape }

  /// The rows in tiles of at most `most` adjacent rows of one sequence.
  func tiles(most: Int) -> [Tile] {
    self.tiles.removeAll(keepingCapacity: true)
    for (number, row) in self.rows.enumerated() {
      let (first, last) = (row.first / KVShape.segmentPositions, (row.positions - 1) / KVShape.segmentPositions)
      if let tile = self.tiles.last, tile.rows < most, self.rows[tile.firstRow].blocks == row.blocks {
        self.tiles[self.tiles.count - 1].rows += 1
        self.tiles[self.tiles.count - 1].firstSegment = min(tile.firstSegment, first)
        self.tiles[self.tiles.count - 1].lastSegment = max(tile.lastSegment, last)
      } else {
        self.tiles.append(Tile(firstRow: number, rows: 1, firstSegment: first, lastSegment: last))
      }
    }
    return self.tiles
  }

  /// The scratch memory, with room for these sizes.
  func scratch(workers: Int, queries: Int, partFloats: Int, parts: Int) -> AttentionScratch {
    self.scratch.reserve(workers: workers, queries: queries, partFloats: partFloats, parts: parts)
    return self.scratch
  }
}

/// Working memory of attention, kept from step to step: for each worker descriptions of queries and two parts, and parts that outlive
/// a task.
final class AttentionScratch {
  // Invariant: `queryCapacity` descriptions and `floats.count` floats; grown before a dispatch, never within.
  private(set) var queries: UnsafeMutablePointer<ck_attention_query>
  private var queryCapacity = 1
  private(set) var floats = FloatBuffer(count: 0)

  init() { self.queries = .allocate(capacity: 1) }

  deinit { self.queries.deallocate() }

  func reserve(workers: Int, queries: Int, partFloats: Int, parts: Int) {
    if self.queryCapacity < workers * queries {
      self.queries.deallocate()
      self.queryCapacity = workers * queries
      self.queries = .allocate(capacity: self.queryCapacity)
    }
    let wanted = (2 * workers + parts) * partFloats
    if self.floats.count < wanted { self.floats = FloatBuffer(count: wanted) }
  }
}
