public import GovernanceTypes

/// The right edge of a Merkle tree: the roots of its complete subtrees, from the largest (left) to the smallest (right).
///
/// It is all that appending needs. A tree of `size` leaves has one hash for every one-bit of `size`.
public struct MerkleFrontier: Equatable, Sendable {
  public private(set) var size: Int
  public private(set) var hashes: [Digest]

  /// The frontier of the empty tree.
  public init() {
    self.size = 0
    self.hashes = []
  }

  /// Nil unless the number of hashes is the number of one-bits of `size`.
  public init?(size: Int, hashes: [Digest]) {
    guard size >= 0, hashes.count == size.nonzeroBitCount else { return nil }
    self.size = size
    self.hashes = hashes
  }

  /// Appends a leaf by its hash. Amortised O(1) node hashes, at most log2(size).
  public mutating func append(_ leafHash: Digest, in tree: MerkleTree) {
    var hash = leafHash
    var rest = self.size
    while rest & 1 == 1, let left = self.hashes.popLast() {
      hash = tree.nodeHash(left, hash)
      rest >>= 1
    }
    self.hashes.append(hash)
    self.size += 1
  }

  /// The root of the tree. O(log size) node hashes.
  public func root(in tree: MerkleTree) -> Digest {
    guard var root = self.hashes.last else { return tree.emptyRoot }
    for left in self.hashes.dropLast().reversed() { root = tree.nodeHash(left, root) }
    return root
  }
}
