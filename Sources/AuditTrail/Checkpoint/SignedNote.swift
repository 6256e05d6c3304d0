/// A note that cannot be read or is not what it should be.
public struct NoteError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The line of the note, counted from 1; nil where the whole is meant.
  public var line: Int?
  public var message: String

  public init(line: Int?, message: String) {
    self.line = line
    self.message = message
  }

  public var description: String { self.line.map { "line \($0): \(self.message)" } ?? self.message }
}

/// One signature line of a note, not yet verified.
public struct NoteSignature: Hashable, Sendable {
  public var name: String
  public var keyID: UInt32
  public var signature: [UInt8]

  public init(name: String, keyID: UInt32, signature: [UInt8]) {
    self.name = name
    self.keyID = keyID
    self.signature = signature
  }

  /// As it stands in a note, with its newline.
  public var line: String {
    let id = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: self.keyID >> UInt32($0)) }
    return "— \(self.name) \(Base64.encode(id + self.signature))\n"
  }
}

/// A text with signatures below it, in the form of C2SP signed-note. Reading it verifies nothing.
public struct SignedNote: Hashable, Sendable {
  /// Ends in a newline; it is what the signatures cover.
  public let text: String
  public let signatures: [NoteSignature]

  static let bytesMaximum = 1 << 16
  static let signaturesMaximum = 100

  public init(text: String, signatures: [NoteSignature]) {
    self.text = text
    self.signatures = signatures
  }

  /// Reads a note strictly: valid UTF-8, no control characters but newlines, a blank line, then nothing but signature lines.
  ///
  /// - Throws: ``NoteError`` with the line at fault. O(bytes), of which at most 64 KiB are accepted.
  public init(_ bytes: [UInt8]) throws(NoteError) {
    guard bytes.count <= Self.bytesMaximum else {
      throw NoteError(line: nil, message: "the note has \(bytes.count) bytes; at most \(Self.bytesMaximum) are read")
    }
    guard let all = String(validating: bytes, as: UTF8.self) else {
      throw NoteError(line: nil, message: "the note is not valid UTF-8")
    }
    if let index = bytes.firstIndex(where: { $0 < 0x20 && $0 != 0x0A }) {
      let line = bytes[..<index].count { $0 == 0x0A } + 1
      throw NoteError(line: line, message: "a control character stands in the note")
    }
    guard bytes.last == 0x0A else { throw NoteError(line: nil, message: "the note does not end in a newline") }
    let lines = all.unicodeScalars.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    guard let blank = lines.lastIndex(of: ""), blank > 0 else {
      throw NoteError(line: nil, message: "no blank line separates the text from its signatures")
    }
    guard blank < lines.count - 1 else { throw NoteError(line: nil, message: "the note has no signature") }
    guard lines.count - 1 - blank <= Self.signaturesMaximum else {
      throw NoteError(line: nil, message: "the note has more than \(Self.signaturesMaximum) signatures")
    }
    self.text = lines[..<blank].joined(separator: "\n") + "\n"
    var signatures: [NoteSignature] = []
    for index in (blank + 1)..<lines.count { signatures.append(try Self.signature(lines[index], line: index + 1)) }
    self.signatures = signatures
  }

  private static func signature(_ text: String, line: Int) throws(NoteError) -> NoteSignature {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].unicodeScalars.elementsEqual("—".unicodeScalars), isNoteKeyName(parts[1]) else {
      throw NoteError(line: line, message: "a signature line has the form '— name base64'")
    }
    guard let bytes = Base64.decode(parts[2]), bytes.count > 4 else {
      throw NoteError(line: line, message: "the signature is not base 64 of a key id and a signature")
    }
    let id = bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return NoteSignature(name: String(parts[1]), keyID: id, signature: Array(bytes.dropFirst(4)))
  }

  public var bytes: [UInt8] { Array((self.text + "\n" + self.signatures.map(\.line).joined()).utf8) }

  /// The note with further signatures below its own.
  public func adding(_ signatures: [NoteSignature]) -> SignedNote {
    SignedNote(text: self.text, signatures: self.signatures + signatures)
  }

  /// Reads signature lines that stand alone, as a witness answers with them.
  public static func signatures(_ text: String) throws(NoteError) -> [NoteSignature] {
    let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    guard lines.count > 1, lines.last == "", lines.count - 1 <= Self.signaturesMaximum else {
      throw NoteError(line: nil, message: "1 to \(Self.signaturesMaximum) signature lines belong here")
    }
    var signatures: [NoteSignature] = []
    for (index, line) in lines.dropLast().enumerated() { signatures.append(try Self.signature(line, line: index + 1)) }
    return signatures
  }

  /// Whether `key` has signed the text.
  ///
  /// - Throws: ``NoteError`` where no signature names the key, or one that does is wrong. Signatures of other keys are ignored.
  public func verify(by key: NoteKey, using verify: SignatureVerification) throws(NoteError) {
    let mine = self.signatures.filter { $0.name == key.name && $0.keyID == key.id }
    guard !mine.isEmpty else { throw NoteError(line: nil, message: "no signature by \(key.name) with key id \(key.idText)") }
    guard mine.allSatisfy({ verify(key.publicKey, Array(self.text.utf8), $0.signature) }) else {
      throw NoteError(line: nil, message: "the signature by \(key.name) with key id \(key.idText) is wrong")
    }
  }
}
