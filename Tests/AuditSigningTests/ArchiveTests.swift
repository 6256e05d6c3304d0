import AuditSigning
import AuditTrail
import Glibc
import GovernanceTypes
import Testing

/// One header of `ustar` and what follows it.
private func member(_ name: String, _ content: [UInt8], type: UInt8 = UInt8(ascii: "0"), size: Int? = nil) -> [UInt8] {
  var block = [UInt8](repeating: 0, count: 512)
  func put(_ text: String, _ offset: Int) { block.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8) }
  func octal(_ value: Int, _ digits: Int) -> String {
    let text = String(value, radix: 8)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
  put(name, 0)
  put(octal(0o644, 7), 100)
  put(octal(size ?? content.count, 11), 124)
  put(octal(0, 11), 136)
  put("        ", 148)
  block[156] = type
  put("ustar\u{0}00", 257)
  put(octal(block.reduce(0) { $0 + Int($1) }, 6) + "\u{0} ", 148)
  return block + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
}

private let end = [UInt8](repeating: 0, count: 1024)

@Suite("bundles in an archive")
struct ArchiveTests {
  @Test("a bundle that the system's tar has packed is verified in place, and nothing is written")
  func packed() throws {
    let log = SampleLog(entries: 60, seed: 3, marks: [0])
    let bundle = try SampleBundle(log: log, keys: try SampleKeys(), first: 0, previous: 0)
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/b.tar"
    for arguments in [["-C", "\(bundle.path)/..", "bundle"], ["-C", bundle.path, "."]] {
      #expect(try run("tar", ["--format=ustar", "-cf", path] + arguments).status == 0)
      let report = BundleVerifier(
        digests: .openSSL, verifySignature: Ed25519Key.verify, verifyManifest: verifyCMS, verifyTimestamp: Timestamping.verify
      ).verify(try BundleArchive(path: path))
      #expect(report.isSound, "\(report.findings)")
    }
  }

  @Test(
    "a name that leaves the directory, a link, a device, a name twice, a wrong size, sum or end",
    arguments: [
      member("../x", [1]) + end, member("/etc/passwd", [1]) + end, member("a/../../x", [1]) + end, member("a//b", [1]) + end,
      member("link", [], type: UInt8(ascii: "2")) + end, member("hard", [], type: UInt8(ascii: "1")) + end,
      member("device", [], type: UInt8(ascii: "3")) + end, member("pax", [], type: UInt8(ascii: "x")) + end,
      member("x", [1]) + member("x", [2]) + end, member("x", [1], size: 1 << 40) + end,
      member("x", [1], size: 0o77777777777) + end,
      member("x", [1]), [], [UInt8](repeating: 0x20, count: 512), Array(member("x", [1]).prefix(700)),
    ])
  func hostile(bytes: [UInt8]) throws {
    let directory = try TemporaryDirectory()
    try writeFile("\(directory.path)/b.tar", bytes)
    #expect(throws: BundleDirectoryError.self) { try BundleArchive(path: "\(directory.path)/b.tar") }
  }

  @Test("an endless line, and a file that is larger than such a file can be, cost no more memory than the limit")
  func endless() throws {
    let bundle = try SampleBundle(log: SampleLog(entries: 40, seed: 5, marks: [0]), keys: try SampleKeys(), first: 0, previous: 0)
    for name in [BundlePath.entries, BundlePath.usage, BundlePath.summary, BundlePath.manifest, BundlePath.checkpoint] {
      let endless = EndlessSource(directory: BundleDirectory(path: bundle.path), endless: name)
      let verifier = BundleVerifier(
        digests: .openSSL, verifySignature: Ed25519Key.verify, verifyManifest: verifyCMS, verifyTimestamp: Timestamping.verify)
      let report = verifier.verify(endless)
      #expect(report.findings.contains { $0.file == name }, "\(name): \(report.findings)")
    }
  }
}

/// A bundle one of whose files is 300 MB of the letter A.
private struct EndlessSource: BundleSource {
  let directory: BundleDirectory
  let endless: String

  func paths() throws -> [String] { try self.directory.paths() }

  func open(_ path: String) throws -> () throws -> [UInt8]? {
    guard path == self.endless else { return try self.directory.open(path) }
    var left = 300
    let piece = [UInt8](repeating: UInt8(ascii: "A"), count: 1 << 20)
    return {
      left -= 1
      return left >= 0 ? piece : nil
    }
  }
}

@Suite("keys at rest")
struct KeyFileTests {
  private static let passphrase = "correct horse battery staple"

  @Test("an encrypted key opens with its passphrase only, and openssl reads it too")
  func encrypted() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/log.pem"
    let key = try Ed25519Key.generate()
    try key.save(path: path, passphrase: Self.passphrase)
    #expect(try Ed25519Key(path: path, passphrase: Self.passphrase).publicKey == key.publicKey)
    #expect(throws: KeyFileError.self) { try Ed25519Key(path: path) }
    #expect(throws: KeyFileError.self) { try Ed25519Key(path: path, passphrase: "another passphrase") }
    #expect(KeyFile.isEncrypted(try readFile(path)))
    let hexadecimal = hexadecimalText(key.seed)
    #expect(!hexadecimalText(try readFile(path)).contains(hexadecimal))
    guard Program.openssl.isInstalled else { return }
    let read = try run("openssl", ["pkey", "-in", path, "-passin", "pass:\(Self.passphrase)", "-noout", "-text"])
    #expect(read.status == 0 && read.output.contains("ED25519"), "\(read.output)")
  }

  @Test("a plain key is encrypted in place once there is a passphrase")
  func upgraded() throws {
    let directory = try TemporaryDirectory()
    let (key, certificate) = ("\(directory.path)/key.pem", "\(directory.path)/certificate.pem")
    let signer = try SigningCertificate.generate(commonName: "Example", from: Timestamp(seconds: Int64(time(nil)) - 60))
    try signer.save(keyPath: key, certificatePath: certificate)
    #expect(!KeyFile.isEncrypted(try readFile(key)))
    _ = try SigningCertificate(keyPath: key, certificatePath: certificate, passphrase: Self.passphrase)
    #expect(KeyFile.isEncrypted(try readFile(key)))
    let loaded = try SigningCertificate(keyPath: key, certificatePath: certificate, passphrase: Self.passphrase)
    let signature = try loaded.sign([1, 2, 3])
    #expect(try verifyCMS([1, 2, 3], signature, signer.certificate).contains("Example"))
  }

  @Test(
    "a file or directory that others can read is refused with the command that mends it",
    arguments: [0o640, 0o604, 0o666] as [mode_t])
  func permissions(mode: mode_t) throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/log.pem"
    try Ed25519Key.generate().save(path: path)
    chmod(path, mode)
    let error = #expect(throws: KeyFileError.self) { try Ed25519Key(path: path) }
    #expect(error?.message.contains("chmod 600") == true)
    try KeyFile.requirePrivate(directory: directory.path)
    chmod(directory.path, mode | 0o700)
    let refused = #expect(throws: KeyFileError.self) { try KeyFile.requirePrivate(directory: directory.path) }
    #expect(refused?.message.contains("chmod 700") == true)
    chmod(directory.path, 0o700)
  }
}
