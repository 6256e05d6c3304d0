public import AuditTrail
internal import COpenSSL

/// The key that signs a log's checkpoints: Ed25519 (RFC 8032).
public struct Ed25519Key: Sendable {
  /// 32 bytes.
  public let publicKey: [UInt8]
  private let seed: [UInt8]

  /// A new key from the secure generator.
  public static func generate() throws(OpenSSLError) -> Ed25519Key { try Ed25519Key(seed: try secureRandomBytes(32)) }

  /// The key of a 32-byte seed, which is the private key of RFC 8032.
  public init(seed: [UInt8]) throws(OpenSSLError) {
    let key = try Self.privateKey(seed)
    var bytes = [UInt8](repeating: 0, count: 32)
    var count = bytes.count
    // At most `count` bytes are written, and `count` becomes the number written.
    try check(EVP_PKEY_get_raw_public_key(key.pointer, &bytes, &count), "deriving the Ed25519 public key")
    guard count == 32 else { throw OpenSSLError("deriving the Ed25519 public key") }
    self.publicKey = bytes
    self.seed = seed
  }

  /// Loads a PEM file (PKCS #8, not encrypted).
  ///
  /// - Throws: ``KeyFileError`` where others than the owner can read the file; ``OpenSSLError`` where it holds no Ed25519 key.
  public init(path: String) throws {
    let key = try AuditSigning.privateKey(pem: try KeyFile.read(path), from: path)
    var seed = [UInt8](repeating: 0, count: 32)
    var count = seed.count
    guard EVP_PKEY_get_base_id(key.pointer) == EVP_PKEY_ED25519 else {
      throw KeyFileError(path: path, message: "does not hold an Ed25519 key")
    }
    // At most `count` bytes are written, and `count` becomes the number written.
    try check(EVP_PKEY_get_raw_private_key(key.pointer, &seed, &count), "reading the Ed25519 key of \(path)")
    try self.init(seed: seed)
  }

  /// Writes a new PEM file of mode 0600; never over an existing one.
  public func save(path: String) throws {
    let key = try Self.privateKey(self.seed)
    try KeyFile.create(path, try privateKeyPEM(key))
  }

  /// The 64-byte signature of a message. Deterministic.
  public func sign(_ message: [UInt8]) throws(OpenSSLError) -> [UInt8] {
    let key = try Self.privateKey(self.seed)
    let context = try Owned(EVP_MD_CTX_new(), "making a signing context") { EVP_MD_CTX_free($0) }
    try check(EVP_DigestSignInit(context.pointer, nil, nil, nil, key.pointer), "preparing an Ed25519 signature")
    var signature = [UInt8](repeating: 0, count: 64)
    var count = signature.count
    // At most `count` bytes are written, and `count` becomes the number written.
    try check(EVP_DigestSign(context.pointer, &signature, &count, message, message.count), "signing with Ed25519")
    guard count == 64 else { throw OpenSSLError("signing with Ed25519") }
    return signature
  }

  /// Whether `signature` is that of `message`; false for keys and signatures of a wrong form as well.
  @Sendable
  public static func verify(_ publicKey: [UInt8], _ message: [UInt8], _ signature: [UInt8]) -> Bool {
    guard publicKey.count == 32, signature.count == 64,
      let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, publicKey.count)
    else { return false }
    defer { EVP_PKEY_free(key) }
    guard let context = EVP_MD_CTX_new() else { return false }
    defer { EVP_MD_CTX_free(context) }
    let isValid =
      EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
      && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    // A wrong signature leaves reasons in the library's queue that would be mistaken for those of a later call.
    if !isValid { ERR_clear_error() }
    return isValid
  }

  private static func privateKey(_ seed: [UInt8]) throws(OpenSSLError) -> Owned {
    let key = seed.count == 32 ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) : nil
    return try Owned(key, "making an Ed25519 key of \(seed.count) bytes") { EVP_PKEY_free($0) }
  }
}

extension CheckpointSigner {
  /// A signer of checkpoints under `name`, by convention the log's origin.
  public init(name: String, key: Ed25519Key) throws(NoteError) {
    let noteKey = try NoteKey(name: name, publicKey: key.publicKey, digest: sha256)
    self.init(key: noteKey) { message in try key.sign(message) }
  }
}

/// The private key of a PEM text; `origin` names it in errors. Encrypted keys are refused, not asked about.
func privateKey(pem: [UInt8], from origin: String) throws(OpenSSLError) -> Owned {
  let buffer = try memoryBuffer(pem)
  // The call-back stands in for the terminal prompt that the library would open for an encrypted key.
  let key = PEM_read_bio_PrivateKey(buffer.pointer, nil, { _, _, _, _ in -1 }, nil)
  return try Owned(key, "reading the private key of \(origin)") { EVP_PKEY_free($0) }
}

func privateKeyPEM(_ key: Owned) throws(OpenSSLError) -> [UInt8] {
  let pointer = key.pointer
  return try written("writing a private key") { PEM_write_bio_PrivateKey($0, pointer, nil, nil, 0, nil, nil) }
}
