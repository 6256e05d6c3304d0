internal import COpenSSL

/// Checks a detached CMS signature (DER) over `content` against one certificate (PEM), the only one that is trusted.
///
/// - Returns: The subject of the certificate.
/// - Throws: ``OpenSSLError`` with the library's reason.
@Sendable
public func verifyCMS(_ content: [UInt8], _ signature: [UInt8], _ certificatePEM: [UInt8]) throws -> String {
  let trusted = try certificate(pem: certificatePEM, from: "the signer")
  let store = try certificateStore(trusting: trusted)
  let encoded = try memoryBuffer(signature)
  let cms = try Owned(d2i_CMS_bio(encoded.pointer, nil), "reading the CMS signature") { CMS_ContentInfo_free($0) }
  guard contents(encoded).isEmpty else { throw OpenSSLError("reading the CMS signature: bytes after its end") }
  // OpenSSL does not compare the type of the content with the signed one: ours is always plain data.
  guard let type = CMS_get0_eContentType(cms.pointer), OBJ_obj2nid(type) == NID_pkcs7_data else {
    throw OpenSSLError("reading the CMS signature: the content type is not data")
  }
  let buffer = try memoryBuffer(content)
  try check(
    CMS_verify(cms.pointer, nil, store.pointer, buffer.pointer, nil, UInt32(CMS_BINARY)), "verifying the CMS signature")
  try checkSigners(of: cms, are: trusted)
  return try subject(of: trusted)
}

/// Of a trusted certificate that may issue others, OpenSSL accepts what those have signed: that is another's signature.
private func checkSigners(of cms: Owned, are trusted: Owned) throws(OpenSSLError) {
  let signers = CMS_get0_SignerInfos(cms.pointer)
  let count = OPENSSL_sk_num(signers)
  guard count > 0 else { throw OpenSSLError("verifying the CMS signature: nobody has signed") }
  for index in 0..<count {
    guard let signer = OPENSSL_sk_value(signers, index), CMS_SignerInfo_cert_cmp(OpaquePointer(signer), trusted.pointer) == 0
    else { throw OpenSSLError("verifying the CMS signature: the signer has another certificate than the one given") }
  }
}

/// A store that trusts exactly one certificate, be it self-signed or not.
func certificateStore(trusting certificate: Owned) throws(OpenSSLError) -> Owned {
  let store = try Owned(X509_STORE_new(), "making a certificate store") { X509_STORE_free($0) }
  try check(X509_STORE_add_cert(store.pointer, certificate.pointer), "trusting the certificate")
  // Without it a certificate that another has issued would need that one too.
  try check(X509_STORE_set_flags(store.pointer, UInt(X509_V_FLAG_PARTIAL_CHAIN)), "trusting the certificate")
  return store
}

func subject(of certificate: Owned) throws(OpenSSLError) -> String {
  let name = X509_get_subject_name(certificate.pointer)
  let bytes = try written("reading the certificate's subject") {
    X509_NAME_print_ex($0, name, 0, weighbridge_name_flags) >= 0 ? 1 : 0
  }
  return String(decoding: bytes, as: UTF8.self)
}
