import AuditSigning
import Glibc

/// A timestamp authority of RFC 3161, run by the openssl program.
final class SampleAuthority {
  let certificate: [UInt8]
  private let directory: TemporaryDirectory

  init() throws {
    self.directory = try TemporaryDirectory()
    let path = self.directory.path
    let configuration = """
      [tsa]
      serial=\(path)/serial
      signer_cert=\(path)/tsa.pem
      signer_key=\(path)/tsa.key
      signer_digest=sha256
      default_policy=1.2.3.4
      digests=sha256
      [req]
      distinguished_name=name
      x509_extensions=extensions
      [name]
      [extensions]
      extendedKeyUsage=critical,timeStamping
      """
    try writeFile("\(path)/conf", Array(configuration.utf8))
    try writeFile("\(path)/serial", Array("01\n".utf8))
    try Self.openssl([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "\(path)/tsa.key", "-out",
      "\(path)/tsa.pem", "-subj", "/CN=tsa", "-days", "30", "-config", "\(path)/conf",
    ])
    self.certificate = try readFile("\(path)/tsa.pem")
  }

  /// The response to our own request for a timestamp over `data`.
  func stamp(_ data: [UInt8]) throws -> [UInt8] {
    let path = self.directory.path
    try writeFile("\(path)/query", try Timestamping.request(for: data))
    try Self.openssl([
      "ts", "-reply", "-config", "\(path)/conf", "-section", "tsa", "-queryfile", "\(path)/query", "-out", "\(path)/reply",
    ])
    return try readFile("\(path)/reply")
  }

  private static func openssl(_ arguments: [String]) throws {
    let result = try run("openssl", arguments)
    guard result.status == 0 else { throw ProgramError(message: result.output) }
  }
}
