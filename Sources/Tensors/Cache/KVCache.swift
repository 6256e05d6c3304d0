/// The keys and values of one sequence, position after position; it lets go of its blocks when it is freed.
public final class KVCache {
  public let pool: KVBlockPool
  /// Positions written and valid.
  public private(set) var count = 0
  private var blocks: [KVBlock] = []
  // Invariant: `addresses[i]` is the start of `blocks[i]`, for all blocks; reallocated only where a block is added.
  private(set) var addresses: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>
  private var addressCapacity = 8

  public init(pool: KVBlockPool) {
    self.pool = pool
    self.addresses = .allocate(capacity: 8)
  }

  deinit {
    for block in self.blocks { block.letGo() }
    self.addresses.deallocate()
  }

  /// Blocks in its hands, shared ones included.
  public var blockCount: Int { self.blocks.count }

  /// Makes room for `positions` positions in all.
  ///
  /// - Throws: `cacheExhausted` where the pool has no block left; what was there before stays.
  public func reserve(positions: Int) throws(TensorError) {
    while self.blocks.count < self.pool.shape.blocks(positions: positions) { self.append(try self.pool.take()) }
  }

  /// Blocks to be had before `positions` positions have room.
  public func missingBlocks(positions: Int) -> Int { max(0, self.pool.shape.blocks(positions: positions) - self.blocks.count) }

  /// Declares positions below `count` valid, after a forward pass has written them in every layer.
  public func commit(count: Int) {
    precondition(count >= self.count && self.pool.shape.blocks(positions: count) <= self.blocks.count)
    self.count = count
  }

  /// Forgets the positions from `count` on; the next ones are written over them.
  ///
  /// - Precondition: blocks that hold any of them are nobody else's.
  public func truncate(count: Int) {
    precondition(count >= 0 && count <= self.count)
    self.count = count
  }

  /// The block of a number, counted from the sequence's beginning.
  public func block(_ index: Int) -> KVBlock { self.blocks[index] }

  /// Goes on with a block that another sequence with the same tokens has filled.
  ///
  /// - Precondition: whole blocks are filled so far, and the block is the same pool's.
  public func adopt(_ block: KVBlock) {
    self.dropReserved()
    precondition(self.count == self.blocks.count * KVShape.blockPositions && block.bytes == self.pool.shape.blockBytes)
    self.append(block)
    self.count += KVShape.blockPositions
  }

  /// Goes on with a copy of a block whose first `positions` positions hold the keys and values of the sequence's next tokens.
  ///
  /// - Throws: `cacheExhausted`.
  /// - Precondition: whole blocks are filled so far, and the block is the same pool's.
  public func copy(_ block: KVBlock, positions: Int) throws(TensorError) {
    precondition(positions > 0 && positions < KVShape.blockPositions && block.bytes == self.pool.shape.blockBytes)
    self.dropReserved()
    precondition(self.count == self.blocks.count * KVShape.blockPositions)
    let own = try self.pool.take()
    own.base.update(from: block.base, count: block.bytes)
    self.append(own)
    self.count += positions
  }

  /// Takes another block with the same keys and values in place of its own.
  public func replace(_ index: Int, by block: KVBlock) {
    precondition(block.bytes == self.pool.shape.blockBytes)
    block.hold()
    self.blocks[index].letGo()
    self.blocks[index] = block
    self.addresses[index] = block.base
  }

  /// Lets go of blocks beyond the valid positions.
  private func dropReserved() {
    while self.blocks.count > self.pool.shape.blocks(positions: self.count) { self.blocks.removeLast().letGo() }
  }

  private func append(_ block: KVBlock) {
    block.hold()
    if self.blocks.count == self.addressCapacity { self.growAddresses() }
    self.addresses[self.blocks.count] = block.base
    self.blocks.append(block)
  }

  private func growAddresses() {
    let larger = UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>.allocate(capacity: 2 * self.addressCapacity)
    larger.initialize(from: self.addresses, count: self.addressCapacity)
    self.addresses.deallocate()
    self.addresses = larger
    self.addressCapacity *= 2
  }
}
