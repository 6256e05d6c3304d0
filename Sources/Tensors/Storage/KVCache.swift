/// What the keys and values of one position are made of.
public struct KVShape: Sendable, Equatable {
  public let layers: Int
  public let heads: Int
  public let headDimension: Int

  public init(layers: Int, heads: Int, headDimension: Int) {
    self.layers = layers
    self.heads = heads
    self.headDimension = headDimension
  }

  /// Positions in one block.
  public static let blockPositions = 32

  var headBlockFloats: Int { Self.blockPositions * self.headDimension }
  var blockFloats: Int { self.layers * 2 * self.heads * self.headBlockFloats }
  public var blockBytes: Int { self.blockFloats * MemoryLayout<Float>.stride }

  /// Blocks that `positions` positions take.
  public func blocks(positions: Int) -> Int { (positions + Self.blockPositions - 1) / Self.blockPositions }

  // A block: (layer, keys then values, head, position, headDimension).
  func keyOffset(layer: Int, head: Int) -> Int { (layer * 2 * self.heads + head) * self.headBlockFloats }
  func valueOffset(layer: Int, head: Int) -> Int { (layer * 2 * self.heads + self.heads + head) * self.headBlockFloats }
}

/// The memory for keys and values of all sequences of one model: blocks of 32 positions, handed out one by one and reused.
///
/// Bounded by `capacity`; memory is taken from the system when a block is first needed and kept. One thread at a time.
public final class KVBlockPool {
  public let shape: KVShape
  /// The most blocks in use at once.
  public let capacity: Int
  public private(set) var used = 0
  private var free: [FloatBuffer] = []

  public init(shape: KVShape, capacity: Int) {
    self.shape = shape
    self.capacity = capacity
  }

  /// Bytes held from the system, in use or not.
  public var residentBytes: Int { (self.used + self.free.count) * self.shape.blockBytes }
  public var usedBytes: Int { self.used * self.shape.blockBytes }

  fileprivate func take() throws(TensorError) -> FloatBuffer {
    guard self.used < self.capacity else {
      throw TensorError(.cacheExhausted, "All \(self.capacity) key-value blocks are in use.")
    }
    self.used += 1
    return self.free.popLast() ?? FloatBuffer(count: self.shape.blockFloats)
  }

  fileprivate func put(_ blocks: [FloatBuffer]) {
    self.used -= blocks.count
    self.free.append(contentsOf: blocks)
  }
}

/// The keys and values of one sequence, position after position; its blocks return to the pool when it is freed.
public final class KVCache {
  public let pool: KVBlockPool
  /// Positions written and valid.
  public private(set) var count = 0
  private var blocks: [FloatBuffer] = []
  // Invariant: `addresses[i]` is the start of `blocks[i]`, for all blocks; reallocated only by `reserve`.
  private(set) var addresses: UnsafeMutablePointer<UnsafePointer<Float>?>
  private var addressCapacity = 8

  public init(pool: KVBlockPool) {
    self.pool = pool
    self.addresses = .allocate(capacity: 8)
  }

  deinit {
    self.pool.put(self.blocks)
    self.addresses.deallocate()
  }

  /// Makes room for `positions` positions in all.
  ///
  /// - Throws: `cacheExhausted` where the pool has no block left; what was there before stays.
  public func reserve(positions: Int) throws(TensorError) {
    while self.blocks.count < self.pool.shape.blocks(positions: positions) {
      let block = try self.pool.take()
      if self.blocks.count == self.addressCapacity { self.growAddresses() }
      self.addresses[self.blocks.count] = UnsafePointer(block.base)
      self.blocks.append(block)
    }
  }

  /// Declares positions below `count` valid, after a forward pass has written them in every layer.
  public func commit(count: Int) {
    precondition(count >= self.count && self.pool.shape.blocks(positions: count) <= self.blocks.count)
    self.count = count
  }

  /// Copies one position's keys and values of one layer: (heads, headDimension) each.
  func store(layer: Int, position: Int, keys: UnsafePointer<Float>, values: UnsafePointer<Float>) {
    let shape = self.pool.shape
    let block = self.blocks[position / KVShape.blockPositions].base
    let row = position % KVShape.blockPositions * shape.headDimension
    for head in 0..<shape.heads {
      let source = head * shape.headDimension
      (block + shape.keyOffset(layer: layer, head: head) + row).update(from: keys + source, count: shape.headDimension)
      (block + shape.valueOffset(layer: layer, head: head) + row).update(from: values + source, count: shape.headDimension)
    }
  }

  private func growAddresses() {
    let larger = UnsafeMutablePointer<UnsafePointer<Float>?>.allocate(capacity: 2 * self.addressCapacity)
    larger.initialize(from: self.addresses, count: self.addressCapacity)
    self.addresses.deallocate()
    self.addresses = larger
    self.addressCapacity *= 2
  }
}
