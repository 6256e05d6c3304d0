public import GovernanceTypes

/// The state of a log at one moment (C2SP tlog-checkpoint): which log, how many leaves, and their root.
public struct Checkpoint: Hashable, Sendable {
  /// Names the log, by convention a URL without its scheme; not empty, one line.
  public let origin: String
  public let size: Int
  public let root: Digest
  /// Further lines, which verifiers ignore; we write none.
  public let extensions: [String]

  public init(origin: String, size: Int, root: Digest) {
    self.origin = origin
    self.size = size
    self.root = root
    self.extensions = []
  }

  /// Reads the text of a note.
  ///
  /// - Throws: ``NoteError`` with the line at fault.
  public init(text: String) throws(NoteError) {
    let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    guard lines.count >= 4, lines.last == "" else {
      throw NoteError(line: nil, message: "a checkpoint has an origin, a size and a root, a line each")
    }
    guard !lines[0].isEmpty else { throw NoteError(line: 1, message: "the origin is empty") }
    guard let size = Int(lines[1]), size >= 0, String(size) == lines[1] else {
      throw NoteError(line: 2, message: "the size is not a plain decimal number below 2^63")
    }
    guard let bytes = Base64.decode(lines[2]), let root = Digest(bytes) else {
      throw NoteError(line: 3, message: "the root is not base 64 of 32 bytes")
    }
    for (index, line) in lines.dropFirst(3).dropLast().enumerated() where line.isEmpty {
      throw NoteError(line: index + 4, message: "an extension line is empty")
    }
    self.origin = lines[0]
    self.size = size
    self.root = root
    self.extensions = Array(lines.dropFirst(3).dropLast())
  }

  /// What is signed: origin, size and base 64 of the root, a line each.
  public var text: String {
    ([self.origin, String(self.size), Base64.encode(self.root.bytes)] + self.extensions).joined(separator: "\n") + "\n"
  }
}

/// Signs checkpoints of one log with one key.
public struct CheckpointSigner: Sendable {
  public let key: NoteKey
  private let sign: @Sendable ([UInt8]) throws -> [UInt8]

  /// - Parameter sign: The Ed25519 signature of a message under the private half of `key`.
  public init(key: NoteKey, sign: @escaping @Sendable (_ message: [UInt8]) throws -> [UInt8]) {
    self.key = key
    self.sign = sign
  }

  /// The checkpoint as a signed note, ready to be published.
  ///
  /// It is the caller's duty never to sign a checkpoint that is no extension of the newest one it has signed.
  public func sign(_ checkpoint: Checkpoint) throws -> [UInt8] {
    SignedNote(text: checkpoint.text, signatures: [try self.signature(of: checkpoint.text)]).bytes
  }

  /// The key's signature over the text of any note.
  func signature(of text: String) throws -> NoteSignature {
    NoteSignature(name: self.key.name, keyID: self.key.id, signature: try self.sign(Array(text.utf8)))
  }
}

/// Opens checkpoints of one log that one of its keys has signed.
public struct CheckpointVerifier: Sendable {
  public let origin: String
  /// Any of them will do.
  public let keys: [NoteKey]
  private let verify: SignatureVerification

  public init(origin: String, key: NoteKey, verify: @escaping SignatureVerification) {
    self.init(origin: origin, keys: [key], verify: verify)
  }

  /// - Parameter keys: those that the log has had, the newest last.
  public init(origin: String, keys: [NoteKey], verify: @escaping SignatureVerification) {
    self.origin = origin
    self.keys = keys
    self.verify = verify
  }

  /// - Throws: ``NoteError`` where the note is malformed, not signed by the key, or of another log.
  public func open(_ note: [UInt8]) throws(NoteError) -> Checkpoint {
    let note = try SignedNote(note)
    let signed = self.keys.last { key in note.signatures.contains { $0.name == key.name && $0.keyID == key.id } }
    guard let key = signed ?? self.keys.last else { throw NoteError(line: nil, message: "no key of the log is known") }
    try note.verify(by: key, using: self.verify)
    let checkpoint = try Checkpoint(text: note.text)
    guard checkpoint.origin == self.origin else {
      throw NoteError(line: 1, message: "the checkpoint is of '\(checkpoint.origin)', not of '\(self.origin)'")
    }
    return checkpoint
  }
}
