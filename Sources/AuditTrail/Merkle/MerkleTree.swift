public import GovernanceTypes

/// The hash of a complete subtree: `level` 0 is a leaf hash, level `n` covers leaves `index << n ..< (index + 1) << n`.
public typealias SubtreeHash = (_ level: Int, _ index: Int) throws -> Digest

/// The tree hashing of RFC 6962 section 2.1 (RFC 9162 section 2.1) over SHA-256.
///
/// A leaf is hashed as SHA-256(0x00 ‖ leaf), an inner node as SHA-256(0x01 ‖ left ‖ right): neither can pass for the other.
public struct MerkleTree: Sendable {
  private let digest: DigestFunction

  public init(digest: @escaping DigestFunction) { self.digest = digest }

  /// The root of the tree without leaves: SHA-256 of nothing.
  public var emptyRoot: Digest { self.digest([]) }

  public func leafHash(_ leaf: [UInt8]) -> Digest {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(leaf.count + 1)
    bytes.append(0)
    bytes.append(contentsOf: leaf)
    return self.digest(bytes)
  }

  public func nodeHash(_ left: Digest, _ right: Digest) -> Digest {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(65)
    bytes.append(1)
    bytes.append(contentsOf: left.bytes)
    bytes.append(contentsOf: right.bytes)
    return self.digest(bytes)
  }

  /// The hash of `0x00 ‖ leaf`, where the caller has already put the zero before the leaf.
  public func hash(prefixedLeaf bytes: [UInt8]) -> Digest { self.digest(bytes) }
}

/// A question about a tree that has no answer.
public enum MerkleError: Error, Equatable, Sendable, CustomStringConvertible {
  case indexOutOfRange(index: Int, size: Int)
  case sizeOutOfRange(first: Int, second: Int)
  /// A source of hashes gave another number of them than was asked for.
  case hashesMissing(wanted: Int, got: Int)

  public var description: String {
    switch self {
    case .indexOutOfRange(let index, let size): "leaf \(index) is not in a tree of \(size) leaves"
    case .sizeOutOfRange(let first, let second): "a tree of \(first) leaves is no earlier state of one of \(second)"
    case .hashesMissing(let wanted, let got): "\(wanted) hashes were asked for and \(got) were given"
    }
  }
}
