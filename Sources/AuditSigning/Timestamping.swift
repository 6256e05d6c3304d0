internal import COpenSSL
internal import GovernanceTypes

/// Time-stamping after RFC 3161 with SHA-256.
public enum Timestamping {
  /// A request for a timestamp over `data`, DER, to be posted to an authority as `application/timestamp-query`. It asks for the
  /// authority's certificate, and carries a random nonce.
  public static func request(for data: [UInt8]) throws(OpenSSLError) -> [UInt8] {
    let request = try Owned(TS_REQ_new(), "making a timestamp request") { TS_REQ_free($0) }
    try check(TS_REQ_set_version(request.pointer, 1), "making a timestamp request")
    let imprint = try Owned(TS_MSG_IMPRINT_new(), "making a timestamp request") { TS_MSG_IMPRINT_free($0) }
    guard let algorithm = X509_ALGOR_new() else { throw OpenSSLError("making a timestamp request") }
    defer { X509_ALGOR_free(algorithm) }
    try check(X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nil), "making a timestamp request")
    try check(TS_MSG_IMPRINT_set_algo(imprint.pointer, algorithm), "making a timestamp request")
    var digest = sha256(data).bytes
    // The 32 bytes are copied.
    try check(TS_MSG_IMPRINT_set_msg(imprint.pointer, &digest, 32), "making a timestamp request")
    try check(TS_REQ_set_msg_imprint(request.pointer, imprint.pointer), "making a timestamp request")
    try check(TS_REQ_set_cert_req(request.pointer, 1), "making a timestamp request")
    let number = try Owned(BN_bin2bn(try secureRandomBytes(8), 8, nil), "making a nonce") { BN_free($0) }
    guard let nonce = BN_to_ASN1_INTEGER(number.pointer, nil) else { throw OpenSSLError("making a nonce") }
    defer { ASN1_INTEGER_free(nonce) }
    try check(TS_REQ_set_nonce(request.pointer, nonce), "making a timestamp request")
    let pointer = request.pointer
    return try written("writing a timestamp request") { i2d_TS_REQ_bio($0, pointer) }
  }

  /// Checks a response (DER) over `data` against the authority's certificate (PEM), the only one that is trusted.
  ///
  /// - Returns: The time that it states, in the words of the library.
  /// - Throws: ``OpenSSLError`` with the library's reason.
  @Sendable
  public static func verify(_ data: [UInt8], _ response: [UInt8], _ certificatePEM: [UInt8]) throws -> String {
    let trusted = try certificate(pem: certificatePEM, from: "the timestamp authority")
    let encoded = try memoryBuffer(response)
    let parsed = try Owned(d2i_TS_RESP_bio(encoded.pointer, nil), "reading the timestamp") { TS_RESP_free($0) }
    guard contents(encoded).isEmpty else { throw OpenSSLError("reading the timestamp: bytes after its end") }
    let context = try Owned(TS_VERIFY_CTX_new(), "making a verification") { TS_VERIFY_CTX_free($0) }
    TS_VERIFY_CTX_set_flags(context.pointer, Int32(TS_VFY_VERSION | TS_VFY_SIGNATURE | TS_VFY_DATA | TS_VFY_SIGNER))
    // The context takes over the buffer and the store; each is given a reference of its own.
    let buffer = try memoryBuffer(data)
    let store = try certificateStore(trusting: trusted)
    try check(BIO_up_ref(buffer.pointer), "making a verification")
    TS_VERIFY_CTX_set_data(context.pointer, buffer.pointer)
    try check(X509_STORE_up_ref(store.pointer), "making a verification")
    TS_VERIFY_CTX_set_store(context.pointer, store.pointer)
    try check(TS_RESP_verify_response(context.pointer, parsed.pointer), "verifying the timestamp")
    guard let information = TS_RESP_get_tst_info(parsed.pointer), let time = TS_TST_INFO_get_time(information) else {
      throw OpenSSLError("reading the time of the timestamp")
    }
    let text = try written("reading the time of the timestamp") { ASN1_GENERALIZEDTIME_print($0, time) }
    return String(decoding: text, as: UTF8.self)
  }
}
