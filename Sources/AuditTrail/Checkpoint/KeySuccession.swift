public import GovernanceTypes

/// The statement that one key of a log follows another: a signed note, with a signature of both keys.
///
/// Whoever trusts the old key can from then on trust the new one, and the certificate that signs manifests beside it.
public struct KeySuccession: Hashable, Sendable {
  static let header = "weighbridge/key-succession/v1"

  public let origin: String
  /// Counted from 1.
  public let number: Int
  public let old: NoteKey
  public let new: NoteKey
  /// SHA-256 of the PEM file of the certificate that signs manifests from now on.
  public let certificate: Digest

  public init(origin: String, number: Int, old: NoteKey, new: NoteKey, certificate: Digest) {
    self.origin = origin
    self.number = number
    self.old = old
    self.new = new
    self.certificate = certificate
  }

  public var text: String {
    [Self.header, self.origin, String(self.number), self.old.vkey, self.new.vkey, self.certificate.hexadecimal]
      .joined(separator: "\n") + "\n"
  }

  /// Reads a succession and checks both signatures.
  ///
  /// - Throws: ``NoteError`` with what is wrong.
  public init(_ bytes: [UInt8], digest: DigestFunction, verify: SignatureVerification) throws(NoteError) {
    let note = try SignedNote(bytes)
    let lines = note.text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    guard lines.count == 7, lines[0] == Self.header, lines[6] == "" else {
      throw NoteError(line: 1, message: "a succession of keys has six lines, the first of them '\(Self.header)'")
    }
    guard let number = Int(lines[2]), number > 0, String(number) == lines[2] else {
      throw NoteError(line: 3, message: "the number is not a plain decimal number of 1 or more")
    }
    guard let certificate = Digest(hexadecimal: lines[5]), certificate.hexadecimal == lines[5] else {
      throw NoteError(line: 6, message: "64 lower-case hexadecimal digits belong here")
    }
    self.init(
      origin: lines[1], number: number, old: try NoteKey(vkey: lines[3], digest: digest),
      new: try NoteKey(vkey: lines[4], digest: digest), certificate: certificate)
    try note.verify(by: self.old, using: verify)
    try note.verify(by: self.new, using: verify)
  }

  /// The note, signed by both keys.
  public func signed(byOld old: CheckpointSigner, byNew new: CheckpointSigner) throws -> [UInt8] {
    SignedNote(text: self.text, signatures: [try old.signature(of: self.text), try new.signature(of: self.text)]).bytes
  }
}

/// The keys of one log, from its first to the one in force, each followed by the next.
public struct LogKeys: Equatable, Sendable {
  public private(set) var successions: [KeySuccession] = []
  public let first: NoteKey

  /// A log whose key was never changed.
  public init(_ key: NoteKey) { self.first = key }

  /// - Throws: ``NoteError`` where the successions are no unbroken line of one log that ends in `current`.
  public init(current: NoteKey, origin: String, successions: [KeySuccession]) throws(NoteError) {
    self.first = successions.first?.old ?? current
    for (index, succession) in successions.enumerated() {
      guard succession.origin == origin, succession.number == index + 1, succession.old == self.current else {
        throw NoteError(line: nil, message: "succession \(index + 1) does not follow on the key before it, in the log \(origin)")
      }
      self.successions.append(succession)
    }
    guard self.current == current else {
      throw NoteError(line: nil, message: "the successions end in another key than \(current)")
    }
  }

  /// The key in force.
  public var current: NoteKey { self.successions.last?.new ?? self.first }
  public var all: [NoteKey] { [self.first] + self.successions.map(\.new) }
}
