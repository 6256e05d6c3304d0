/// The memory for keys and values of all sequences of one model: blocks of 32 positions, handed out one by one and reused.
///
/// Bounded by `capacity`; memory is taken from the system when a block is first needed and kept. One thread at a time.
public final class KVBlockPool {
  public let shape: KVShape
  /// The most blocks in use at once.
  public let capacity: Int
  public private(set) var used = 0
  /// Of these, the blocks that some ``KVCache`` holds; the others are kept for later by whoever else holds them.
  public fileprivate(set) var held = 0
  /// Asked when all blocks are in use; true where it has let go of one.
  public var reclaim: (() -> Bool)?
  private var free: [KVMemory] = []

  public init(shape: KVShape, capacity: Int) {
    self.shape = shape
    self.capacity = capacity
  }

  /// Bytes held from the system, in use or not.
  public var residentBytes: Int { (self.used + self.free.count) * self.shape.blockBytes }
  public var heldBytes: Int { self.held * self.shape.blockBytes }
  /// Blocks that sequences can have in addition to what they hold, where everything else is let go of.
  public var available: Int { self.capacity - self.held }

  func take() throws(TensorError) -> KVBlock {
    while self.used >= self.capacity {
      guard self.reclaim?() == true else {
        throw TensorError(.cacheExhausted, "All \(self.capacity) key-value blocks are in use.")
      }
    }
    self.used += 1
    return KVBlock(self.free.popLast() ?? KVMemory(bytes: self.shape.blockBytes), pool: self)
  }

  fileprivate func put(_ memory: KVMemory) {
    self.used -= 1
    self.free.append(memory)
  }
}

/// One block, shared by all who hold it; its memory returns to the pool when nobody does.
///
/// Whoever shares a block reads it only: a sequence writes to blocks that it alone holds.
public final class KVBlock {
  private let memory: KVMemory
  private let pool: KVBlockPool
  private var holders = 0

  fileprivate init(_ memory: KVMemory, pool: KVBlockPool) {
    self.memory = memory
    self.pool = pool
  }

  deinit { self.pool.put(self.memory) }

  /// Whether a sequence has it.
  public var isHeld: Bool { self.holders > 0 }

  func hold() {
    self.holders += 1
    if self.holders == 1 { self.pool.held += 1 }
  }

  func letGo() {
    self.holders -= 1
    if self.holders == 0 { self.pool.held -= 1 }
  }

  var base: UnsafeMutablePointer<UInt8> { self.memory.base }
  var bytes: Int { self.memory.bytes }
}

/// Invariant: `bytes` initialised bytes at a 64-byte boundary from `init` to `deinit`.
fileprivate final class KVMemory {
  let base: UnsafeMutablePointer<UInt8>
  let bytes: Int

  init(bytes: Int) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, 1), alignment: 64)
    self.base = memory.bindMemory(to: UInt8.self, capacity: max(bytes, 1))
    self.base.initialize(repeating: 0, count: max(bytes, 1))
    self.bytes = bytes
  }

  deinit { UnsafeMutableRawPointer(self.base).deallocate() }
}
