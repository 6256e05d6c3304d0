public import GovernanceTypes

extension MerkleTree {
  /// Subtree hashes computed from leaf hashes, which are asked for in pages. A subtree costs as many node hashes as it has leaves.
  ///
  /// - Parameter page: The most leaves that are asked for, and held, at once.
  public func subtrees(page: Int = 4096, fromLeaves leaves: @escaping (Range<Int>) throws -> [Digest]) -> SubtreeHash {
    precondition(page > 0, "a page has leaves")
    return { level, index in
      let end = (index + 1) << level
      var frontier = MerkleFrontier()
      for start in stride(from: index << level, to: end, by: page) {
        let range = start..<min(start + page, end)
        let hashes = try leaves(range)
        guard hashes.count == range.count else { throw MerkleError.hashesMissing(wanted: range.count, got: hashes.count) }
        for hash in hashes { frontier.append(hash, in: self) }
      }
      return frontier.root(in: self)
    }
  }

  /// The right edge of the tree of the first `size` leaves. O(log size) subtree hashes.
  public func frontier(size: Int, subtree: SubtreeHash) throws -> MerkleFrontier {
    guard size >= 0 else { throw MerkleError.sizeOutOfRange(first: size, second: size) }
    let hashes = try completeSubtrees(of: 0..<size).map { try subtree($0.level, $0.index) }
    guard let frontier = MerkleFrontier(size: size, hashes: hashes) else {
      throw MerkleError.hashesMissing(wanted: size.nonzeroBitCount, got: hashes.count)
    }
    return frontier
  }

  /// The root of the tree of the first `size` leaves.
  public func root(size: Int, subtree: SubtreeHash) throws -> Digest {
    try self.frontier(size: size, subtree: subtree).root(in: self)
  }

  /// The audit path of a leaf (RFC 9162 section 2.1.3.1), from the leaf's sibling up. O(log size) hashes.
  ///
  /// - Throws: ``MerkleError/indexOutOfRange(index:size:)``, and whatever `subtree` throws.
  public func inclusionProof(index: Int, size: Int, subtree: SubtreeHash) throws -> [Digest] {
    guard index >= 0, index < size else { throw MerkleError.indexOutOfRange(index: index, size: size) }
    var range = 0..<size
    var siblings: [Range<Int>] = []
    while range.count > 1 {
      let middle = range.lowerBound + splitPoint(range.count)
      if index < middle {
        siblings.append(middle..<range.upperBound)
        range = range.lowerBound..<middle
      } else {
        siblings.append(range.lowerBound..<middle)
        range = middle..<range.upperBound
      }
    }
    return try siblings.reversed().map { try self.hash(of: $0, subtree: subtree) }
  }

  /// The proof that the tree of `first` leaves is a prefix of that of `second` (RFC 9162 section 2.1.4.1); empty where the
  /// sizes are equal or `first` is 0. O(log second) hashes.
  ///
  /// - Throws: ``MerkleError/sizeOutOfRange(first:second:)``, and whatever `subtree` throws.
  public func consistencyProof(from first: Int, to second: Int, subtree: SubtreeHash) throws -> [Digest] {
    guard first >= 0, first <= second else { throw MerkleError.sizeOutOfRange(first: first, second: second) }
    guard first > 0, first < second else { return [] }
    var range = 0..<second
    var parts: [Range<Int>] = []
    var isWholeFirst = true
    while range.upperBound != first {
      let middle = range.lowerBound + splitPoint(range.count)
      if first <= middle {
        parts.append(middle..<range.upperBound)
        range = range.lowerBound..<middle
      } else {
        parts.append(range.lowerBound..<middle)
        range = middle..<range.upperBound
        isWholeFirst = false
      }
    }
    if !isWholeFirst { parts.append(range) }
    return try parts.reversed().map { try self.hash(of: $0, subtree: subtree) }
  }

  /// The hash of the subtree over `range`, whose start is a multiple of a power of two that is no less than its length.
  private func hash(of range: Range<Int>, subtree: SubtreeHash) throws -> Digest {
    var hashes = try completeSubtrees(of: range).map { try subtree($0.level, $0.index) }
    guard var root = hashes.popLast() else { return self.emptyRoot }
    while let left = hashes.popLast() { root = self.nodeHash(left, root) }
    return root
  }
}

/// The largest power of two below `count`.
///
/// - Precondition: `count` is at least 2.
func splitPoint(_ count: Int) -> Int { 1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount) }

/// The complete subtrees that make up a range which starts at a multiple of a power of two no less than its length.
func completeSubtrees(of range: Range<Int>) -> [(level: Int, index: Int)] {
  var subtrees: [(level: Int, index: Int)] = []
  var start = range.lowerBound
  while start < range.upperBound {
    let level = Int.bitWidth - 1 - (range.upperBound - start).leadingZeroBitCount
    subtrees.append((level, start >> level))
    start += 1 << level
  }
  return subtrees
}
