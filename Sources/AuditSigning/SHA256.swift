public import AuditTrail
internal import COpenSSL
public import GovernanceTypes

/// SHA-256 (FIPS 180-4) of bytes. No allocation but the result's; about 0.5 ns a byte where the processor has the instructions.
@Sendable
public func sha256(_ bytes: [UInt8]) -> Digest {
  var hasher = StreamingSHA256()
  hasher.update(bytes.span)
  return hasher.finish()
}

/// SHA-256 of bytes that arrive in pieces.
public struct StreamingSHA256: StreamingDigest {
  private var context = SHA256_CTX()

  public init() { SHA256_Init(&self.context) }

  public mutating func update(_ bytes: Span<UInt8>) {
    // The span's memory is valid for the call and read only; SHA256_Update keeps no pointer and cannot fail.
    bytes.withUnsafeBytes { _ = SHA256_Update(&self.context, $0.baseAddress, $0.count) }
  }

  public mutating func finish() -> Digest {
    var bytes = [UInt8](repeating: 0, count: 32)
    // SHA256_Final writes exactly 32 bytes.
    bytes.withUnsafeMutableBufferPointer { _ = SHA256_Final($0.baseAddress, &self.context) }
    guard let digest = Digest(bytes) else { preconditionFailure("SHA-256 has 32 bytes") }
    return digest
  }
}

/// HMAC-SHA-256 (RFC 2104) of a message under a key of any length.
@Sendable
public func hmacSHA256(_ key: [UInt8], _ message: [UInt8]) -> Digest {
  let block = 64
  var padded = key.count > block ? sha256(key).bytes : key
  padded.append(contentsOf: repeatElement(0, count: block - padded.count))
  for place in padded.indices { padded[place] ^= 0x36 }
  var inner = StreamingSHA256()
  inner.update(padded.span)
  inner.update(message.span)
  for place in padded.indices { padded[place] ^= 0x36 ^ 0x5C }
  var outer = StreamingSHA256()
  outer.update(padded.span)
  outer.update(inner.finish().bytes.span)
  return outer.finish()
}

/// Bytes from libcrypto's generator, which the operating system seeds.
public func secureRandomBytes(_ count: Int) throws(OpenSSLError) -> [UInt8] {
  guard count >= 0, let length = Int32(exactly: count) else { throw OpenSSLError("making \(count) random bytes") }
  var bytes = [UInt8](repeating: 0, count: count)
  // RAND_bytes writes exactly `length` bytes, or reports failure.
  let result = bytes.withUnsafeMutableBufferPointer { $0.isEmpty ? 1 : RAND_bytes($0.baseAddress, length) }
  guard result == 1 else { throw OpenSSLError("making random bytes") }
  return bytes
}
