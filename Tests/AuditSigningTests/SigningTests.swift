import AuditSigning
import AuditTrail
import Glibc
import GovernanceTypes
import Testing

private func bytes(_ hexadecimal: String) -> [UInt8] {
  stride(from: 0, to: hexadecimal.utf8.count, by: 2).compactMap { UInt8(hexadecimal.dropFirst($0).prefix(2), radix: 16) }
}

@Suite("digests")
struct DigestTests {
  @Test(
    "SHA-256, FIPS 180-4 examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func vectors(text: String, expected: String) {
    #expect(sha256(Array(text.utf8)).hexadecimal == expected)
  }

  @Test("in pieces of any size it is the same")
  func streaming() {
    let message = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    for size in [1, 2, 55, 63, 64, 65, 127, 128, 299, 300] {
      var stream = StreamingSHA256()
      for start in stride(from: 0, to: message.count, by: size) {
        let piece = Array(message[start..<min(start + size, message.count)])
        stream.update(piece.span)
      }
      let digest = stream.finish()
      #expect(digest == sha256(message))
    }
    var copied = StreamingSHA256()
    copied.update(message.span)
    var other = copied
    other.update(message.span)
    let (first, second) = (copied.finish(), other.finish())
    #expect(first == sha256(message) && second == sha256(message + message))
  }

  @Test(
    "HMAC-SHA-256, RFC 4231",
    arguments: [
      (
        String(repeating: "0b", count: 20), "4869205468657265", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
      ),
      (
        "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
      ),
      (
        String(repeating: "aa", count: 131),
        "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
      ),
    ])
  func hmac(key: String, message: String, expected: String) {
    #expect(hmacSHA256(bytes(key), bytes(message)).hexadecimal == expected)
  }

  @Test("random bytes come in the number asked for, and differ")
  func random() throws {
    #expect(try secureRandomBytes(0).isEmpty)
    let (first, second) = (try secureRandomBytes(32), try secureRandomBytes(32))
    #expect(first.count == 32 && first != second)
    #expect(throws: OpenSSLError.self) { try secureRandomBytes(-1) }
  }
}

@Suite("the log's key")
struct Ed25519KeyTests {
  @Test(
    "RFC 8032 section 7.1",
    arguments: [
      (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
          + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
      ),
      (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
          + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
      ),
    ])
  func vectors(seed: String, publicKey: String, message: String, signature: String) throws {
    let key = try Ed25519Key(seed: bytes(seed))
    #expect(key.publicKey == bytes(publicKey))
    #expect(try key.sign(bytes(message)) == bytes(signature))
    #expect(Ed25519Key.verify(key.publicKey, bytes(message), bytes(signature)))
    #expect(!Ed25519Key.verify(key.publicKey, bytes(message) + [0], bytes(signature)))
    #expect(!Ed25519Key.verify(key.publicKey, bytes(message), Array(bytes(signature).dropLast())))
    #expect(!Ed25519Key.verify([], bytes(message), bytes(signature)))
  }

  @Test("the note in the documentation of Go's sumdb/note opens, and its key signs it again byte by byte")
  func foreignNote() throws {
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    let line = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    let key = try NoteKey(vkey: "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", digest: sha256)
    let note = try SignedNote(Array("\(text)\n\(line)".utf8))
    #expect(note.text == text)
    try note.verify(by: key, using: Ed25519Key.verify)
    let seed = try #require(Base64.decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")).dropFirst()
    let signature = try Ed25519Key(seed: Array(seed)).sign(Array(text.utf8))
    let again = SignedNote(text: text, signatures: [NoteSignature(name: key.name, keyID: key.id, signature: signature)])
    #expect(again.bytes == Array("\(text)\n\(line)".utf8))
  }

  @Test("a saved key is for its owner's eyes, is never overwritten, and loads again")
  func files() throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/log.key"
    let key = try Ed25519Key.generate()
    try key.save(path: path)
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(try Ed25519Key(path: path).publicKey == key.publicKey)
    #expect(throws: KeyFileError.self) { try key.save(path: path) }
    for mode: mode_t in [0o640, 0o604, 0o660, 0o620] {
      chmod(path, mode)
      let error = #expect(throws: KeyFileError.self) { try Ed25519Key(path: path) }
      #expect(error?.message.contains("chmod 600") == true)
    }
    chmod(path, 0o600)
    try writeFile(path, Array("no key".utf8))
    let error = #expect(throws: OpenSSLError.self) { try Ed25519Key(path: path) }
    #expect(error?.reasons.isEmpty == false)
    #expect(throws: KeyFileError.self) { try Ed25519Key(path: "\(directory.path)/absent") }
    symlink(path, "\(directory.path)/link")
    #expect(throws: KeyFileError.self) { try Ed25519Key(path: "\(directory.path)/link") }
  }

  @Test("a key of another kind is refused by name")
  func otherKind() throws {
    let directory = try TemporaryDirectory()
    let signer = try SigningCertificate.generate(commonName: "x", from: Timestamp(seconds: 1_700_000_000))
    try signer.save(keyPath: "\(directory.path)/k", certificatePath: "\(directory.path)/c")
    let error = #expect(throws: KeyFileError.self) { try Ed25519Key(path: "\(directory.path)/k") }
    #expect(error?.message.contains("Ed25519") == true)
  }
}

@Suite("the manifest's signature")
struct CMSTests {
  private static let now = Timestamp(seconds: Int64(time(nil)))

  @Test("signs, verifies, and refuses any other content or certificate")
  func roundTrip() throws {
    let signer = try SigningCertificate.generate(commonName: "Prüfer of Example GmbH", from: Self.now)
    let content = Array("{\"a\":1}\n".utf8)
    let signature = try signer.sign(content)
    #expect(try verifyCMS(content, signature, signer.certificate).contains("Prüfer of Example GmbH"))
    let changed = #expect(throws: OpenSSLError.self) { try verifyCMS(content + [0x20], signature, signer.certificate) }
    #expect(changed?.reasons.isEmpty == false)
    let other = try SigningCertificate.generate(commonName: "Prüfer of Example GmbH", from: Self.now)
    #expect(throws: OpenSSLError.self) { try verifyCMS(content, signature, other.certificate) }
    #expect(throws: OpenSSLError.self) { try verifyCMS(content, signature + [0], signer.certificate) }
    #expect(throws: OpenSSLError.self) { try verifyCMS(content, [], signer.certificate) }
    #expect(throws: OpenSSLError.self) { try verifyCMS(content, signature, []) }
    #expect(throws: OpenSSLError.self) { try SigningCertificate.generate(commonName: "", from: Self.now) }
  }

  @Test("key and certificate are loaded together or not at all")
  func files() throws {
    let directory = try TemporaryDirectory()
    let (key, certificate) = ("\(directory.path)/signer.key", "\(directory.path)/signer.pem")
    let signer = try SigningCertificate.generate(commonName: "Example", from: Self.now)
    try signer.save(keyPath: key, certificatePath: certificate)
    let loaded = try SigningCertificate(keyPath: key, certificatePath: certificate)
    #expect(loaded.certificate == signer.certificate)
    #expect((try? verifyCMS([1], loaded.sign([1]), signer.certificate)) != nil)
    let other = try SigningCertificate.generate(commonName: "Example", from: Self.now)
    try other.save(keyPath: "\(directory.path)/k2", certificatePath: "\(directory.path)/c2")
    #expect(throws: OpenSSLError.self) { try SigningCertificate(keyPath: key, certificatePath: "\(directory.path)/c2") }
    chmod(key, 0o644)
    #expect(throws: KeyFileError.self) { try SigningCertificate(keyPath: key, certificatePath: certificate) }
  }

  @Test(
    "the openssl program accepts the plain command, and refuses a changed manifest",
    .enabled(if: Program.openssl.isInstalled, "openssl is not installed"))
  func program() throws {
    let directory = try TemporaryDirectory()
    let signer = try SigningCertificate.generate(commonName: "Example", from: Self.now)
    let content = Array("{\"a\":1}\r\n\n".utf8)
    let (file, signature, certificate) = ("\(directory.path)/m", "\(directory.path)/s", "\(directory.path)/c")
    try writeFile(file, content)
    try writeFile(signature, try signer.sign(content))
    try writeFile(certificate, signer.certificate)
    let command = [
      "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", file, "-CAfile", certificate, "-out",
      "/dev/null",
    ]
    let accepted = try run("openssl", command)
    #expect(accepted.status == 0, "\(accepted.output)")
    try writeFile(file, content + [0x0A])
    #expect(try run("openssl", command).status != 0)
    let shown = try run("openssl", ["x509", "-in", certificate, "-noout", "-text"])
    #expect(shown.output.contains("E-mail Protection") && shown.output.contains("prime256v1"))
  }

  @Test(
    "timestamps: our request is answered by an authority of the openssl program, and its answer verified",
    .enabled(if: Program.openssl.isInstalled, "openssl is not installed"))
  func timestamps() throws {
    let authority = try SampleAuthority()
    let data = Array("the signature".utf8)
    let (reply, certificate) = (try authority.stamp(data), authority.certificate)
    #expect(try Timestamping.verify(data, reply, certificate).contains("GMT"))
    #expect(throws: OpenSSLError.self) { try Timestamping.verify(data + [0], reply, certificate) }
    #expect(throws: OpenSSLError.self) { try Timestamping.verify(data, reply + [0], certificate) }
    let other = try SigningCertificate.generate(commonName: "tsa", from: Self.now)
    #expect(throws: OpenSSLError.self) { try Timestamping.verify(data, reply, other.certificate) }
  }
}
