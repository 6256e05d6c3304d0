public import AuditTrail
internal import COpenSSL

/// The key that signs a log's checkpoints: Ed25519 (RFC 8032).
public struct Ed25519Key: Sendable {
  /// 32 bytes.
  public let publicKey: [UInt8]
  /// The private key of RFC 8032, 32 bytes. A secret.
  public let seed: [UInt8]

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

  /// Loads a PEM file (PKCS #8).
  ///
  /// - Parameter passphrase: for a file that is encrypted.
  /// - Throws: ``KeyFileError`` where others than the owner can read the file, or the passphrase is missing or wrong;
  ///   ``OpenSSLError`` where it holds no Ed25519 key.
  public init(path: String, passphrase: String? = nil) throws {
    let key = try KeyFile.privateKey(path, passphrase: passphrase)
    var seed = [UInt8](repeating: 0, count: 32)
    var count = seed.count
    guard EVP_PKEY_get_base_id(key.pointer) == EVP_PKEY_ED25519 else {
      throw KeyFileError(path: path, message: "does not hold an Ed25519 key")
    }
    // At most `count` bytes are written, and `count` becomes the number written.
    try check(EVP_PKEY_get_raw_private_key(key.pointer, &seed, &count), "reading the Ed25519 key of \(path)")
    try self.init(seed: seed)
  }

  /// Writes a new PEM file of mode 0600, encrypted where there is a passphrase; never over an existing one.
  public func save(path: String, passphrase: String? = nil) throws {
    let key = try Self.privateKey(self.seed)
    try KeyFile.create(path, try privateKeyPEM(key, passphrase: passphrase))
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

/// The private key of a PEM text; `origin` names it in errors. An encrypted key without a passphrase is refused, not asked about.
func privateKey(pem: [UInt8], from origin: String, passphrase: String? = nil) throws(OpenSSLError) -> Owned {
  let buffer = try memoryBuffer(pem)
  guard let passphrase else {
    // The call-back stands in for the terminal prompt that the library would open for an encrypted key.
    let key = PEM_read_bio_PrivateKey(buffer.pointer, nil, { _, _, _, _ in -1 }, nil)
    return try Owned(key, "reading the private key of \(origin)") { EVP_PKEY_free($0) }
  }
  var text = passphrase.utf8CString
  // Without a call-back the library takes the last argument for a passphrase that ends in zero; it only reads it.
  let key = text.withUnsafeMutableBytes { PEM_read_bio_PrivateKey(buffer.pointer, nil, nil, $0.baseAddress) }
  return try Owned(key, "reading the private key of \(origin)") { EVP_PKEY_free($0) }
}

/// A private key as PEM (PKCS #8); with a passphrase encrypted by AES-256-CBC under a key that scrypt derives (RFC 7914; N 16384, r 8,
/// p 1), which `openssl pkey` reads.
func privateKeyPEM(_ key: Owned, passphrase: String? = nil) throws(OpenSSLError) -> [UInt8] {
  let pointer = key.pointer
  guard let passphrase else {
    return try written("writing a private key") { PEM_write_bio_PrivateKey($0, pointer, nil, nil, 0, nil, nil) }
  }
  let plain = try Owned(EVP_PKEY2PKCS8(pointer), "encoding a private key") { PKCS8_PRIV_KEY_INFO_free($0) }
  guard let scheme = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nil, 16, nil, 16_384, 8, 1) else {
    throw OpenSSLError("preparing the encryption of a private key")
  }
  let bytes = passphrase.utf8CString
  // The call takes over the scheme where it succeeds, and reads as many bytes of the passphrase as it is told.
  let encrypted = bytes.withUnsafeBufferPointer {
    PKCS8_set0_pbe($0.baseAddress, Int32(clamping: $0.count - 1), plain.pointer, scheme)
  }
  if encrypted == nil { X509_ALGOR_free(scheme) }
  let sealed = try Owned(encrypted, "encrypting a private key") { X509_SIG_free($0) }
  return try written("writing a private key") { PEM_write_bio_PKCS8($0, sealed.pointer) }
}
