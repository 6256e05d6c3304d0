import AuditTrail
import GovernanceTypes
import Testing

/// A signature that the tests can make without a library: the digest of key and message, twice.
@Sendable
private func toySignature(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
  let digest = referenceSHA256(key + message).bytes
  return digest + digest
}

private let toyVerification: SignatureVerification = { key, message, signature in toySignature(key, message) == signature }

private func key(_ name: String, _ byte: UInt8 = 7) throws -> NoteKey {
  try NoteKey(name: name, publicKey: [UInt8](repeating: byte, count: 32), digest: referenceSHA256)
}

private func signer(_ key: NoteKey) -> CheckpointSigner {
  CheckpointSigner(key: key) { message in toySignature(key.publicKey, message) }
}

@Suite("base 64, RFC 4648 section 4")
struct Base64Tests {
  @Test(
    "vectors of section 10",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ])
  func vectors(plain: String, encoded: String) {
    #expect(Base64.encode(Array(plain.utf8)) == encoded)
    #expect(Base64.decode(encoded) == Array(plain.utf8))
  }

  @Test(
    "other texts for the same bytes are refused",
    arguments: [
      "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8=\n", " Zm8=", "Zm-_", "Z===", "====", "Zg==Zg==", "=Zg=", "Zm8é",
    ])
  func refused(text: String) { #expect(Base64.decode(text) == nil) }

  @Test("all lengths up to 70 return")
  func roundTrip() {
    var random = SplitMix64(seed: 4648)
    for count in 0...70 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }
  }
}

@Suite("signed notes and checkpoints, C2SP")
struct NoteTests {
  @Test("a checkpoint is signed, published, and opened again")
  func roundTrip() throws {
    let key = try key("log.example/one")
    let checkpoint = Checkpoint(origin: "log.example/one", size: 1017, root: referenceSHA256([1]))
    let note = try signer(key).sign(checkpoint)
    let lines = String(decoding: note, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 6 && lines[0] == "log.example/one" && lines[1] == "1017" && lines[3] == "" && lines[5] == "")
    #expect(lines[4].hasPrefix("— log.example/one "))
    let verifier = CheckpointVerifier(origin: "log.example/one", key: key, verify: toyVerification)
    #expect(try verifier.open(note) == checkpoint)
    let other = CheckpointVerifier(origin: "log.example/two", key: key, verify: toyVerification)
    #expect(throws: NoteError.self) { try other.open(note) }
  }

  @Test("one byte changed anywhere, and it opens no more or says the same")
  func flips() throws {
    let key = try key("log.example/one")
    let checkpoint = Checkpoint(origin: "log.example/one", size: 8, root: referenceSHA256([]))
    let note = try signer(key).sign(checkpoint)
    let verifier = CheckpointVerifier(origin: "log.example/one", key: key, verify: toyVerification)
    for index in note.indices {
      for bit in 0..<8 {
        var changed = note
        changed[index] ^= 1 << UInt8(bit)
        #expect(throws: NoteError.self, "byte \(index), bit \(bit)") { try verifier.open(changed) }
      }
    }
  }

  @Test("signatures of strangers are passed over, a wrong one of ours is not")
  func strangers() throws {
    let (mine, other) = (try key("log.example/one"), try key("witness.example", 9))
    let text = "log.example/one\n0\n\(Base64.encode(referenceSHA256([]).bytes))\n"
    let good = NoteSignature(name: mine.name, keyID: mine.id, signature: toySignature(mine.publicKey, Array(text.utf8)))
    let stranger = NoteSignature(name: other.name, keyID: other.id, signature: [1, 2, 3])
    let wrong = NoteSignature(name: mine.name, keyID: mine.id, signature: [UInt8](repeating: 0, count: 64))
    let verifier = CheckpointVerifier(origin: "log.example/one", key: mine, verify: toyVerification)
    #expect(try verifier.open(SignedNote(text: text, signatures: [stranger, good]).bytes).size == 0)
    #expect(throws: NoteError.self) { try verifier.open(SignedNote(text: text, signatures: [stranger]).bytes) }
    #expect(throws: NoteError.self) { try verifier.open(SignedNote(text: text, signatures: [good, wrong]).bytes) }
  }

  @Test(
    "notes that are none",
    arguments: [
      ("", nil), ("\n", nil), ("\n\n", nil), ("text\n", nil), ("text\n\n", nil), ("text\n\n— name AAAAAAA=", nil),
      ("text\n\n- name AAAAAAA=\n", 3), ("text\n\n— name\n", 3), ("text\n\n— na+me AAAAAAA=\n", 3), ("text\n\n—  AAAAAAA=\n", 3),
      ("text\n\n— name AAAA\n", 3), ("text\n\n— name AAAAAA==\n", 3), ("text\n\n— name AAAAAAB=\n", 3),
      ("text\n\n— name AAAAAAA= \n", 3), ("te\txt\n\n— name AAAAAAA=\n", 1), ("text\r\n\r\n— name AAAAAAA=\n", 1),
      ("text\n\n— name AAAAAAA=\nmore\n", 4), ("text\n\n— na\u{00A0}me AAAAAAA=\n", 3),
    ] as [(String, Int?)])
  func hostileNotes(note: String, line: Int?) {
    let error = #expect(throws: NoteError.self) { try SignedNote(Array(note.utf8)) }
    #expect(error?.line == line)
  }

  @Test("invalid UTF-8, too many bytes, too many signatures")
  func hostileSizes() {
    #expect(throws: NoteError.self) { try SignedNote([0x74, 0xFF, 0x0A, 0x0A, 0x0A]) }
    #expect(throws: NoteError.self) { try SignedNote([UInt8](repeating: 0x0A, count: (1 << 16) + 1)) }
    let line = NoteSignature(name: "n", keyID: 1, signature: [1])
    #expect((try? SignedNote(SignedNote(text: "t\n", signatures: Array(repeating: line, count: 100)).bytes)) != nil)
    #expect(throws: NoteError.self) {
      try SignedNote(SignedNote(text: "t\n", signatures: Array(repeating: line, count: 101)).bytes)
    }
  }

  @Test(
    "checkpoints that are none",
    arguments: [
      ("o\n1\n", nil), ("\n1\nR\n", 1), ("o\n01\nR\n", 2), ("o\n-1\nR\n", 2), ("o\n+1\nR\n", 2),
      ("o\n9223372036854775808\nR\n", 2),
      ("o\n1\nAAAA\n", 3), ("o\n1\n\n", 3), ("o\n1\nR\n\n", 4), ("o\n1\nR", nil), ("o\n 1\nR\n", 2), ("o\n١\nR\n", 2),
    ] as [(String, Int?)])
  func hostileCheckpoints(text: String, line: Int?) {
    let root = Base64.encode([UInt8](repeating: 3, count: 32))
    let error = #expect(throws: NoteError.self) {
      try Checkpoint(text: text.split(separator: "R", omittingEmptySubsequences: false).joined(separator: root))
    }
    #expect(error?.line == line)
  }

  @Test("extension lines are kept")
  func extensions() throws {
    let root = Base64.encode([UInt8](repeating: 3, count: 32))
    let checkpoint = try Checkpoint(text: "o\n9223372036854775807\n\(root)\nmore\n")
    #expect(checkpoint.size == .max && checkpoint.extensions == ["more"])
    #expect(checkpoint.text == "o\n9223372036854775807\n\(root)\nmore\n")
  }

  @Test(
    "verifier keys that are none",
    arguments: [
      "", "name", "name+00000000", "name+00000000+AQ==", "+3a5e1c2d+AQ==", "na me+00000000+AQ==", "name+00000000+!!!!",
    ])
  func hostileKeys(text: String) {
    #expect(throws: NoteError.self) { try NoteKey(vkey: text, digest: referenceSHA256) }
  }

  @Test("a verifier key whose id or type is not its own is refused")
  func keyIDs() throws {
    let key = try key("log.example/one")
    #expect(try NoteKey(vkey: key.vkey, digest: referenceSHA256) == key)
    let blob = Base64.encode([1] + key.publicKey)
    #expect(throws: NoteError.self) { try NoteKey(vkey: "log.example/two+\(key.idText)+\(blob)", digest: referenceSHA256) }
    #expect(throws: NoteError.self) {
      try NoteKey(vkey: "log.example/one+\(key.idText.uppercased())x+\(blob)", digest: referenceSHA256)
    }
    let other = Base64.encode([2] + key.publicKey)
    #expect(throws: NoteError.self) { try NoteKey(vkey: "log.example/one+\(key.idText)+\(other)", digest: referenceSHA256) }
  }
}
