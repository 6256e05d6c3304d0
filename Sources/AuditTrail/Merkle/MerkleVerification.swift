public import GovernanceTypes

extension MerkleTree {
  /// Whether `proof` leads from a leaf to the root (RFC 9162 section 2.1.3.2). O(log size).
  public func verifyInclusion(of leafHash: Digest, index: Int, size: Int, proof: [Digest], root: Digest) -> Bool {
    guard index >= 0, index < size else { return false }
    var position = index
    var last = size - 1
    var hash = leafHash
    for sibling in proof {
      guard last > 0 else { return false }
      if position & 1 == 1 || position == last {
        hash = self.nodeHash(sibling, hash)
        while position & 1 == 0, position != 0 { (position, last) = (position >> 1, last >> 1) }
      } else {
        hash = self.nodeHash(hash, sibling)
      }
      (position, last) = (position >> 1, last >> 1)
    }
    return last == 0 && hash == root
  }

  /// Whether `proof` shows that the tree of `first` leaves is a prefix of that of `second` (RFC 9162 section 2.1.4.2).
  ///
  /// Anything extends the empty tree; equal sizes need equal roots. In both cases the proof must be empty. O(log second).
  public func verifyConsistency(
    from first: (size: Int, root: Digest), to second: (size: Int, root: Digest), proof: [Digest]
  ) -> Bool {
    guard first.size >= 0, first.size <= second.size else { return false }
    if first.size == second.size { return proof.isEmpty && first.root == second.root }
    if first.size == 0 { return proof.isEmpty && first.root == self.emptyRoot }
    var path = proof[...]
    if first.size.nonzeroBitCount == 1 { path = [first.root] + path }
    guard let start = path.popFirst() else { return false }
    let skipped = first.size.trailingZeroBitCount
    var position = (first.size - 1) >> skipped
    var last = (second.size - 1) >> skipped
    var (older, newer) = (start, start)
    for hash in path {
      guard last > 0 else { return false }
      if position & 1 == 1 || position == last {
        older = self.nodeHash(hash, older)
        newer = self.nodeHash(hash, newer)
        while position & 1 == 0, position != 0 { (position, last) = (position >> 1, last >> 1) }
      } else {
        newer = self.nodeHash(newer, hash)
      }
      (position, last) = (position >> 1, last >> 1)
    }
    return last == 0 && older == first.root && newer == second.root
  }
}
