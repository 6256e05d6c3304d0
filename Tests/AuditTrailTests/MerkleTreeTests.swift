import AuditTrail
import GovernanceTypes
import Testing

/// The eight leaves, roots and proofs that certificate-transparency implementations test RFC 6962 with.
enum ReferenceTree {
  static let leaves = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
  ].map(bytes(hexadecimal:))

  static let roots = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ]
}

private let tree = MerkleTree(digest: referenceSHA256)

/// A tree over `size` different leaves.
struct SampleTree {
  let hashes: [Digest]
  let roots: [Digest]

  init(size: Int) {
    self.hashes = (0..<size).map { tree.leafHash([UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)]) }
    var frontier = MerkleFrontier()
    var roots = [frontier.root(in: tree)]
    for hash in self.hashes {
      frontier.append(hash, in: tree)
      roots.append(frontier.root(in: tree))
    }
    self.roots = roots
  }

  var subtree: SubtreeHash { tree.subtrees { [hashes] range in Array(hashes[range]) } }
}

func flipped(_ digest: Digest, bit: Int) -> Digest {
  var bytes = digest.bytes
  bytes[bit / 8] ^= 1 << UInt8(bit % 8)
  return Digest(bytes) ?? digest
}

@Suite("Merkle tree hashing, RFC 6962 section 2.1")
struct MerkleTreeTests {
  @Test("the roots of the reference tree", arguments: 0...8)
  func referenceRoots(size: Int) throws {
    var frontier = MerkleFrontier()
    for leaf in ReferenceTree.leaves.prefix(size) { frontier.append(tree.leafHash(leaf), in: tree) }
    #expect(frontier.size == size)
    #expect(frontier.root(in: tree).hexadecimal == ReferenceTree.roots[size])
    #expect(MerkleFrontier(size: size, hashes: frontier.hashes) == frontier)
    #expect(MerkleFrontier(size: size + 1, hashes: frontier.hashes) == nil || (size + 1).nonzeroBitCount == size.nonzeroBitCount)
  }

  @Test(
    "the inclusion proofs of the reference tree",
    arguments: [
      (1, 1, []),
      (
        1, 8,
        [
          "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
          "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
          "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]
      ),
      (
        6, 8,
        [
          "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
          "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
      ),
      (3, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
      (
        2, 5,
        [
          "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
          "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
          "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ]
      ),
    ] as [(Int, Int, [String])])
  func referenceInclusion(leaf: Int, size: Int, expected: [String]) throws {
    let hashes = ReferenceTree.leaves.map(tree.leafHash)
    let proof = try tree.inclusionProof(index: leaf - 1, size: size, subtree: tree.subtrees { Array(hashes[$0]) })
    #expect(proof.map(\.hexadecimal) == expected)
    let root = try #require(Digest(hexadecimal: ReferenceTree.roots[size]))
    #expect(tree.verifyInclusion(of: hashes[leaf - 1], index: leaf - 1, size: size, proof: proof, root: root))
  }

  @Test(
    "the consistency proofs of the reference tree",
    arguments: [
      (1, 1, []),
      (
        1, 8,
        [
          "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
          "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
          "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]
      ),
      (
        6, 8,
        [
          "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
          "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
      ),
      (
        2, 5,
        [
          "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
          "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ]
      ),
    ] as [(Int, Int, [String])])
  func referenceConsistency(first: Int, second: Int, expected: [String]) throws {
    let hashes = ReferenceTree.leaves.map(tree.leafHash)
    let proof = try tree.consistencyProof(from: first, to: second, subtree: tree.subtrees { Array(hashes[$0]) })
    #expect(proof.map(\.hexadecimal) == expected)
  }

  @Test("every inclusion proof of trees up to 130 leaves verifies, and none with one bit flipped")
  func inclusionProperty() throws {
    let seed: UInt64 = 0x6962
    var random = SplitMix64(seed: seed)
    let sample = SampleTree(size: 130)
    for size in [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 130] {
      for index in 0..<size {
        let proof = try tree.inclusionProof(index: index, size: size, subtree: sample.subtree)
        let (leaf, root) = (sample.hashes[index], sample.roots[size])
        func holds(_ leaf: Digest, _ index: Int, _ size: Int, _ proof: [Digest], _ root: Digest) -> Bool {
          tree.verifyInclusion(of: leaf, index: index, size: size, proof: proof, root: root)
        }
        #expect(holds(leaf, index, size, proof, root))
        let bit = Int.random(in: 0..<256, using: &random)
        #expect(
          !holds(flipped(leaf, bit: bit), index, size, proof, root), "seed \(seed), size \(size), index \(index), bit \(bit)")
        #expect(!holds(leaf, index, size, proof, flipped(root, bit: bit)))
        #expect(!holds(leaf, index, size, proof + [leaf], root))
        #expect(!holds(leaf, size, size, proof, root))
        if let place = proof.indices.randomElement(using: &random) {
          var wrong = proof
          wrong[place] = flipped(wrong[place], bit: bit)
          #expect(
            !holds(leaf, index, size, wrong, root), "seed \(seed), size \(size), index \(index), place \(place), bit \(bit)")
          #expect(!holds(leaf, index, size, Array(proof.dropLast()), root))
          #expect(!holds(leaf, index ^ 1, size, proof, root))
        }
      }
    }
  }

  @Test("every consistency proof of trees up to 130 leaves verifies, and none with one bit flipped")
  func consistencyProperty() throws {
    let seed: UInt64 = 0x9162
    var random = SplitMix64(seed: seed)
    let sample = SampleTree(size: 130)
    for second in Array(1...34) + [63, 64, 65, 100, 127, 128, 129, 130] {
      for first in 0...second {
        let proof = try tree.consistencyProof(from: first, to: second, subtree: sample.subtree)
        func holds(_ first: (Int, Digest), _ second: (Int, Digest), _ proof: [Digest]) -> Bool {
          tree.verifyConsistency(from: (size: first.0, root: first.1), to: (size: second.0, root: second.1), proof: proof)
        }
        let (old, new) = ((first, sample.roots[first]), (second, sample.roots[second]))
        #expect(holds(old, new, proof))
        let bit = Int.random(in: 0..<256, using: &random)
        #expect(!holds((first, flipped(old.1, bit: bit)), new, proof), "seed \(seed), \(first) to \(second), bit \(bit)")
        if first > 0 { #expect(!holds(old, (second, flipped(new.1, bit: bit)), proof)) }
        #expect(!holds(old, new, proof + [new.1]))
        if let place = proof.indices.randomElement(using: &random) {
          var wrong = proof
          wrong[place] = flipped(wrong[place], bit: bit)
          #expect(!holds(old, new, wrong), "seed \(seed), \(first) to \(second), place \(place), bit \(bit)")
          #expect(!holds(old, new, Array(proof.dropLast())))
        }
      }
    }
  }

  @Test(
    "a frontier taken from subtrees is the one that appending gives", arguments: [0, 1, 2, 3, 5, 8, 13, 64, 100, 127, 128, 130])
  func frontiers(size: Int) throws {
    let sample = SampleTree(size: 130)
    var appended = MerkleFrontier()
    for hash in sample.hashes.prefix(size) { appended.append(hash, in: tree) }
    #expect(try tree.frontier(size: size, subtree: sample.subtree) == appended)
    #expect(try tree.root(size: size, subtree: sample.subtree) == sample.roots[size])
  }

  @Test("questions without an answer are errors")
  func outOfRange() {
    let sample = SampleTree(size: 4)
    #expect(throws: MerkleError.indexOutOfRange(index: 4, size: 4)) {
      try tree.inclusionProof(index: 4, size: 4, subtree: sample.subtree)
    }
    #expect(throws: MerkleError.indexOutOfRange(index: -1, size: 4)) {
      try tree.inclusionProof(index: -1, size: 4, subtree: sample.subtree)
    }
    #expect(throws: MerkleError.sizeOutOfRange(first: 5, second: 4)) {
      try tree.consistencyProof(from: 5, to: 4, subtree: sample.subtree)
    }
    #expect(throws: MerkleError.hashesMissing(wanted: 4, got: 1)) {
      try tree.root(size: 4, subtree: tree.subtrees { _ in [sample.hashes[0]] })
    }
    #expect(!tree.verifyConsistency(from: (-1, sample.roots[0]), to: (4, sample.roots[4]), proof: []))
    #expect(!tree.verifyInclusion(of: sample.hashes[0], index: 0, size: 0, proof: [], root: sample.roots[0]))
  }
}

@Suite("tiles, C2SP tlog-tiles")
struct TileTests {
  @Test(
    "paths",
    arguments: [
      (0, 0, 256, "tile/0/000"), (0, 999, 256, "tile/0/999"), (0, 1000, 256, "tile/0/x001/000"),
      (3, 1_234_067, 256, "tile/3/x001/x234/067"), (1, 5, 1, "tile/1/005.p/1"), (0, 1_234_067, 255, "tile/0/x001/x234/067.p/255"),
    ])
  func paths(level: Int, index: Int, width: Int, path: String) throws {
    let tile = try #require(Tile(level: level, index: index, width: width))
    #expect(tile.path == path)
    #expect(Tile(path: path) == tile)
  }

  @Test(
    "paths that nothing is at",
    arguments: [
      "", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/-01", "tile/0/+01", "tile/8/000",
      "tile/-1/000",
      "tile/0/x000/001", "tile/0/x001", "tile/0/001/002", "tile/0/001.p/0", "tile/0/001.p/256", "tile/0/001.p/01", "tile/00/001",
      "tile/0/001.p/", "tile/0/../000", "tile/0/x999/x999/x999/x999/x999/x999/999", "/tile/0/000", "tile/0/000/", "tile/0/٠٠٠",
    ])
  func hostilePaths(path: String) { #expect(Tile(path: path) == nil) }

  @Test("an entry tile has a path and sequence numbers of its own")
  func entryTile() throws {
    let tile = try #require(EntryTile(path: "tile/entries/x001/x234/067.p/8"))
    #expect(tile.index == 1_234_067 && tile.width == 8)
    #expect(tile.sequences == 1_234_067 * 256..<1_234_067 * 256 + 8)
    #expect(tile.path == "tile/entries/x001/x234/067.p/8")
    #expect(EntryTile(path: "tile/0/000") == nil)
    #expect(EntryTile.content([[1, 2], []]) == [0, 2, 1, 2, 0, 0])
    #expect(EntryTile.content([[UInt8](repeating: 0, count: 65_536)]) == nil)
  }

  @Test("the tiles of a tree have exactly its hashes")
  func coverage() throws {
    let sample = SampleTree(size: 600)
    let tiles = Tile.tiles(to: 600)
    #expect(tiles.map(\.path) == ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"])
    #expect(Tile.tiles(from: 512, to: 600).map(\.path) == ["tile/0/002.p/88"])
    #expect(Tile.tiles(from: 600, to: 600).isEmpty)
    #expect(tiles.allSatisfy { $0.isComplete(inTreeOf: 600) })
    #expect(!tiles[2].isComplete(inTreeOf: 599))
    let top = try #require(tiles.last).hashes(subtree: sample.subtree)
    #expect(top.first == sample.roots[256])
    let content = Tile.content(top)
    #expect(content.count == 64)
    #expect(try #require(tiles.last).hashes(content: content) == top)
    #expect(try #require(tiles.last).hashes(content: content + [0]) == nil)
  }
}

@Suite("Leaves in pages")
struct LeafPageTests {
  @Test("No more leaves than a page holds are asked for at once, and the root is the same", arguments: [1, 2, 3, 8, 1000])
  func pages(page: Int) throws {
    let tree = MerkleTree(digest: referenceSHA256)
    let leaves = (0..<700).map { tree.leafHash([UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)]) }
    var frontier = MerkleFrontier()
    for leaf in leaves { frontier.append(leaf, in: tree) }
    let root = try tree.root(
      size: leaves.count,
      subtree: tree.subtrees(page: page) { range in
        #expect(range.count <= page)
        return Array(leaves[range])
      })
    #expect(root == frontier.root(in: tree))
  }
}
