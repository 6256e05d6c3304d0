internal import AuditTrail
internal import GovernanceStore
internal import GovernanceTypes
internal import Synchronization

/// The hashes of the log's tree at every eighth level, computed once from the leaf hashes on disk and kept.
///
/// Proofs, roots and tiles then read at most a few hundred leaves each. 33 bytes for each 256 entries.
final class LogTree: Sendable {
  let tree: MerkleTree
  private let store: SQLiteStore
  /// Hashes of complete subtrees of 256, 65,536, … leaves, from the first on.
  private let levels = Mutex<[[Digest]]>([])

  private static let width = 256
  /// Tiles of leaves that one read takes.
  private static let tilesPerPage = 128

  init(store: SQLiteStore, digest: @escaping DigestFunction) {
    self.store = store
    self.tree = MerkleTree(digest: digest)
  }

  /// The hash of a complete subtree of entries on disk; what the functions of `MerkleTree` ask for.
  func subtree(level: Int, index: Int) throws -> Digest {
    guard level >= 8 else {
      var frontier = MerkleFrontier()
      for leaf in try self.store.leavesNow(in: index << level..<(index + 1) << level) { frontier.append(leaf, in: self.tree) }
      return frontier.root(in: self.tree)
    }
    return try self.levels.withLock { levels in
      let place = level / 8 - 1
      let first = index << (level % 8)
      let count = 1 << (level % 8)
      try self.extend(&levels, place, to: first + count)
      var frontier = MerkleFrontier()
      for hash in levels[place][first..<first + count] { frontier.append(hash, in: self.tree) }
      return frontier.root(in: self.tree)
    }
  }

  private func extend(_ levels: inout [[Digest]], _ place: Int, to count: Int) throws {
    while levels.count <= place { levels.append([]) }
    while levels[place].count < count {
      let first = levels[place].count
      let more = min(count - first, Self.tilesPerPage)
      let hashes: [Digest]
      if place == 0 {
        hashes = try self.store.leavesNow(in: first * Self.width..<(first + more) * Self.width)
      } else {
        try self.extend(&levels, place - 1, to: (first + more) * Self.width)
        hashes = Array(levels[place - 1][first * Self.width..<(first + more) * Self.width])
      }
      for start in stride(from: 0, to: hashes.count, by: Self.width) {
        var frontier = MerkleFrontier()
        for hash in hashes[start..<start + Self.width] { frontier.append(hash, in: self.tree) }
        levels[place].append(frontier.root(in: self.tree))
      }
    }
  }

  func root(size: Int) throws -> Digest { try self.tree.root(size: size, subtree: self.subtree) }

  /// The proof that an entry is in the tree of a checkpoint.
  func proof(of line: [UInt8], at sequence: Int, size: Int, checkpoint: [UInt8]) throws -> LogProof {
    let path = try self.tree.inclusionProof(index: sequence, size: size, subtree: self.subtree)
    return LogProof(entry: line, index: sequence, path: path, checkpoint: checkpoint)
  }

  func consistencyProof(from first: Int, to second: Int) throws -> [Digest] {
    try self.tree.consistencyProof(from: first, to: second, subtree: self.subtree)
  }
}
