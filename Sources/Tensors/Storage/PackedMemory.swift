internal import Glibc

/// Memory for packed weights, zero at first: whole pages from the system, in large pages where it gives them, as every token reads all
/// of it.
///
/// Written once while weights are packed, then only read.
final class PackedMemory {
  private static let largePage = 2 << 20

  // Invariant: `count` bytes at a multiple of 64 from `init` to `deinit`.
  let base: UnsafeMutableRawPointer
  let count: Int
  private let mapping: UnsafeMutableRawPointer
  private let mappedCount: Int

  /// - Precondition: the system has the memory; what a model needs is checked before it is loaded.
  init(count: Int) {
    self.count = count
    let (padding, isLarge) = count >= Self.largePage ? (Self.largePage, true) : (0, false)
    self.mappedCount = max(1, count) + padding
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    guard let mapping = mmap(nil, self.mappedCount, PROT_READ | PROT_WRITE, flags, -1, 0), mapping != MAP_FAILED else {
      preconditionFailure("The system has no \(count) bytes for weights.")
    }
    self.mapping = mapping
    self.base = isLarge ? mapping.alignedUp(toMultipleOf: Self.largePage) : mapping
    // Where the system does not know the advice, small pages do.
    if isLarge { madvise(self.base, count, MADV_HUGEPAGE) }
  }

  deinit { munmap(self.mapping, self.mappedCount) }
}
