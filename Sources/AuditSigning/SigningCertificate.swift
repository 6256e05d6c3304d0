internal import COpenSSL
public import GovernanceTypes

/// The key that signs manifests: ECDSA on P-256 with a self-signed certificate for it.
///
/// CMS in OpenSSL 3.0 cannot sign with Ed25519, hence a second key beside the log's.
public struct SigningCertificate: Sendable {
  /// The certificate, PEM.
  public let certificate: [UInt8]
  /// The private key, PEM (PKCS #8).
  private let key: [UInt8]

  /// A new key and a certificate for it, valid for ten years (3,652 days) from `start`.
  ///
  /// Its extended key usage is emailProtection, which `openssl cms -verify` demands unless told otherwise.
  /// - Parameter commonName: Not empty, at most 64 characters (X.520).
  public static func generate(commonName: String, from start: Timestamp) throws(OpenSSLError) -> SigningCertificate {
    let key = try Self.newKey()
    let certificate = try Self.newCertificate(commonName: commonName, from: start, key: key)
    return SigningCertificate(certificate: try certificatePEM(certificate), key: try privateKeyPEM(key))
  }

  private init(certificate: [UInt8], key: [UInt8]) {
    self.certificate = certificate
    self.key = key
  }

  /// Loads both PEM files.
  ///
  /// - Parameter passphrase: for a key file that is encrypted.
  /// - Throws: ``KeyFileError`` where others than the owner can read the key, or the passphrase is missing or wrong; ``OpenSSLError``
  ///   where the two do not match.
  public init(keyPath: String, certificatePath: String, passphrase: String? = nil) throws {
    let certificate = try KeyFile.read(certificatePath, isPrivate: false)
    let parsedKey = try KeyFile.privateKey(keyPath, passphrase: passphrase)
    let key = try privateKeyPEM(parsedKey)
    let parsed = try AuditSigning.certificate(pem: certificate, from: certificatePath)
    try check(X509_check_private_key(parsed.pointer, parsedKey.pointer), "matching \(keyPath) with \(certificatePath)")
    self.init(certificate: certificate, key: key)
  }

  /// Writes two new files, the key with mode 0600, the certificate with 0644; never over existing ones.
  /// The key is encrypted where there is a passphrase.
  public func save(keyPath: String, certificatePath: String, passphrase: String? = nil) throws {
    let key = try privateKey(pem: self.key, from: "the signer")
    try KeyFile.create(keyPath, try privateKeyPEM(key, passphrase: passphrase))
    try KeyFile.create(certificatePath, self.certificate, mode: 0o644)
  }

  /// A detached CMS signature (RFC 5652, CAdES-BES attributes) over `content`, DER.
  ///
  /// `openssl cms -verify -binary -inform DER -in SIGNATURE -content CONTENT -CAfile CERTIFICATE` accepts it.
  public func sign(_ content: [UInt8]) throws(OpenSSLError) -> [UInt8] {
    let key = try privateKey(pem: self.key, from: "the signer")
    let certificate = try AuditSigning.certificate(pem: self.certificate, from: "the signer")
    let buffer = try memoryBuffer(content)
    let flags = UInt32(CMS_DETACHED | CMS_BINARY | CMS_CADES | CMS_NOSMIMECAP)
    let cms = try Owned(CMS_sign(certificate.pointer, key.pointer, nil, buffer.pointer, flags), "signing with CMS") {
      CMS_ContentInfo_free($0)
    }
    let pointer = cms.pointer
    return try written("writing a CMS signature") { i2d_CMS_bio($0, pointer) }
  }

  private static func newKey() throws(OpenSSLError) -> Owned {
    let context = try Owned(EVP_PKEY_CTX_new_from_name(nil, "EC", nil), "making a P-256 key") { EVP_PKEY_CTX_free($0) }
    try check(EVP_PKEY_keygen_init(context.pointer), "making a P-256 key")
    try check(EVP_PKEY_CTX_set_group_name(context.pointer, "P-256"), "making a P-256 key")
    var key: OpaquePointer?
    try check(EVP_PKEY_generate(context.pointer, &key), "making a P-256 key")
    return try Owned(key, "making a P-256 key") { EVP_PKEY_free($0) }
  }

  private static func newCertificate(
    commonName: String, from start: Timestamp, key: Owned
  ) throws(OpenSSLError)
    -> Owned
  {
    let certificate = try Owned(X509_new(), "making a certificate") { X509_free($0) }
    let pointer = certificate.pointer
    try check(X509_set_version(pointer, 2), "setting the certificate's version")
    try Self.setSerial(of: certificate)
    guard ASN1_TIME_set(X509_getm_notBefore(pointer), Int(start.seconds)) != nil,
      ASN1_TIME_set(X509_getm_notAfter(pointer), Int(start.seconds) + 3652 * 86_400) != nil
    else { throw OpenSSLError("setting the certificate's validity") }
    let name = X509_get_subject_name(pointer)
    let bytes = Array(commonName.utf8)
    guard let count = Int32(exactly: bytes.count) else { throw OpenSSLError("naming the certificate") }
    try check(
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes, count, -1, 0), "naming the certificate '\(commonName)'")
    try check(X509_set_issuer_name(pointer, name), "naming the certificate's issuer")
    try check(X509_set_pubkey(pointer, key.pointer), "putting the key into the certificate")
    for (extensionID, value) in [
      (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature,nonRepudiation"),
      (NID_ext_key_usage, "emailProtection"), (NID_subject_key_identifier, "hash"),
    ] { try Self.add(extensionID, value, to: certificate) }
    guard X509_sign(pointer, key.pointer, EVP_sha256()) > 0 else { throw OpenSSLError("signing the certificate") }
    return certificate
  }

  private static func setSerial(of certificate: Owned) throws(OpenSSLError) {
    // Sixteen bytes with the top bit clear and the next one set: positive, of constant length.
    var bytes = try secureRandomBytes(16)
    bytes[0] = bytes[0] & 0x3F | 0x40
    let number = try Owned(BN_bin2bn(bytes, 16, nil), "making a serial number") { BN_free($0) }
    guard BN_to_ASN1_INTEGER(number.pointer, X509_get_serialNumber(certificate.pointer)) != nil else {
      throw OpenSSLError("making a serial number")
    }
  }

  private static func add(_ id: Int32, _ value: String, to certificate: Owned) throws(OpenSSLError) {
    var context = X509V3_CTX()
    // The context holds the certificate's pointer, and lives no longer than this call.
    X509V3_set_ctx(&context, certificate.pointer, certificate.pointer, nil, nil, 0)
    let made = try Owned(X509V3_EXT_nconf_nid(nil, &context, id, value), "making the extension '\(value)'") {
      X509_EXTENSION_free($0)
    }
    try check(X509_add_ext(certificate.pointer, made.pointer, -1), "adding the extension '\(value)'")
  }
}

func certificate(pem: [UInt8], from origin: String) throws(OpenSSLError) -> Owned {
  let buffer = try memoryBuffer(pem)
  return try Owned(PEM_read_bio_X509(buffer.pointer, nil, nil, nil), "reading the certificate of \(origin)") { X509_free($0) }
}

func certificatePEM(_ certificate: Owned) throws(OpenSSLError) -> [UInt8] {
  let pointer = certificate.pointer
  return try written("writing a certificate") { PEM_write_bio_X509($0, pointer) }
}
