// AuditSigning: what AuditTrail needs of cryptography, done by the system's libcrypto (OpenSSL 3.0 or later).
// Holds SHA-256, HMAC, random bytes, the log's Ed25519 key, the manifest's P-256 certificate and CMS, RFC 3161, bundles on disk.
// It must never know what an entry, a checkpoint or a manifest says; bytes go in, digests and signatures come out.

public import AuditTrail
internal import COpenSSL

extension DigestSuite {
  /// SHA-256 by libcrypto.
  public static let openSSL = DigestSuite(digest: sha256, streaming: { StreamingSHA256() })
}

/// A call into libcrypto that failed.
public struct OpenSSLError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was attempted.
  public var operation: String
  /// The library's own words, the first cause first; empty where it gave none.
  public var reasons: [String]

  /// Takes the errors that the library has queued for this thread, and leaves its queue empty.
  init(_ operation: String) {
    var reasons: [String] = []
    var text = [UInt8](repeating: 0, count: 256)
    while true {
      var data: UnsafePointer<CChar>?
      var flags: Int32 = 0
      let code = ERR_get_error_all(nil, nil, nil, &data, &flags)
      guard code != 0, reasons.count < 16 else { break }
      // ERR_error_string_n ends its text with a zero within the 256 bytes it is given.
      text.withUnsafeMutableBytes { ERR_error_string_n(code, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
      // What the library adds in words, such as why a certificate is not good; it is valid until the next of its errors.
      let words = flags & ERR_TXT_STRING != 0 ? data.map { " (\(String(cString: $0)))" } ?? "" : ""
      reasons.append(String(decoding: text.prefix { $0 != 0 }, as: UTF8.self) + words)
    }
    self.operation = operation
    self.reasons = reasons
  }

  public var description: String {
    self.reasons.isEmpty ? "\(self.operation) failed" : "\(self.operation) failed: \(self.reasons.joined(separator: "; "))"
  }
}
