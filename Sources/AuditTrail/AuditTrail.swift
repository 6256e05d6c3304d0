// AuditTrail: the tamper-evident log as a tree of hashes, and bundles of it that a stranger verifies offline.
// Holds RFC 6962 tree hashing and proofs, C2SP notes, checkpoints and tiles, the rules for entries, the bundle and its verifier.
// It must never know a cryptographic library, a file system, a clock or a store: digests, signers and bytes are passed in.

public import GovernanceTypes

/// SHA-256 of bytes that arrive in pieces.
public protocol StreamingDigest: Sendable {
  mutating func update(_ bytes: Span<UInt8>)
  /// The digest of all bytes so far; nothing may be added after it.
  mutating func finish() -> Digest
}

/// SHA-256 in its two forms, supplied by whoever has a cryptographic library.
public struct DigestSuite: Sendable {
  public let digest: DigestFunction
  public let streaming: @Sendable () -> any StreamingDigest

  public init(digest: @escaping DigestFunction, streaming: @escaping @Sendable () -> any StreamingDigest) {
    self.digest = digest
    self.streaming = streaming
  }
}

/// Checks an Ed25519 signature (RFC 8032): the raw 32-byte public key, the message, the 64-byte signature.
public typealias SignatureVerification = @Sendable (_ publicKey: [UInt8], _ message: [UInt8], _ signature: [UInt8]) -> Bool
