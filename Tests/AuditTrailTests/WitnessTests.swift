import GovernanceTypes
import Testing

@testable import AuditTrail

/// A log of any size, and a stand-in for signatures: the bytes that the key would sign, hashed with it.
private struct Log {
  let tree = MerkleTree(digest: referenceSHA256)
  let leaves: [Digest]
  let key: NoteKey

  static func sign(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    let half = referenceSHA256(key + message).bytes
    return half + half
  }
  static func verify(_ key: [UInt8], _ message: [UInt8], _ signature: [UInt8]) -> Bool { self.sign(key, message) == signature }

  init(_ size: Int, name: String = "log.example/one", seed: UInt8 = 1) throws {
    let tree = MerkleTree(digest: referenceSHA256)
    self.leaves = (0..<size).map { tree.leafHash([seed, UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]) }
    self.key = try NoteKey(name: name, publicKey: [UInt8](repeating: 7, count: 32), digest: referenceSHA256)
  }

  private var subtree: SubtreeHash { self.tree.subtrees { Array(self.leaves[$0]) } }

  func note(_ size: Int) throws -> [UInt8] {
    let checkpoint = Checkpoint(origin: self.key.name, size: size, root: try self.tree.root(size: size, subtree: self.subtree))
    return try CheckpointSigner(key: self.key, sign: { Self.sign([UInt8](repeating: 7, count: 32), $0) }).sign(checkpoint)
  }

  func request(old: Int, size: Int) throws -> [UInt8] {
    let proof = old <= size ? try self.tree.consistencyProof(from: old, to: size, subtree: self.subtree) : []
    return AddCheckpoint(oldSize: old, proof: proof, checkpoint: try self.note(size)).bytes
  }

  func witness() -> WitnessedLogs {
    var logs = WitnessedLogs(tree: self.tree, verify: Self.verify)
    logs.watch(self.key)
    return logs
  }
}

extension WitnessedLogs {
  /// As a server would: what is accepted is kept.
  fileprivate mutating func take(_ request: [UInt8]) -> Int {
    let answer = self.judge(request)
    if case .cosign(let checkpoint, _) = answer { self.keep(checkpoint) }
    return answer.status
  }
}

@Suite("a witness (C2SP tlog-witness)")
struct WitnessTests {
  @Test("it cosigns every extension, from any size to any size, and the same one again")
  func extensions() throws {
    let log = try Log(40)
    for old in 0...40 {
      for size in [old, old + 1, 33, 40] where size >= old && size <= 40 {
        var witness = log.witness()
        if old > 0 { #expect(witness.take(try log.request(old: 0, size: old)) == 200) }
        #expect(witness.take(try log.request(old: old, size: size)) == 200, "\(old) to \(size)")
        #expect(witness.newest(of: log.key.name)?.size == size)
      }
    }
  }

  @Test("an old size that is not its newest gets 409 and the newest, also where the log was rolled back")
  func conflicts() throws {
    let log = try Log(20)
    var witness = log.witness()
    #expect(witness.take(try log.request(old: 0, size: 12)) == 200)
    for (old, size) in [(0, 12), (0, 20), (11, 20), (13, 20), (0, 5), (5, 9)] {
      #expect(witness.judge(try log.request(old: old, size: size)) == .conflict(size: 12), "\(old) to \(size)")
    }
    #expect(witness.newest(of: log.key.name)?.size == 12)
  }

  @Test("another log under the same key gets 409 at the same size and 422 beyond it")
  func forks() throws {
    let (log, fork) = (try Log(20), try Log(20, seed: 2))
    var witness = log.witness()
    #expect(witness.take(try log.request(old: 0, size: 12)) == 200)
    #expect(witness.judge(try fork.request(old: 12, size: 12)) == .conflict(size: 12))
    #expect(witness.judge(try fork.request(old: 12, size: 20)).status == 422)
    // The proof of the true log does not help a checkpoint of the other.
    let borrowed = AddCheckpoint(
      oldSize: 12, proof: try AddCheckpoint(try log.request(old: 12, size: 20)).proof, checkpoint: try fork.note(20))
    #expect(witness.judge(borrowed.bytes).status == 422)
    #expect(witness.take(try log.request(old: 12, size: 20)) == 200)
  }

  @Test("an unknown log, a missing or wrong signature, an old size above the new one")
  func refusals() throws {
    let (log, other) = (try Log(9), try Log(9, name: "log.example/two"))
    let witness = log.witness()
    #expect(witness.judge(try other.request(old: 0, size: 9)).status == 404)
    var unsigned = try SignedNote(try log.note(9))
    let strange = unsigned.signatures.map { NoteSignature(name: $0.name, keyID: $0.keyID ^ 1, signature: $0.signature) }
    unsigned = SignedNote(text: unsigned.text, signatures: strange)
    #expect(witness.judge(AddCheckpoint(oldSize: 0, proof: [], checkpoint: unsigned.bytes).bytes).status == 403)
    #expect(witness.judge(AddCheckpoint(oldSize: 10, proof: [], checkpoint: try log.note(9)).bytes).status == 400)
    #expect(
      witness.judge(AddCheckpoint(oldSize: 0, proof: [log.tree.emptyRoot], checkpoint: try log.note(9)).bytes).status == 422)
  }

  @Test(
    "what is no request",
    arguments: [
      "", "old 0", "old 0\n", "old 0\n\n", "old 00\n\nx", "old -1\n\nx", "old 1 \n\nx", "new 0\n\nx", "old 0\nAAAA\n\nx",
      "old 0\n" + String(repeating: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", count: 64) + "\nx",
      "old 9223372036854775808\n\nx", "\n\n", "old 0\n\n\u{FF}",
    ])
  func malformed(text: String) throws {
    #expect(try Log(1).witness().judge(Array(text.utf8)).status == 400)
  }

  @Test("whatever is done to a request, the witness answers, and never cosigns but what the log signed")
  func mutations() throws {
    let log = try Log(30)
    var witness = log.witness()
    _ = witness.take(try log.request(old: 0, size: 13))
    let sound = try log.request(old: 13, size: 30)
    for index in sound.indices {
      for bit in [UInt8(1), 64] {
        var changed = sound
        changed[index] ^= bit
        if case .cosign(let checkpoint, _) = witness.judge(changed) {
          #expect(
            checkpoint == (try CheckpointVerifier(origin: log.key.name, key: log.key, verify: Log.verify).open(try log.note(30))))
        }
      }
    }
    for length in sound.indices { #expect(witness.judge(Array(sound.prefix(length))).status >= 400) }
  }

  @Test("cosignatures are dated, over the header of cosignature/v1, and of key type 4")
  func cosignatures() throws {
    let log = try Log(3)
    let note = try SignedNote(try log.note(3))
    let secret = [UInt8](repeating: 9, count: 32)
    let key = try NoteKey(name: "witness.example", publicKey: secret, use: .cosignature, digest: referenceSHA256)
    var message: [UInt8] = []
    let signature = try Cosignature.sign(note.text, at: Timestamp(seconds: 1_679_315_147), by: key) {
      message = $0
      return Log.sign(secret, $0)
    }
    #expect(String(decoding: message, as: UTF8.self) == "cosignature/v1\ntime 1679315147\n" + note.text)
    let cosigned = try SignedNote(note.adding([signature]).bytes)
    #expect(try cosigned.cosigned(by: key, using: Log.verify) == Timestamp(seconds: 1_679_315_147))
    #expect(try note.cosigned(by: key, using: Log.verify) == nil)
    #expect(try NoteKey(vkey: key.vkey, use: .cosignature, digest: referenceSHA256) == key)
    #expect(throws: NoteError.self) { try NoteKey(vkey: key.vkey, digest: referenceSHA256) }
    for index in 0..<72 {
      var wrong = signature
      wrong.signature[index] ^= 1
      #expect(throws: NoteError.self) { try note.adding([wrong]).cosigned(by: key, using: Log.verify) }
    }
  }
}

@Suite("the succession of keys")
struct KeySuccessionTests {
  private func signer(_ secret: UInt8) throws -> CheckpointSigner {
    let bytes = [UInt8](repeating: secret, count: 32)
    let key = try NoteKey(name: "log.example/one", publicKey: bytes, digest: referenceSHA256)
    return CheckpointSigner(key: key) { Log.sign(bytes, $0) }
  }

  private func succession(_ number: Int, _ old: UInt8, _ new: UInt8) throws -> KeySuccession {
    let made = KeySuccession(
      origin: "log.example/one", number: number, old: try self.signer(old).key, new: try self.signer(new).key,
      certificate: referenceSHA256([new]))
    let note = try made.signed(byOld: try self.signer(old), byNew: try self.signer(new))
    return try KeySuccession(note, digest: referenceSHA256, verify: Log.verify)
  }

  @Test("an unbroken line leads from the first key to the one in force, and a broken one nowhere")
  func lines() throws {
    let (first, second) = (try self.succession(1, 1, 2), try self.succession(2, 2, 3))
    let origin = "log.example/one"
    let keys = try LogKeys(current: try self.signer(3).key, origin: origin, successions: [first, second])
    #expect(keys.all == (try [1, 2, 3].map { try self.signer($0).key }))
    #expect(throws: NoteError.self) { try LogKeys(current: keys.current, origin: origin, successions: [second]) }
    #expect(throws: NoteError.self) { try LogKeys(current: keys.current, origin: origin, successions: [first]) }
    #expect(throws: NoteError.self) { try LogKeys(current: keys.current, origin: origin, successions: [second, first]) }
    #expect(throws: NoteError.self) {
      try LogKeys(current: keys.current, origin: "log.example/two", successions: [first, second])
    }
    let stranger = try self.succession(2, 9, 3)
    #expect(throws: NoteError.self) { try LogKeys(current: keys.current, origin: origin, successions: [first, stranger]) }
  }

  @Test("one signature is not enough, and no byte of the text can change")
  func signatures() throws {
    let made = try self.succession(1, 1, 2)
    let note = try SignedNote(try made.signed(byOld: try self.signer(1), byNew: try self.signer(2)))
    for kept in note.signatures {
      let half = SignedNote(text: note.text, signatures: [kept]).bytes
      #expect(throws: NoteError.self) { try KeySuccession(half, digest: referenceSHA256, verify: Log.verify) }
    }
    for index in note.bytes.indices.prefix(note.text.utf8.count) {
      var changed = note.bytes
      changed[index] ^= 1
      #expect(throws: NoteError.self) { try KeySuccession(changed, digest: referenceSHA256, verify: Log.verify) }
    }
  }
}
