public import GovernanceTypes

/// The public half of an Ed25519 key that signs notes (C2SP signed-note), with the name it signs under.
public struct NoteKey: Hashable, Sendable, CustomStringConvertible {
  /// What the key's signatures say; the number is the signature type of C2SP.
  public enum Use: UInt8, Sendable {
    /// The log's own signature over a note's text.
    case log = 1
    /// A witness's dated signature over a checkpoint, `cosignature/v1`.
    case cosignature = 4
  }

  public let name: String
  public let use: Use
  /// 32 bytes.
  public let publicKey: [UInt8]
  /// The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key), big-endian.
  public let id: UInt32

  /// - Throws: ``NoteError`` where the name is empty or has a space, a plus or a control character, or the key is not 32 bytes.
  public init(name: String, publicKey: [UInt8], use: Use = .log, digest: DigestFunction) throws(NoteError) {
    guard isNoteKeyName(name) else { throw NoteError(line: nil, message: "'\(name.prefix(80))' is no key name") }
    guard publicKey.count == 32 else {
      throw NoteError(line: nil, message: "an Ed25519 public key has 32 bytes, not \(publicKey.count)")
    }
    self.name = name
    self.use = use
    self.publicKey = publicKey
    let hash = digest(Array(name.utf8) + [0x0A, use.rawValue] + publicKey).bytes
    self.id = hash.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Reads a verifier key: `name+keyid+base64(type ‖ public key)`.
  ///
  /// - Throws: ``NoteError`` for any other form, another key type, or a key id that does not belong to name and key.
  public init(vkey: String, use: Use = .log, digest: DigestFunction) throws(NoteError) {
    // The base 64 may hold a plus, the name and the id may not.
    let parts = vkey.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let bytes = Base64.decode(parts[2]) else {
      throw NoteError(line: nil, message: "a verifier key has the form name+keyid+base64")
    }
    guard bytes.count == 33, bytes.first == use.rawValue else {
      throw NoteError(line: nil, message: "the verifier key is not of type \(use.rawValue) (\(use.words))")
    }
    try self.init(name: String(parts[0]), publicKey: Array(bytes.dropFirst()), use: use, digest: digest)
    guard parts[1] == self.idText else {
      throw NoteError(line: nil, message: "the verifier key carries id \(parts[1].prefix(16)); name and key give \(self.idText)")
    }
  }

  /// Eight lower-case hexadecimal digits.
  public var idText: String { hexadecimalText([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: self.id >> $0) }) }

  /// The verifier key as text, without a newline.
  public var vkey: String { "\(self.name)+\(self.idText)+\(Base64.encode([self.use.rawValue] + self.publicKey))" }
  public var description: String { self.vkey }
}

extension NoteKey.Use {
  fileprivate var words: String {
    switch self {
    case .log: "Ed25519"
    case .cosignature: "Ed25519 cosignature"
    }
  }
}

/// Whether a text can be the name of a key: not empty, no white space, no plus, no control characters.
func isNoteKeyName(_ name: some StringProtocol) -> Bool {
  !name.isEmpty && name.utf8.count <= 256
    && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "+" && !$0.properties.isWhitespace }
}
