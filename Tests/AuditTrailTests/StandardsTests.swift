import Documents
import GovernanceTypes
import Testing

@testable import AuditTrail

/// Merkle trees by the definitions of RFC 6962 section 2.1, word for word: recursion over lists of leaves, and nothing shared with the
/// product but the sizes that are asked for. Hashes of ranges are remembered, so that all sizes up to 300 are quick.
private struct NaiveTree {
  let leaves: [Digest]
  private var known: [Range<Int>: Digest] = [:]

  init(_ size: Int) {
    self.leaves = (0..<size).map { referenceSHA256([0, UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]) }
  }

  /// MTH(D[range]).
  mutating func hash(_ range: Range<Int>) -> Digest {
    if range.isEmpty { return referenceSHA256([]) }
    if range.count == 1 { return self.leaves[range.lowerBound] }
    if let hash = self.known[range] { return hash }
    let middle = range.lowerBound + Self.split(range.count)
    let (left, right) = (self.hash(range.lowerBound..<middle), self.hash(middle..<range.upperBound))
    let hash = referenceSHA256([1] + left.bytes + right.bytes)
    self.known[range] = hash
    return hash
  }

  /// The largest power of two smaller than n.
  private static func split(_ count: Int) -> Int {
    var power = 1
    while power * 2 < count { power *= 2 }
    return power
  }

  /// PATH(m, D[range]).
  mutating func path(_ leaf: Int, _ range: Range<Int>) -> [Digest] {
    if range.count == 1 { return [] }
    let middle = range.lowerBound + Self.split(range.count)
    return leaf < middle
      ? self.path(leaf, range.lowerBound..<middle) + [self.hash(middle..<range.upperBound)]
      : self.path(leaf, middle..<range.upperBound) + [self.hash(range.lowerBound..<middle)]
  }

  /// SUBPROOF(m, D[range], b), with m counted from the start of the tree.
  mutating func subproof(_ first: Int, _ range: Range<Int>, _ isWhole: Bool) -> [Digest] {
    if first == range.upperBound { return isWhole ? [] : [self.hash(range)] }
    let middle = range.lowerBound + Self.split(range.count)
    return first <= middle
      ? self.subproof(first, range.lowerBound..<middle, isWhole) + [self.hash(middle..<range.upperBound)]
      : self.subproof(first, middle..<range.upperBound, false) + [self.hash(range.lowerBound..<middle)]
  }
}

@Suite("trees against the definitions of RFC 6962")
struct NaiveTreeTests {
  private let tree = MerkleTree(digest: referenceSHA256)

  @Test("roots, inclusion proofs and consistency proofs are the defined ones, for all sizes up to 300")
  func sizes() throws {
    var naive = NaiveTree(300)
    let leaves = naive.leaves
    var frontier = MerkleFrontier()
    // Complete subtrees, remembered: the product is asked for proofs, not for the hashes below them.
    var known: [Int: Digest] = [:]
    let direct = self.tree.subtrees { Array(leaves[$0]) }
    let subtree: SubtreeHash = { level, index in
      let key = level << 32 | index
      if let hash = known[key] { return hash }
      known[key] = try direct(level, index)
      return try direct(level, index)
    }
    for size in 0...300 {
      let root = naive.hash(0..<size)
      #expect(frontier.root(in: self.tree) == root, "\(size)")
      #expect(try self.tree.root(size: size, subtree: subtree) == root, "\(size)")
      for index in stride(from: size % 7, to: size, by: 7) {
        let path = naive.path(index, 0..<size)
        let proof = try self.tree.inclusionProof(index: index, size: size, subtree: subtree)
        #expect(proof == path, "leaf \(index) of \(size)")
        #expect(self.tree.verifyInclusion(of: leaves[index], index: index, size: size, proof: path, root: root))
      }
      for first in stride(from: 1 + size % 5, to: size, by: 5) {
        let wanted = naive.subproof(first, 0..<size, true)
        let proof = try self.tree.consistencyProof(from: first, to: size, subtree: subtree)
        #expect(proof == wanted, "\(first) to \(size)")
        let old = (size: first, root: naive.hash(0..<first))
        #expect(self.tree.verifyConsistency(from: old, to: (size, root), proof: wanted))
      }
      if size < 300 { frontier.append(leaves[size], in: self.tree) }
    }
  }
}

@Suite("the standards' own examples")
struct StandardExampleTests {
  @Test("C2SP tlog-tiles: the tiles of a tree of 70,000 entries, and of one of 256")
  func tiles() {
    let tiles = Tile.tiles(to: 70_000)
    #expect(tiles.count { $0.level == 0 && $0.width == 256 } == 273)
    #expect(tiles.filter { $0.level == 0 && $0.width < 256 }.map(\.width) == [112])
    #expect(tiles.filter { $0.level == 1 }.map(\.width) == [256, 17])
    #expect(tiles.filter { $0.level == 2 }.map(\.width) == [1])
    #expect(Tile.tiles(to: 256).map(\.path) == ["tile/0/000", "tile/1/000.p/1"])
    #expect(Tile(level: 0, index: 1_234_067)?.path == "tile/0/x001/x234/067")
    #expect(Tile(path: "tile/0/x001/x234/067")?.index == 1_234_067)
  }

  @Test("RFC 8785, section 3.2.2.2: the string of the example, as it is and as it must be written")
  func canonicalString() throws {
    let given = #"{"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"}"#
    let canonical = #"{"string":"€$\u000f\nA'B\"\\\\\"/"}"#
    #expect(String(decoding: JSON(try Document.parseJSON(Array(given.utf8))).canonicalBytes, as: UTF8.self) == canonical)
    var scanner = CanonicalLine()
    try scanner.scan(Array(canonical.utf8), from: 0)
    #expect(throws: LineError.self) { try scanner.scan(Array(given.utf8), from: 0) }
  }

  @Test("C2SP tlog-proof: a file with the entry as extra data, written and read")
  func proofFile() throws {
    let tree = MerkleTree(digest: referenceSHA256)
    let line = LogEntry.line(type: "boot", sequence: 1, at: Timestamp(seconds: 1_795_000_000), boot: BootID(1), members: [])
    let leaves = [tree.leafHash([1]), tree.leafHash(line), tree.leafHash([3])]
    let key = try NoteKey(name: "example.com/fancylog", publicKey: [UInt8](repeating: 5, count: 32), digest: referenceSHA256)
    let root = tree.nodeHash(tree.nodeHash(leaves[0], leaves[1]), leaves[2])
    let note = try CheckpointSigner(key: key, sign: { _ in [UInt8](repeating: 1, count: 64) }).sign(
      Checkpoint(origin: key.name, size: 3, root: root))
    let proof = LogProof(entry: line, index: 1, path: [leaves[0], leaves[2]], checkpoint: note)
    let lines = String(decoding: proof.bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "c2sp.org/tlog-proof@v1" && lines[2] == "index 1" && lines[5] == "" && lines[6] == "example.com/fancylog")
    #expect(lines[3] == Base64.encode(leaves[0].bytes)[...])
    let read = try LogProof(proof.bytes)
    #expect(read == proof)
    func opens(_ proof: LogProof) -> Bool {
      (try? proof.verify(by: [key], digest: referenceSHA256, using: { _, _, _ in true })) != nil
    }
    #expect(opens(read))
    #expect(!opens(LogProof(entry: line, index: 0, path: proof.path, checkpoint: note)))
    #expect(!opens(LogProof(entry: line, index: 1, path: [leaves[2], leaves[0]], checkpoint: note)))
    #expect(!opens(LogProof(entry: line + [0x20], index: 1, path: proof.path, checkpoint: note)))
    #expect(throws: NoteError.self) { try read.verify(by: [], digest: referenceSHA256, using: { _, _, _ in true }) }
    #expect(throws: NoteError.self) { try read.verify(by: [key], digest: referenceSHA256, using: { _, _, _ in false }) }
    for length in 0..<proof.bytes.count - note.count {
      #expect(throws: NoteError.self) { try LogProof(Array(proof.bytes.prefix(length))) }
    }
  }
}
