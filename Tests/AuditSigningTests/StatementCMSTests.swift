import AuditSigning
import Testing

/// People who sign with the openssl program: certificates and detached CMS signatures as a signer's own tools make them.
final class SampleSigners {
  private let directory: TemporaryDirectory
  private var path: String { self.directory.path }

  init() throws {
    self.directory = try TemporaryDirectory()
    let configuration = """
      [ca]
      default_ca=own
      [own]
      new_certs_dir=\(self.path)
      database=\(self.path)/index
      rand_serial=yes
      default_md=sha256
      policy=any
      [any]
      commonName=supplied
      [req]
      distinguished_name=name
      [name]
      [authority]
      basicConstraints=critical,CA:TRUE
      """
    try writeFile("\(self.path)/conf", Array(configuration.utf8))
    try writeFile("\(self.path)/index", [])
  }

  /// A key and a certificate of its own.
  func make(_ name: String, key: [String] = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], isAuthority: Bool = false) throws {
    try self.openssl(
      ["req", "-x509", "-newkey"] + key + [
        "-nodes", "-keyout", "\(self.path)/\(name).key", "-out", "\(self.path)/\(name).pem", "-subj", "/CN=\(name)", "-days",
        "30",
        "-config", "\(self.path)/conf",
      ] + (isAuthority ? ["-extensions", "authority"] : []))
  }

  /// A certificate that an authority issues, valid from one time to another (`20200101000000Z`), or for a month from now.
  func issue(_ name: String, by authority: String?, from start: String? = nil, to end: String? = nil) throws {
    try self.openssl([
      "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "\(self.path)/\(name).key",
      "-out",
      "\(self.path)/\(name).csr", "-subj", "/CN=\(name)", "-config", "\(self.path)/conf",
    ])
    let dates = start.map { ["-startdate", $0, "-enddate", end ?? $0] } ?? ["-days", "30"]
    let issuer =
      authority.map { ["-cert", "\(self.path)/\($0).pem", "-keyfile", "\(self.path)/\($0).key"] }
      ?? ["-selfsign", "-keyfile", "\(self.path)/\(name).key"]
    try self.openssl(
      [
        "ca", "-batch", "-notext", "-config", "\(self.path)/conf", "-in", "\(self.path)/\(name).csr", "-out",
        "\(self.path)/\(name).pem",
      ]
        + issuer + dates)
  }

  func certificate(_ name: String) throws -> [UInt8] { try readFile("\(self.path)/\(name).pem") }

  func signature(of content: String, by name: String, more: [String] = []) throws -> [UInt8] {
    try writeFile("\(self.path)/content", Array(content.utf8))
    try self.openssl(
      [
        "cms", "-sign", "-binary", "-in", "\(self.path)/content", "-signer", "\(self.path)/\(name).pem", "-inkey",
        "\(self.path)/\(name).key", "-outform", "DER", "-out", "\(self.path)/signature",
      ] + more)
    return try readFile("\(self.path)/signature")
  }

  private func openssl(_ arguments: [String]) throws {
    let result = try run("openssl", arguments)
    guard result.status == 0 else { throw ProgramError(message: result.output) }
  }
}

@Suite(
  "Statements signed with CMS by the openssl program", .enabled(if: Program.openssl.isInstalled, "There is no openssl program."))
struct StatementCMSTests {
  /// A statement in canonical JSON, as it is signed.
  static let statement =
    #"{"fact":"party.mau.2023-06","signer":{"name":"E","role":"Counsel"},"subject":"cus_1","value":{"upper":5}}"#

  @Test(
    "a signature by the certificate given is taken, by key type",
    arguments: [["rsa:2048"], ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]])
  func good(key: [String]) throws {
    let signers = try SampleSigners()
    try signers.make("counsel", key: key)
    let signature = try signers.signature(of: Self.statement, by: "counsel")
    #expect(try verifyCMS(Array(Self.statement.utf8), signature, signers.certificate("counsel")) == "CN=counsel")
  }

  @Test("another's signature, an altered statement, and a signature that is cut or changed are refused")
  func wrong() throws {
    let signers = try SampleSigners()
    for name in ["counsel", "stranger"] { try signers.make(name) }
    let content = Array(Self.statement.utf8)
    let certificate = try signers.certificate("counsel")
    let foreign = try signers.signature(of: Self.statement, by: "stranger")
    #expect(throws: OpenSSLError.self) { try verifyCMS(content, foreign, certificate) }
    let signature = try signers.signature(of: Self.statement, by: "counsel")
    for altered in [content + [0x20], Array(content.dropLast()), Array(Self.statement.replacing("5", with: "9").utf8), []] {
      #expect(throws: OpenSSLError.self) { try verifyCMS(altered, signature, certificate) }
    }
    for bad in [Array(signature.dropLast()), signature + [0], [], Array("no signature".utf8)] {
      #expect(throws: OpenSSLError.self) { try verifyCMS(content, bad, certificate) }
    }
    var changed = signature
    changed[changed.count - 1] ^= 1
    #expect(throws: OpenSSLError.self) { try verifyCMS(content, changed, certificate) }
    // One that carries a content of its own is judged by the statement all the same.
    let other = try signers.signature(of: "something else", by: "counsel", more: ["-nodetach"])
    #expect(throws: OpenSSLError.self) { try verifyCMS(content, other, certificate) }
  }

  @Test("a certificate that has ended, or is not valid yet, signs nothing")
  func expired() throws {
    let signers = try SampleSigners()
    try signers.issue("gone", by: nil, from: "20200101000000Z", to: "20210101000000Z")
    try signers.issue("early", by: nil, from: "20980101000000Z", to: "20990101000000Z")
    for (name, word) in [("gone", "expired"), ("early", "not yet valid")] {
      let signature = try signers.signature(of: Self.statement, by: name)
      let error = #expect(throws: OpenSSLError.self) {
        try verifyCMS(Array(Self.statement.utf8), signature, signers.certificate(name))
      }
      #expect(error.map { "\($0)".contains(word) } == true, "\(String(describing: error))")
    }
  }

  @Test("an issued certificate stands by itself, and what it has signed is not its issuer's word")
  func issued() throws {
    let signers = try SampleSigners()
    try signers.make("authority", isAuthority: true)
    try signers.issue("counsel", by: "authority")
    let content = Array(Self.statement.utf8)
    let signature = try signers.signature(of: Self.statement, by: "counsel")
    #expect(try verifyCMS(content, signature, signers.certificate("counsel")) == "CN=counsel")
    #expect(throws: OpenSSLError.self) { try verifyCMS(content, signature, signers.certificate("authority")) }
  }
}
