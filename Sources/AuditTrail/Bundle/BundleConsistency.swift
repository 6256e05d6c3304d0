internal import Documents
internal import GovernanceTypes

/// `consistency.json`: the tree before the first entry, and the proof that the previous checkpoint is a prefix of the new one.
struct BundleConsistency: Equatable {
  var frontier: MerkleFrontier
  var previousSize: Int
  var proof: [Digest]

  init(frontier: MerkleFrontier, previousSize: Int, proof: [Digest]) {
    self.frontier = frontier
    self.previousSize = previousSize
    self.proof = proof
  }

  var bytes: [UInt8] {
    let json: JSON = [
      "first_size": .integer(self.frontier.size),
      "frontier": .array(self.frontier.hashes.map { .string($0.hexadecimal) }),
      "previous_size": .integer(self.previousSize),
      "proof": .array(self.proof.map { .string($0.hexadecimal) }),
    ]
    return json.canonicalBytes + [0x0A]
  }

  init(_ bytes: [UInt8]) throws(DocumentError) {
    var reader = try DocumentReader(try Document.parseJSON(bytes, limits: JSONLimits(bytes: 1 << 16, depth: 4, nodes: 1024)))
    let size = try reader.integer("first_size", in: 0...largestSequence)
    let hashes = try reader.digests("frontier")
    guard let frontier = MerkleFrontier(size: size, hashes: hashes) else {
      throw reader.failure("frontier", "has \(hashes.count) hashes; a tree of \(size) leaves has \(size.nonzeroBitCount)")
    }
    self.frontier = frontier
    self.previousSize = try reader.integer("previous_size", in: 0...largestSequence)
    self.proof = try reader.digests("proof")
    try reader.finish()
  }
}

extension DocumentReader {
  fileprivate mutating func digests(_ key: String) throws(DocumentError) -> [Digest] {
    var digests: [Digest] = []
    for text in try self.strings(key) {
      guard let digest = Digest(hexadecimal: text) else { throw self.failure(key, "64 hexadecimal digits belong in each string") }
      digests.append(digest)
    }
    return digests
  }
}
